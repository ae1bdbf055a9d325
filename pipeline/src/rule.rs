//! Rules: which events go to which consumer.

use std::cell::OnceCell;

use serde_json::{Value, json};

use crate::event::{Event, InvalidField};
use crate::pattern::{Field, Fields, Pattern};

/// The four consumers of the design, in the order pages show them.
pub const CONSUMERS: [&str; 4] = ["analytics", "categorization", "notification", "audit"];

/// One rule: events that match the pattern go to the consumer.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What matches.
    pub pattern: Pattern,
    /// Where it goes.
    pub consumer: String,
}

/// The rules of a bus.
#[derive(Clone, Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// These rules.
    #[must_use]
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// The rules, in order.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.0
    }

    /// The consumers that `event` goes to, each once, in the rules' order.
    ///
    /// # Errors
    /// A pattern has to look into the detail, and the detail can't be read: its numbers don't fit, its text is half a
    /// character, it is nested too deeply. Nobody can tell then who should have the event.
    pub fn route<'a>(&'a self, event: &Event) -> Result<Vec<&'a str>, InvalidField> {
        let subject = Subject {
            event,
            detail: OnceCell::new(),
        };
        let mut consumers: Vec<&str> = Vec::with_capacity(4);
        for rule in &self.0 {
            if !consumers.contains(&rule.consumer.as_str()) && rule.pattern.matches(&subject) {
                consumers.push(&rule.consumer);
            }
        }
        match subject.detail.into_inner() {
            Some(Err(error)) => Err(InvalidField::new("data", format!("can't be read: {error}"))),
            Some(Ok(_)) | None => Ok(consumers),
        }
    }
}

/// An event as a pattern sees it; the detail is parsed once, and only for a pattern that looks into it.
struct Subject<'a> {
    event: &'a Event,
    detail: OnceCell<serde_json::Result<Value>>,
}

impl Fields for Subject<'_> {
    fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "source" => Some(Field::Text(&self.event.source)),
            "detail-type" => Some(Field::Text(&self.event.event_type)),
            "id" => Some(Field::Text(&self.event.event_id)),
            "detail" => self
                .detail
                .get_or_init(|| serde_json::from_str(&self.event.detail_json()))
                .as_ref()
                .ok()
                .map(Field::Json),
            _ => None,
        }
    }
}

impl Default for Rules {
    /// The design's rules; audit takes everything, whatever its source.
    fn default() -> Self {
        let rule = |name: &str, consumer: &str, pattern: Value| Rule {
            name: name.to_owned(),
            pattern: Pattern::from_value(&pattern).unwrap_or_else(|e| unreachable!("the design's own rule {name}: {e}")),
            consumer: consumer.to_owned(),
        };
        Self(vec![
            rule(
                "analytics-events",
                "analytics",
                json!({
                    "source": ["transaction.service", "account.service"],
                    "$or": [
                        { "detail-type": ["file.processed"], "detail": { "data": { "processingStatus": [{ "anything-but": "failed" }] } } },
                        { "detail-type": ["transactions.created", "transaction.updated", "transactions.deleted", "account.created", "account.updated", "account.deleted"] },
                    ],
                }),
            ),
            rule(
                "categorization-events",
                "categorization",
                json!({
                    "$or": [
                        { "detail-type": ["file.processed"], "detail": { "data": { "processingStatus": ["success"], "transactionCount": [{ "numeric": [">", 0] }] } } },
                        { "detail-type": ["transactions.created"] },
                        { "detail-type": ["category.rule_created"], "detail": { "data": { "autoApply": [true] } } },
                    ],
                }),
            ),
            rule(
                "notification-events",
                "notification",
                json!({
                    "$or": [
                        { "detail-type": ["file.processed"], "detail": { "data": { "processingStatus": ["failed"] } } },
                        { "detail-type": ["transactions.deleted"], "detail": { "data": { "deletionType": ["bulk"] } } },
                        { "detail-type": ["account.deleted"] },
                    ],
                }),
            ),
            rule("audit-events", "audit", json!({ "source": [{ "exists": true }] })),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Json;

    fn event(source: &str, event_type: &str, data: &Value) -> Event {
        Event {
            event_id: "e".into(),
            event_type: event_type.into(),
            event_version: "1.0".into(),
            timestamp: 0,
            source: source.into(),
            user_id: "u".into(),
            correlation_id: None,
            causation_id: None,
            data: Json::of(data).expect("JSON"),
            metadata: None,
            extra: Vec::new(),
        }
    }

    #[test]
    fn the_designs_rules_route_as_its_table_says() {
        let rules = Rules::default();
        for (source, event_type, data, expected) in [
            (
                "transaction.service",
                "file.processed",
                json!({ "processingStatus": "success", "transactionCount": 3 }),
                vec!["analytics", "categorization", "audit"],
            ),
            (
                "transaction.service",
                "file.processed",
                json!({ "processingStatus": "success", "transactionCount": 0 }),
                vec!["analytics", "audit"],
            ),
            (
                "transaction.service",
                "file.processed",
                json!({ "processingStatus": "partial", "transactionCount": 3 }),
                vec!["analytics", "audit"],
            ),
            (
                "transaction.service",
                "file.processed",
                json!({ "processingStatus": "failed", "transactionCount": 0 }),
                vec!["notification", "audit"],
            ),
            (
                "file.service",
                "file.processed",
                json!({ "processingStatus": "success", "transactionCount": 1 }),
                vec!["categorization", "audit"],
            ),
            (
                "transaction.service",
                "transactions.deleted",
                json!({ "deletionType": "bulk" }),
                vec!["analytics", "notification", "audit"],
            ),
            (
                "transaction.service",
                "transactions.deleted",
                json!({ "deletionType": "single" }),
                vec!["analytics", "audit"],
            ),
            (
                "account.service",
                "account.deleted",
                json!({}),
                vec!["analytics", "notification", "audit"],
            ),
            (
                "category.service",
                "category.rule_created",
                json!({ "autoApply": true }),
                vec!["categorization", "audit"],
            ),
            (
                "category.service",
                "category.rule_created",
                json!({ "autoApply": false }),
                vec!["audit"],
            ),
            ("elsewhere", "never.heard.of", json!({}), vec!["audit"]),
        ] {
            assert_eq!(
                rules.route(&event(source, event_type, &data)),
                Ok(expected),
                "{source} {event_type} {data}"
            );
        }
    }
}
