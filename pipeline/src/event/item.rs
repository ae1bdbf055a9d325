//! An item of the event store, as the audit consumers write it: the event with its payload under `eventData`, and what the
//! consumer noted beside it.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

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
    /// Reads an item's JSON.
    ///
    /// # Errors
    /// Not JSON, or a field of the event missing or wrong, named as the item names it.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let fields: Fields = serde_json::from_str(text).map_err(|e| json::field_error(&e))?;
        let (mut draft, mut notes) = (Draft::default(), Vec::new());
        for (key, value) in fields.0 {
            match key.as_str() {
                "eventData" => draft.set("data".to_owned(), value)?,
                "eventMetadata" => draft.set("metadata".to_owned(), value)?,
                name if SHARED.contains(&name) => draft.set(key, value)?,
                _ => notes.push((key, value)),
            }
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
        let event = Fields::of(&self.event);
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

/// An object's fields in their order, each as the text it is.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn of(event: &Event) -> Self {
        serde_json::from_str(&event.to_json()).unwrap_or_else(|_| Self(Vec::new()))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an item, as a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Json)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Json>()? {
                    if fields.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("{key} is there twice")));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
