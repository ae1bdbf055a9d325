//! The rules of the deployment's bus.

use aws_sdk_eventbridge::Client;
use serde_json::Value;

use super::error::failed;
use super::{Connection, Names};
use crate::ports::StoreError;

/// The service's name in errors.
pub(super) const STORE: &str = "EventBridge";

/// A rule: its name, and its pattern as JSON text; empty for one that runs by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BusRule {
    pub(super) name: String,
    pub(super) pattern: String,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct BusRules {
    client: Client,
    bus: String,
}

impl BusRules {
    pub(super) fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            bus: names.event_bus.clone(),
        }
    }

    /// The ARNs of where a rule sends events.
    pub(super) async fn targets(&self, rule: &str) -> Result<Vec<String>, StoreError> {
        let (mut targets, mut next) = (Vec::new(), None);
        loop {
            let call = self.client.list_targets_by_rule().event_bus_name(&self.bus).rule(rule);
            let answer = call
                .set_next_token(next)
                .send()
                .await
                .map_err(|e| failed(STORE, &format!("ListTargetsByRule of {rule}"), &e))?;
            targets.extend(answer.targets().iter().map(|target| target.arn().to_owned()));
            next = answer.next_token;
            if next.is_none() {
                return Ok(targets);
            }
        }
    }

    /// All of them, on or off.
    pub(super) async fn list(&self) -> Result<Vec<BusRule>, StoreError> {
        let (mut rules, mut next) = (Vec::new(), None);
        loop {
            let call = self.client.list_rules().event_bus_name(&self.bus).set_next_token(next);
            let answer = call
                .send()
                .await
                .map_err(|e| failed(STORE, &format!("ListRules of {}", self.bus), &e))?;
            rules.extend(answer.rules().iter().map(|rule| BusRule {
                name: rule.name().unwrap_or_default().to_owned(),
                pattern: rule.event_pattern().unwrap_or_default().to_owned(),
            }));
            next = answer.next_token;
            if next.is_none() {
                return Ok(rules);
            }
        }
    }
}

/// The values that a pattern names for a top-level field as they are, in whichever of its alternatives.
pub(super) fn named_in(pattern: &str, field: &str) -> Vec<String> {
    fn of(pattern: &Value, field: &str) -> Vec<String> {
        let own = pattern[field].as_array().into_iter().flatten();
        let own = own.filter_map(|value| value.as_str().map(ToOwned::to_owned));
        let others = pattern["$or"].as_array().into_iter().flatten();
        own.chain(others.flat_map(|other| of(other, field))).collect()
    }
    of(&serde_json::from_str(pattern).unwrap_or_default(), field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_names_is_found_in_every_alternative() {
        let pattern = r#"{ "detail-type": ["a.made", { "prefix": "b." }], "$or": [{ "detail-type": ["c.made"] }, { "source": ["s"] }] }"#;
        assert_eq!(named_in(pattern, "detail-type"), ["a.made", "c.made"]);
        assert_eq!(named_in(pattern, "source"), ["s"]);
        assert_eq!(named_in("", "source"), Vec::<String>::new());
    }
}
