//! What a deployment makes, whoever describes it, and how two descriptions differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A resource, in CloudFormation's words.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// Such as `AWS::SQS::Queue`.
    pub(super) kind: String,
    /// Its properties, references among them as `${AuditQueue}` and `${AuditQueue.Arn}`.
    pub(super) properties: Map<String, Value>,
}

/// All that is made, with one set of parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// By CloudFormation's logical id.
    pub(super) resources: BTreeMap<String, Resource>,
    /// What is put out.
    pub(super) outputs: Map<String, Value>,
    /// The parameters, each with its default.
    pub(super) parameters: Map<String, Value>,
}

impl Made {
    /// Each difference between this and `other`, a line for each.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let plain = |map: &Map<String, Value>| normal(Value::Object(map.clone()));
        let ids: BTreeSet<&String> = self.resources.keys().chain(other.resources.keys()).collect();
        for id in ids {
            match (self.resources.get(id), other.resources.get(id)) {
                (Some(one), Some(two)) => {
                    if one.kind != two.kind {
                        found.push(format!("{id}: {} and {}", one.kind, two.kind));
                    }
                    differ(id, &plain(&one.properties), &plain(&two.properties), &mut found);
                }
                (one, _) => found.push(format!("{id}: only in the {}", if one.is_some() { "first" } else { "second" })),
            }
        }
        differ("Outputs", &plain(&self.outputs), &plain(&other.outputs), &mut found);
        differ("Parameters", &plain(&self.parameters), &plain(&other.parameters), &mut found);
        found
    }
}

/// Without what is said differently and means the same: 30 and `"30"`, one action and a list of one; a list is a set, for what is
/// ordered here says its order itself.
fn normal(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().filter(|item| !item.is_null()).map(normal).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(map) => {
            let fields = map.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                let several = key == "Action" || key == "Resource";
                let value = normal(value);
                let value = if several && value.is_string() { vec![value].into() } else { value };
                (key, value)
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}

fn differ(at: &str, one: &Value, two: &Value, found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differ(&format!("{at}.{key}"), &of(one), &of(two), found);
            }
        }
        (Value::Array(all), Value::Array(others)) if all != others => {
            let missing = |from: &Vec<Value>, of: &Vec<Value>| Value::from_iter(of.iter().filter(|item| !from.contains(item)).cloned());
            found.push(format!("{at}: {} and {}", missing(others, all), missing(all, others)));
        }
        _ if one != two => found.push(format!("{at}: {one} and {two}")),
        _ => {}
    }
}
