//! What is wrong with the queues.

use std::collections::BTreeSet;

use super::facts::{Facts, Queue};
use super::policy::lets;
use crate::aws::Names;
use crate::aws::arn::name_of;
use crate::finding::Finding;
use crate::finding::Severity::{Error, Note, Warning};
use crate::time::DAY;

/// The longest that SQS keeps messages, seconds.
const LONGEST: u64 = 14 * 86_400;

/// What is wrong with them.
pub(super) fn judge(facts: &Facts, names: &Names) -> Vec<Finding> {
    let mut found: Vec<Finding> = facts
        .queues
        .values()
        .filter_map(|queue| queue.as_ref().err())
        .flatten()
        .cloned()
        .collect();
    found.extend(unwritable(facts));
    let consumed: BTreeSet<&str> = names.consumers.iter().map(|c| c.queue.as_str()).collect();
    let mut buried: BTreeSet<&str> = names.dead_letter_queues_known(facts);
    buried.retain(|name| !consumed.contains(name));
    if facts
        .queues
        .get(&names.dead_letter_queue)
        .is_some_and(|known| matches!(known, Ok(None)))
    {
        found.push(Finding::new(
            Warning,
            "queue.missing",
            &names.dead_letter_queue,
            "The queue for what a publisher can't publish is not there.",
            format!("There is no queue {}.", names.dead_letter_queue),
            "See aws.dead_letter_queue in the configuration; or make the queue.",
        ));
    }
    for name in &buried {
        if let Some(queue) = facts.queue(name) {
            found.extend(dead_letters(name, queue, facts));
        }
    }
    for consumer in &names.consumers {
        if let Some(queue) = facts.queue(&consumer.queue) {
            found.extend(feeding(&consumer.queue, queue));
        }
    }
    found
}

/// The queues that a rule sends to and may not.
fn unwritable(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in facts.rules.iter().flatten() {
        for target in &rule.targets {
            let sent = [
                (Some(&target.arn), "events"),
                (target.dead_letters.as_ref(), "what can't be delivered"),
            ];
            for (arn, what) in sent
                .into_iter()
                .filter_map(|(arn, what)| Some((arn?, what)))
                .filter(|(arn, _)| arn.contains(":sqs:"))
            {
                let name = name_of(arn);
                match facts.queues.get(name) {
                    Some(Ok(None)) => found.push(Finding::new(
                        Error,
                        "queue.missing",
                        name,
                        format!("The rule {} sends {what} to a queue that is not there.", rule.name),
                        format!("There is no queue {arn}."),
                        "Make the queue, or give the rule another.",
                    )),
                    Some(Ok(Some(queue))) if !lets(queue.policy.as_ref(), arn, &rule.arn) => found.push(Finding::new(
                        Error,
                        "queue.no_policy",
                        name,
                        format!("EventBridge may not write to this queue: {what} of {} are lost.", rule.name),
                        match &queue.policy {
                            Some(_) => format!(
                                "No statement of its policy lets events.amazonaws.com send messages for {}.",
                                rule.arn
                            ),
                            None => "It has no policy.".to_owned(),
                        },
                        "Allow sqs:SendMessage to the service events.amazonaws.com in the queue's policy, with aws:SourceArn of the rule.",
                    )),
                    _ => {}
                }
            }
        }
    }
    found
}

/// A dead-letter queue.
fn dead_letters(name: &str, queue: &Queue, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some((beyond, most)) = &queue.redrive {
        found.push(Finding::new(
            Warning,
            "dead_letters.redrive_policy",
            name,
            format!("Whoever looks at a letter in this queue {most} times moves it to another queue, where nobody looks."),
            format!("Its redrive policy sends messages to {beyond} after {most} receives."),
            "Remove the redrive policy of this queue. Cutover takes a message over the first time that it receives it.",
        ));
        let waiting = facts.queue(name_of(beyond)).map_or(0, |queue| queue.messages);
        if waiting > 0 {
            found.push(Finding::new(
                Error,
                "dead_letters.beyond",
                name_of(beyond),
                "Dead letters have gone where nobody looks.",
                format!("{waiting} messages are in {beyond}."),
                format!("Move them back to {name}: aws sqs start-message-move-task. Cutover takes them over there."),
            ));
        }
    }
    if queue.retention < LONGEST {
        found.push(Finding::new(
            Note,
            "dead_letters.retention",
            name,
            "SQS forgets what is in this queue earlier than it must.",
            format!("It keeps messages for {}.", days(queue.retention)),
            "Set MessageRetentionPeriod to 1209600, fourteen days.",
        ));
    }
    found
}

/// A consumer's queue.
fn feeding(name: &str, queue: &Queue) -> Option<Finding> {
    queue.redrive.is_none().then(|| {
        Finding::new(
            Warning,
            "queue.no_redrive_policy",
            name,
            "A message that kills its consumer comes again until it is forgotten.",
            format!("The queue has no redrive policy, and keeps messages for {}.", days(queue.retention)),
            "Give it a redrive policy to a dead-letter queue of its own.",
        )
    })
}

fn days(seconds: u64) -> String {
    let day = DAY.unsigned_abs() / 1_000;
    if seconds.is_multiple_of(day) {
        format!("{} days", seconds / day)
    } else {
        format!("{} hours", seconds / 3_600)
    }
}

impl Names {
    /// The queues that dead letters are in: by name, and by what rules and queues say.
    fn dead_letter_queues_known<'a>(&'a self, facts: &'a Facts) -> BTreeSet<&'a str> {
        let of_rules = facts.rules.iter().flatten().flat_map(|rule| &rule.targets);
        let of_rules = of_rules.filter_map(|target| target.dead_letters.as_deref()).map(name_of);
        let of_consumers = self.consumers.iter().filter_map(|c| facts.queue(&c.queue)?.redrive.as_ref());
        let by_name = self.consumers.iter().map(|c| c.dead_letters.as_str());
        by_name
            .chain([self.dead_letter_queue.as_str()])
            .chain(of_rules)
            .chain(of_consumers.map(|(arn, _)| name_of(arn)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::examine::facts::{Rule, Target};

    fn arn(name: &str) -> String {
        format!("arn:aws:sqs:r:1:{name}")
    }

    fn queue() -> Queue {
        let open = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*" } });
        Queue {
            policy: Some(open),
            redrive: None,
            visibility: 30,
            retention: LONGEST,
            messages: 0,
        }
    }

    /// A queue for the audit consumer, and what is given up on.
    fn sound() -> Facts {
        let mut facts = Facts {
            rules: Ok(vec![Rule {
                name: "p-audit".to_owned(),
                targets: vec![Target {
                    arn: arn("p-audit"),
                    dead_letters: Some(arn("p-audit-dlq")),
                }],
                ..Rule::default()
            }]),
            ..Facts::default()
        };
        for name in ["p-audit", "p-audit-dlq", "p-event-dlq"] {
            facts.queues.insert(name.to_owned(), Ok(Some(queue())));
        }
        change(&mut facts, "p-audit", |queue| queue.redrive = Some((arn("p-audit-dlq"), 5)));
        facts
    }

    fn change(facts: &mut Facts, name: &str, change: impl FnOnce(&mut Queue)) {
        if let Some(Ok(Some(queue))) = facts.queues.get_mut(name) {
            change(queue);
        }
    }

    fn kinds(facts: &Facts) -> Vec<String> {
        judge(facts, &Names::of("p"))
            .into_iter()
            .map(|f| format!("{} {}", f.kind, f.subject))
            .collect()
    }

    #[test]
    fn what_is_sound_is_not_found() {
        assert_eq!(kinds(&sound()), [""; 0]);
    }

    #[test]
    fn each_trap_is_found() {
        let mut facts = sound();
        change(&mut facts, "p-audit-dlq", |queue| queue.policy = None);
        assert_eq!(kinds(&facts), ["queue.no_policy p-audit-dlq"]);

        let mut facts = sound();
        change(&mut facts, "p-event-dlq", |queue| queue.redrive = Some((arn("p-event-dlq-dlq"), 3)));
        facts
            .queues
            .insert("p-event-dlq-dlq".to_owned(), Ok(Some(Queue { messages: 2, ..queue() })));
        assert_eq!(
            kinds(&facts),
            ["dead_letters.redrive_policy p-event-dlq", "dead_letters.beyond p-event-dlq-dlq"]
        );

        let mut facts = sound();
        change(&mut facts, "p-audit-dlq", |queue| queue.retention = 4 * 86_400);
        change(&mut facts, "p-audit", |queue| queue.redrive = None);
        assert_eq!(
            kinds(&facts),
            ["dead_letters.retention p-audit-dlq", "queue.no_redrive_policy p-audit"]
        );

        let mut facts = sound();
        facts.queues.insert("p-audit-dlq".to_owned(), Ok(None));
        assert_eq!(kinds(&facts), ["queue.missing p-audit-dlq"]);
    }
}
