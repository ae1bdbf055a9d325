//! Whether a queue's policy lets a rule write to it: as far as IAM's language is used for that,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>.

use serde_json::Value;

/// A string, or each of a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// As IAM compares: `*` is any run of characters, `?` any one.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Which of the pattern's beginnings match the text so far.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    let stars = |reached: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            if reached[at] && pattern[at] == '*' {
                reached[at + 1] = true;
            }
        }
    };
    stars(&mut reached);
    for character in text {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| reached[*at]) {
            match pattern[at] {
                '*' => next[at] = true,
                '?' => next[at + 1] = true,
                known if known == character => next[at + 1] = true,
                _ => {}
            }
        }
        reached = next;
        stars(&mut reached);
    }
    reached[pattern.len()]
}

/// Whether `policy` lets EventBridge send messages to `queue` for `rule`, both ARNs. What it demands besides of the source's ARN and
/// account isn't looked at.
pub(super) fn lets(policy: Option<&Value>, queue: &str, rule: &str) -> bool {
    let statements = match policy.map(|policy| &policy["Statement"]) {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    let applies = |statement: &Value| {
        let principal = &statement["Principal"];
        let everyone = |value: &Value| texts(value).contains(&"*");
        let whom = everyone(principal) || everyone(&principal["AWS"]) || texts(&principal["Service"]).contains(&"events.amazonaws.com");
        let sends = |action: &&str| like(&action.to_ascii_lowercase(), "sqs:sendmessage");
        let what = texts(&statement["Action"]).iter().any(sends);
        let to = texts(&statement["Resource"]).iter().any(|resource| like(resource, queue));
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        let from = conditions.filter_map(|(operator, condition)| {
            let wanted = condition
                .as_object()?
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"))?
                .1;
            let exact = operator.starts_with("StringEquals");
            Some(
                texts(wanted)
                    .iter()
                    .any(|wanted| if exact { *wanted == rule } else { like(wanted, rule) }),
            )
        });
        whom && what && to && from.into_iter().all(|holds| holds)
    };
    let of = |effect: &'static str| statements.iter().filter(move |statement| statement["Effect"] == effect);
    // A refusal under a condition is of others: of those who don't use TLS, say.
    let refuses = |statement: &&&Value| statement["Condition"].is_null() && applies(statement);
    of("Allow").any(|statement| applies(statement)) && of("Deny").find(refuses).is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-west-2:1:p-dlq";
    const RULE: &str = "arn:aws:events:eu-west-2:1:rule/p-events/p-audit";

    fn allows(rest: Value) -> bool {
        let mut statement = json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": QUEUE
        });
        let given = rest.as_object().expect("an object").clone();
        statement.as_object_mut().expect("an object").extend(given);
        lets(Some(&json!({ "Statement": [statement] })), QUEUE, RULE)
    }

    #[test]
    fn a_statement_lets_the_service_send_to_the_queue_for_the_rule() {
        assert!(allows(json!({})));
        assert!(allows(
            json!({ "Principal": "*", "Action": ["sqs:*"], "Resource": "arn:aws:sqs:*:1:p-*" })
        ));
        assert!(allows(json!({ "Action": "SQS:SendMessage" })));
        let from = |operator: &str, arn: &str| json!({ "Condition": { operator: { "aws:SourceArn": arn } } });
        assert!(allows(from("ArnLike", "arn:aws:events:eu-west-2:1:rule/p-events/p-*")));
        assert!(allows(from("ArnEquals", RULE)));
        assert!(!allows(from("ArnEquals", "arn:aws:events:eu-west-2:1:rule/other")));
        assert!(!allows(from("StringEquals", "arn:aws:events:*")));
        assert!(!allows(json!({ "Effect": "Deny" })));
        assert!(!allows(json!({ "Principal": { "Service": "sns.amazonaws.com" } })));
        assert!(!allows(json!({ "Action": "sqs:ReceiveMessage" })));
        assert!(!allows(json!({ "Resource": "arn:aws:sqs:eu-west-2:1:other" })));
        assert!(!lets(None, QUEUE, RULE));
        let allow = json!({ "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*" });
        let deny = |condition| json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": condition });
        let both = |condition| lets(Some(&json!({ "Statement": [allow, deny(condition)] })), QUEUE, RULE);
        assert!(both(json!({ "Bool": { "aws:SecureTransport": "false" } })));
        assert!(!both(Value::Null));
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*", "abc", true),
            ("", "a", false),
        ] {
            assert_eq!(like(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
