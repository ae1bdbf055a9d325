//! Events: what happened, to whom, and why.
//!
//! The fields are the design's own and keep its camel-case names on every wire. A payload is carried as the
//! JSON text it arrived in, so that no number is rewritten and no field is lost, whether its type is known or
//! not; [`payload`] gives the typed view of the types that the design names.

pub mod envelope;
#[cfg(feature = "runtime")]
mod id;
pub mod item;
mod json;
pub mod payload;

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "runtime")]
pub use id::new_event_id;
#[cfg(feature = "aws")]
pub(crate) use json::Fields;
pub use json::Json;

/// The largest event, as JSON, that the pipeline takes: EventBridge's limit for one `PutEvents` call, in bytes.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// How far ahead of the clock an event's `timestamp` may lie, in milliseconds, before it is refused.
pub const MAX_FUTURE_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// One event. Equality is equality of every field, payloads compared as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Unique id, chosen by the publisher.
    pub event_id: String,
    /// Dotted type, for example `file.processed`.
    pub event_type: String,
    /// Version of the payload's schema.
    pub event_version: String,
    /// When it happened, Unix milliseconds, as the publisher says.
    pub timestamp: i64,
    /// The service that published it.
    pub source: String,
    /// The user it happened to.
    pub user_id: String,
    /// Ties together the events of one activity.
    pub correlation_id: Option<String>,
    /// The event that caused this one.
    pub causation_id: Option<String>,
    /// The type's own payload, as it arrived.
    pub data: Json,
    /// Free-form context, as it arrived.
    pub metadata: Option<Json>,
    /// Fields that the design doesn't name, and its optional ones where they were an explicit `null`.
    pub extra: Vec<(String, Json)>,
}

/// A field of an event that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{field}: {reason}")]
pub struct InvalidField {
    /// Where, in the event's own names, for example `data.transactionIds[2]`.
    pub field: String,
    /// What is wrong and what is expected.
    pub reason: String,
}

impl InvalidField {
    /// A fault at `field`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

impl Event {
    /// Checks the fields that every event must have, whatever its type.
    ///
    /// # Errors
    /// The first field that is empty, too long, not of the right shape, or too far in the future of `now`.
    pub fn validate(&self, now: i64) -> Result<(), InvalidField> {
        for (field, value, max) in [
            ("eventId", &self.event_id, 128),
            ("eventType", &self.event_type, 128),
            ("eventVersion", &self.event_version, 32),
            ("source", &self.source, 256),
            ("userId", &self.user_id, 256),
        ] {
            if value.trim().is_empty() {
                return Err(InvalidField::new(field, "is empty; a non-empty string is needed"));
            }
            if value.len() > max {
                return Err(InvalidField::new(
                    field,
                    format!("is {} bytes long; at most {max} are allowed", value.len()),
                ));
            }
        }
        if self.timestamp < 0 {
            return Err(InvalidField::new("timestamp", "is negative; Unix milliseconds are needed"));
        }
        if self.timestamp > now.saturating_add(MAX_FUTURE_MILLIS) {
            return Err(InvalidField::new(
                "timestamp",
                format!(
                    "{} lies more than a day in the future; Unix milliseconds are needed",
                    self.timestamp
                ),
            ));
        }
        if !self.data.is_object() {
            return Err(InvalidField::new("data", "is not an object"));
        }
        if self.metadata.as_ref().is_some_and(|metadata| !metadata.is_object()) {
            return Err(InvalidField::new("metadata", "is not an object"));
        }
        Ok(())
    }

    /// Parses a bare event, all its fields at the top level.
    ///
    /// # Errors
    /// Not JSON, or a field missing or of the wrong type, named.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        Draft::from_json(text)?.complete(None)
    }

    /// The event as JSON text, all fields at the top level.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising strings, integers and raw JSON into memory has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// EventBridge's `Detail`: every field but the type and the source, which the envelope carries.
    #[must_use]
    pub fn detail_json(&self) -> String {
        serde_json::to_string(&Detail(self)).unwrap_or_default()
    }

    fn serialize_fields<M: SerializeMap>(&self, map: &mut M, enveloped: bool) -> Result<(), M::Error> {
        map.serialize_entry("eventId", &self.event_id)?;
        if !enveloped {
            map.serialize_entry("eventType", &self.event_type)?;
        }
        map.serialize_entry("eventVersion", &self.event_version)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        if !enveloped {
            map.serialize_entry("source", &self.source)?;
        }
        map.serialize_entry("userId", &self.user_id)?;
        if let Some(id) = &self.correlation_id {
            map.serialize_entry("correlationId", id)?;
        }
        if let Some(id) = &self.causation_id {
            map.serialize_entry("causationId", id)?;
        }
        map.serialize_entry("data", &self.data)?;
        if let Some(metadata) = &self.metadata {
            map.serialize_entry("metadata", metadata)?;
        }
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        Ok(())
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_fields(&mut map, false)?;
        map.end()
    }
}

struct Detail<'a>(&'a Event);

impl Serialize for Detail<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.serialize_fields(&mut map, true)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Draft::deserialize(deserializer)?.complete(None).map_err(de::Error::custom)
    }
}

/// An event some of whose fields are still missing: what a wire said, before anything is stamped or required.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// See [`Event::event_id`].
    pub event_id: Option<String>,
    /// See [`Event::event_type`].
    pub event_type: Option<String>,
    /// See [`Event::event_version`].
    pub event_version: Option<String>,
    /// See [`Event::timestamp`].
    pub timestamp: Option<i64>,
    /// See [`Event::source`].
    pub source: Option<String>,
    /// See [`Event::user_id`].
    pub user_id: Option<String>,
    /// See [`Event::correlation_id`].
    pub correlation_id: Option<String>,
    /// See [`Event::causation_id`].
    pub causation_id: Option<String>,
    /// See [`Event::data`].
    pub data: Option<Json>,
    /// See [`Event::metadata`].
    pub metadata: Option<Json>,
    /// See [`Event::extra`].
    pub extra: Vec<(String, Json)>,
}

/// What a publisher adds to a draft that doesn't say it.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The id, for an event that has none.
    pub event_id: String,
    /// The time, for an event that has none; Unix milliseconds.
    pub timestamp: i64,
}

impl Draft {
    /// Parses JSON text.
    ///
    /// # Errors
    /// Not a JSON object, or a field of the wrong type, named.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        serde_json::from_str(text).map_err(|e| json::field_error(&e))
    }

    /// The event, if every required field is there; `stamp` fills in what publishers may leave out.
    ///
    /// # Errors
    /// The first field that is missing.
    pub fn complete(self, stamp: Option<Stamp>) -> Result<Event, InvalidField> {
        let missing = |field: &str| InvalidField::new(field, "is missing");
        let (stamped_id, stamped_at, stamped_version) = match stamp {
            Some(stamp) => (Some(stamp.event_id), Some(stamp.timestamp), Some("1.0".to_owned())),
            None => (None, None, None),
        };
        Ok(Event {
            event_id: self.event_id.or(stamped_id).ok_or_else(|| missing("eventId"))?,
            event_type: self.event_type.ok_or_else(|| missing("eventType"))?,
            event_version: self.event_version.or(stamped_version).ok_or_else(|| missing("eventVersion"))?,
            timestamp: self.timestamp.or(stamped_at).ok_or_else(|| missing("timestamp"))?,
            source: self.source.ok_or_else(|| missing("source"))?,
            user_id: self.user_id.ok_or_else(|| missing("userId"))?,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            data: self.data.ok_or_else(|| missing("data"))?,
            metadata: self.metadata,
            extra: self.extra,
        })
    }
}

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DraftVisitor;

        impl<'de> Visitor<'de> for DraftVisitor {
            type Value = Draft;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event, as a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
                let mut draft = Draft::default();
                while let Some(key) = map.next_key::<String>()? {
                    let value: Json = map.next_value()?;
                    draft.set(key, value).map_err(|e| de::Error::custom(json::Marked(&e)))?;
                }
                Ok(draft)
            }
        }
        deserializer.deserialize_map(DraftVisitor)
    }
}

impl Draft {
    fn set(&mut self, key: String, value: Json) -> Result<(), InvalidField> {
        let text = |value: &Json| {
            value
                .as_str()
                .ok_or_else(|| InvalidField::new(key.clone(), format!("is {}; a string is needed", value.kind())))
        };
        match key.as_str() {
            "eventId" => self.event_id = Some(text(&value)?),
            "eventType" => self.event_type = Some(text(&value)?),
            "eventVersion" => self.event_version = Some(text(&value)?),
            "source" => self.source = Some(text(&value)?),
            "userId" => self.user_id = Some(text(&value)?),
            "timestamp" => {
                self.timestamp =
                    Some(value.as_i64().ok_or_else(|| {
                        InvalidField::new("timestamp", format!("is {}; whole Unix milliseconds are needed", value.kind()))
                    })?);
            }
            // An explicit null is not the same text as an absent field: it is kept, so that what goes out is what came in.
            "correlationId" | "causationId" | "metadata" if value.is_null() => self.extra.push((key, value)),
            "correlationId" => self.correlation_id = Some(text(&value)?),
            "causationId" => self.causation_id = Some(text(&value)?),
            "metadata" => self.metadata = Some(value),
            "data" => self.data = Some(value),
            _ => self.extra.push((key, value)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
