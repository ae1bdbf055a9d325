//! What is in the store and is no event: passed over by lists, and not forgotten.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;

use super::decode;
use crate::aws::attribute::Item;
use crate::ports::StoredEvent;

/// How many are remembered.
const KEPT: usize = 100;

/// By id, what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Strange(Mutex<BTreeMap<String, String>>);

impl Strange {
    /// What an item says; of one that is no event, `None`. The first time it is met that is logged.
    pub(super) fn decode(&self, item: &Item) -> Option<StoredEvent> {
        let fault = match decode(item) {
            Ok(event) => return Some(event),
            Err(fault) => fault,
        };
        let id = match item.get("eventId") {
            Some(AttributeValue::S(id)) => id.clone(),
            _ => "without an id".to_owned(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT && !known.contains_key(&id) {
            tracing::warn!(event_id = id, fault, "an item of the event store is not an event");
            known.insert(id, fault);
        }
        None
    }

    /// Those that were met, with what is wrong with each.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(id, fault)| (id.clone(), fault.clone())).collect()
    }
}
