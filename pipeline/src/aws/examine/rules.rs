//! What is wrong with the rules and their targets.

use serde_json::{Value, json};

use super::facts::Rule;
use crate::aws::Names;
use crate::aws::arn::{is_function, name_of};
use crate::aws::names::ConsumerNames;
use crate::aws::rules::named_in;
use crate::event::payload::KNOWN_TYPES;
use crate::finding::Finding;
use crate::finding::Severity::{Error, Warning};
use crate::pattern::Pattern;
use crate::rule::Rules;

/// The consumer that is to get everything.
const AUDIT: &str = "audit";
/// A source, or a type, that nobody knows.
const NOBODY: &str = "cutover.nobody-knows-this";

/// Whether a rule feeds a consumer, by its queue or its function.
fn feeds(rule: &Rule, consumer: &ConsumerNames) -> bool {
    rule.targets.iter().any(|target| {
        let name = name_of(&target.arn);
        let queue = target.arn.contains(":sqs:") && name == consumer.queue;
        queue || is_function(&target.arn, &consumer.function)
    })
}

/// What is wrong with them. `sources` are those that events were seen of.
pub(super) fn judge(rules: &[Rule], names: &Names, sources: &[String]) -> Vec<Finding> {
    let consumers = names.consumers.iter().filter_map(|consumer| without_rule(rules, consumer));
    let each = rules.iter().flat_map(one);
    consumers.chain(each).chain(uncovered(rules, names, sources)).collect()
}

/// What the ledger, which goes by the pipeline's own rules, expects otherwise than the deployed rules bring it. `ours` says which consumers
/// write it.
pub(super) fn unexpected(rules: &[Rule], names: &Names, ours: impl Fn(&str) -> bool) -> Vec<Finding> {
    let own = Rules::default();
    let written = names.consumers.iter().filter(|consumer| ours(&consumer.name));
    let differs = written.filter_map(|consumer| {
        let expected = own.all().iter().find(|rule| rule.consumer == consumer.name)?.pattern.as_json();
        let fed: Vec<&Rule> = rules.iter().filter(|rule| rule.enabled && feeds(rule, consumer)).collect();
        let pattern = |rule: &&Rule| serde_json::from_str::<Value>(&rule.pattern).is_ok_and(|pattern| &pattern == expected);
        (!fed.is_empty() && !fed.iter().any(pattern)).then(|| {
            Finding::new(
                Warning,
                "rule.unexpected",
                &consumer.name,
                "This consumer's rule is not the pipeline's: what the ledger expects and the rule doesn't bring stays open, and counts as lost.",
                format!(
                    "The ledger goes by {expected}; the rule has {}.",
                    fed.iter().map(|rule| rule.pattern.as_str()).collect::<Vec<_>>().join(" and ")
                ),
                "Give the rule the pattern that deploy/cutover.yaml has.",
            )
        })
    });
    differs.collect()
}

fn without_rule(rules: &[Rule], consumer: &ConsumerNames) -> Option<Finding> {
    (!rules.iter().any(|rule| feeds(rule, consumer))).then(|| {
        Finding::new(
            Error,
            "consumer.no_rule",
            &consumer.name,
            "No rule of the bus feeds this consumer: it gets no events.",
            format!("No rule has {} or {} as a target.", consumer.queue, consumer.function),
            "Add a rule for it; or name its function and queue in aws.consumers, if they are called otherwise.",
        )
    })
}

fn one(rule: &Rule) -> Vec<Finding> {
    let mut found = Vec::new();
    if !rule.enabled {
        found.push(Finding::new(
            Error,
            "rule.off",
            &rule.name,
            "This rule is switched off: its targets get no events.",
            "Its state is DISABLED.",
            "Switch it on: aws events enable-rule. Events of the meantime are not kept for it; a replay brings them back.",
        ));
    }
    if rule.targets.is_empty() {
        found.push(Finding::new(
            Error,
            "rule.no_target",
            &rule.name,
            "This rule has no target: what it matches goes nowhere.",
            "ListTargetsByRule is empty.",
            "Give it its consumer's queue, or function, as a target.",
        ));
    }
    if let Err(error) = Pattern::parse(&rule.pattern) {
        found.push(Finding::new(
            Warning,
            "rule.pattern",
            &rule.name,
            "This rule's pattern can't be read here, so it isn't known what it takes.",
            error.to_string(),
            "See whether it uses something that EventBridge has come to know only lately.",
        ));
    }
    let lost = rule.targets.iter().filter(|target| target.dead_letters.is_none());
    found.extend(lost.map(|target| {
        Finding::new(
            Warning,
            "target.no_dead_letter_queue",
            format!("{}, {}", rule.name, name_of(&target.arn)),
            "What can't be delivered to this target is lost after a day of trying.",
            format!("The target {} has no dead-letter queue.", target.arn),
            "Give the target a dead-letter queue, with a policy that lets events.amazonaws.com send to it.",
        )
    }));
    found
}

/// What the audit's rules don't take.
fn uncovered(rules: &[Rule], names: &Names, seen: &[String]) -> Option<Finding> {
    let audit = names.consumers.iter().find(|consumer| consumer.name == AUDIT)?;
    let own: Vec<&Rule> = rules.iter().filter(|rule| rule.enabled && feeds(rule, audit)).collect();
    let patterns: Vec<Pattern> = own.iter().filter_map(|rule| Pattern::parse(&rule.pattern).ok()).collect();
    // Without any, or with one that can't be read, another finding says so.
    if own.is_empty() || patterns.len() < own.len() {
        return None;
    }
    let takes = |source: &str, event_type: &str| {
        let event = json!({ "source": source, "detail-type": event_type, "detail": { "eventId": "e", "data": {} } });
        patterns.iter().any(|pattern| pattern.matches_value(&event))
    };
    let covers = |source: &str| {
        KNOWN_TYPES
            .iter()
            .copied()
            .chain([NOBODY])
            .all(|event_type| takes(source, event_type))
    };
    if covers(NOBODY) {
        return None;
    }
    let named = rules.iter().flat_map(|rule| named_in(&rule.pattern, "source"));
    let mut left: Vec<String> = seen.iter().cloned().chain(named).filter(|source| !covers(source)).collect();
    left.sort();
    left.dedup();
    let rules: Vec<&str> = own.iter().map(|rule| rule.name.as_str()).collect();
    let evidence = format!(
        "{} takes {}.",
        rules.join(" and "),
        own.iter().map(|r| r.pattern.as_str()).collect::<Vec<_>>().join(" and ")
    );
    let remedy = r#"Have the audit rule take every event: {"source": [{"prefix": ""}]}."#;
    Some(if left.is_empty() {
        Finding::new(
            Warning,
            "audit.sources",
            rules.join(", "),
            "Events of a new source, or a new type, would not be audited.",
            evidence,
            remedy,
        )
    } else {
        Finding::new(
            Error,
            "audit.sources",
            rules.join(", "),
            format!("Events of {} are not, or not all, audited.", left.join(", ")),
            evidence,
            remedy,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::examine::facts::Target;

    fn rule(consumer: &str, pattern: &str) -> Rule {
        Rule {
            name: format!("p-{consumer}"),
            arn: String::new(),
            enabled: true,
            pattern: pattern.to_owned(),
            targets: vec![Target {
                arn: format!("arn:aws:sqs:r:1:p-{consumer}"),
                dead_letters: Some("arn:aws:sqs:r:1:dlq".to_owned()),
            }],
        }
    }

    fn sound() -> Vec<Rule> {
        let names = ["analytics", "categorization", "notification"].map(|name| rule(name, r#"{ "source": ["a.service"] }"#));
        names
            .into_iter()
            .chain([rule(AUDIT, r#"{ "source": [{ "prefix": "" }] }"#)])
            .collect()
    }

    fn kinds(rules: &[Rule]) -> Vec<String> {
        judge(rules, &Names::of("p"), &["seen.service".to_owned()])
            .into_iter()
            .map(|f| f.kind)
            .collect()
    }

    #[test]
    fn what_is_sound_is_not_found() {
        assert_eq!(kinds(&sound()), [""; 0]);
        let mut direct = sound();
        direct[0].targets[0].arn = "arn:aws:lambda:r:1:function:p-analytics-consumer:live".to_owned();
        assert_eq!(kinds(&direct), [""; 0]);
    }

    #[test]
    fn each_trap_is_found() {
        let broken = |at: usize, change: &dyn Fn(&mut Rule)| {
            let mut rules = sound();
            change(&mut rules[at]);
            kinds(&rules)
        };
        assert_eq!(broken(0, &|rule| rule.enabled = false), ["rule.off"]);
        assert_eq!(
            broken(0, &|rule| rule.targets[0].dead_letters = None),
            ["target.no_dead_letter_queue"]
        );
        assert_eq!(broken(0, &|rule| rule.targets.clear()), ["consumer.no_rule", "rule.no_target"]);
        assert_eq!(broken(0, &|rule| rule.pattern = "{".to_owned()), ["rule.pattern"]);
    }

    #[test]
    fn a_rule_that_is_not_what_the_ledger_goes_by_is_found() {
        let own: Vec<Rule> = Rules::default()
            .all()
            .iter()
            .map(|own| rule(&own.consumer, &own.pattern.as_json().to_string()))
            .collect();
        let found = |rules: &[Rule], ours: bool| unexpected(rules, &Names::of("p"), |_| ours).len();
        assert_eq!(found(&own, true), 0);
        let mut narrowed = own;
        narrowed[0].pattern = r#"{ "source": ["account.service"] }"#.to_owned();
        assert_eq!((found(&narrowed, true), found(&narrowed, false)), (1, 0));
        // That it has none at all is another finding.
        narrowed[0].enabled = false;
        assert_eq!(found(&narrowed, true), 0);
    }

    #[test]
    fn the_audit_rule_has_to_take_every_source() {
        let audited = |pattern: &str| {
            let mut rules = sound();
            rules[3].pattern = pattern.to_owned();
            let found = judge(&rules, &Names::of("p"), &["seen.service".to_owned()]);
            found.first().map(|f| (f.severity, f.what.clone()))
        };
        let (severity, what) = audited(r#"{ "source": ["a.service"] }"#).expect("a finding");
        assert_eq!(
            (severity, what.contains("seen.service"), what.contains("a.service")),
            (Error, true, false)
        );
        let all = audited(r#"{ "source": ["a.service", "seen.service"] }"#).expect("a finding");
        assert_eq!(all.0, Warning);
        let types = audited(r#"{ "source": [{ "exists": true }], "detail-type": ["file.processed"] }"#).expect("a finding");
        assert_eq!(types.0, Error);
        assert_eq!(audited(r#"{ "source": [{ "exists": true }] }"#), None);
    }
}
