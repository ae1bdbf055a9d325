//! An item of the event store, as the audit consumers write it: the event with its payload under `eventData`, and what the
//! consumer noted beside it.

use super::json::Fields;
use super::{Draft, Event, InvalidField, Json, json};

/// An item of the event store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreItem {
    /// The event.
    pub event: Event,
    /// Everything else, in its order: `auditTimestamp`, `consumerInfo`, …
    pub notes: Vec<(String, Json)>,
}

/// The event's fields that an item names as the design does.
const SHARED: [&str; 8] = [
    "eventId",
    "timestamp",
    "eventType",
    "eventVersion",
    "source",
    "userId",
    "correlationId",
    "causationId",
];

impl StoreItem {
    /// When an audit consumer wrote it, if it says so.
    #[must_use]
    pub fn stored_at(&self) -> Option<i64> {
        let noted = self.notes.iter().find(|(name, _)| name == "auditTimestamp");
        noted.and_then(|(_, at)| number(at.clone()).as_i64())
    }

    /// Reads an item's JSON. A time that was written as text is read too; without a `timestamp` the event is as old as its
    /// `originalTimestamp` says, or its `auditTimestamp`.
    ///
    /// # Errors
    /// Not JSON, or a field of the event missing or wrong, named as the item names it.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let fields: Fields = serde_json::from_str(text).map_err(|e| json::field_error(&e))?;
        let (mut draft, mut notes) = (Draft::default(), Vec::new());
        let mut written = None;
        for (key, value) in fields.0 {
            match key.as_str() {
                "timestamp" => written = Some(value),
                "eventData" => draft.set("data".to_owned(), value)?,
                "eventMetadata" => draft.set("metadata".to_owned(), value)?,
                name if SHARED.contains(&name) => draft.set(key, value)?,
                _ => notes.push((key, value)),
            }
        }
        // An item without its sort key, as one of the design's consumers wrote them, says when elsewhere.
        let noted = |name: &str| notes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        if let Some(at) = written.or_else(|| noted("originalTimestamp")).or_else(|| noted("auditTimestamp")) {
            draft.set("timestamp".to_owned(), number(at))?;
        }
        let event = draft.complete(None).map_err(|fault| match fault.field.as_str() {
            "data" => InvalidField::new("eventData", fault.reason),
            _ => fault,
        })?;
        Ok(Self { event, notes })
    }

    /// The item as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let event = fields(&self.event);
        let renamed = event.0.into_iter().map(|(key, value)| {
            let key = match key.as_str() {
                "data" => "eventData".to_owned(),
                "metadata" => "eventMetadata".to_owned(),
                _ => key,
            };
            (key, value)
        });
        let all = Fields(renamed.chain(self.notes.iter().cloned()).collect());
        // Writing strings and raw JSON into memory has no way to fail.
        serde_json::to_string(&all).unwrap_or_default()
    }
}

/// A number, also if it was written as text.
fn number(value: Json) -> Json {
    let number = value.as_str().and_then(|text| text.trim().parse::<i64>().ok());
    number.and_then(|number| Json::of(&number).ok()).unwrap_or(value)
}

/// An event's fields, as they are written.
fn fields(event: &Event) -> Fields {
    serde_json::from_str(&event.to_json()).unwrap_or_else(|_| Fields(Vec::new()))
}
