//! Values in and out of items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::attribute::Item;
use crate::ports::StoreError;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The longest key of a partition, bytes.
const MAX_KEY: usize = 2_048;

/// Whether DynamoDB takes an id as the key of a partition.
pub(super) const fn is_key(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_KEY
}

/// `SET` of an update: the expression, and the names and values in it.
pub(super) struct Assigned {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

/// Sets attributes and leaves the others as they are; those without a value are removed.
pub(super) fn assigned<'a>(fields: impl IntoIterator<Item = (&'a str, Option<AttributeValue>)>) -> Assigned {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let (mut names, mut values) = (HashMap::new(), Item::new());
    for (n, (name, value)) in fields.into_iter().enumerate() {
        names.insert(format!("#a{n}"), name.to_owned());
        match value {
            Some(value) => {
                set.push(format!("#a{n} = :a{n}"));
                values.insert(format!(":a{n}"), value);
            }
            None => remove.push(format!("#a{n}")),
        }
    }
    let part = |word: &str, parts: Vec<String>| (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")));
    let parts: Vec<String> = [part("SET", set), part("REMOVE", remove)].into_iter().flatten().collect();
    Assigned {
        expression: parts.join(" "),
        names,
        values,
    }
}

/// An item of one of Cutover's own tables, read field by field.
pub(super) struct Record<'a> {
    pub(super) what: &'static str,
    pub(super) item: &'a Item,
}

impl Record<'_> {
    fn field<T>(&self, name: &str, read: impl Fn(&AttributeValue) -> Option<T>) -> Result<T, StoreError> {
        let value = self.item.get(name).and_then(read);
        value.ok_or_else(|| StoreError::Corrupt {
            what: self.what,
            reason: format!("an item without a usable {name}"),
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<String, StoreError> {
        self.field(name, |value| value.as_s().ok().cloned())
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<String> {
        self.item.get(name).and_then(|value| value.as_s().ok().cloned())
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.field(name, |value| value.as_n().ok()?.parse().ok())
    }

    pub(super) fn truth(&self, name: &str) -> Result<bool, StoreError> {
        self.field(name, |value| value.as_bool().ok().copied())
    }
}
