//! Values in and out of items.

use aws_sdk_dynamodb::types::AttributeValue;

use super::attribute::Item;
use crate::ports::StoreError;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
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
