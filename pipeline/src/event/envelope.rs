//! The shapes an event travels in: bare, EventBridge's delivered envelope, a `PutEvents` entry, and an SQS batch.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Draft, Event, InvalidField, Json};

/// EventBridge's envelope around a delivered event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // the fields are EventBridge's own
pub struct Delivered {
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub id: Option<String>,
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    pub source: String,
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub resources: Vec<String>,
    pub detail: Json,
}

/// One entry of a `PutEvents` call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)] // the fields are EventBridge's own
pub struct PutEventsEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_bus_name: Option<String>,
}

impl PutEventsEntry {
    /// The size that EventBridge counts towards its 256 KB, in bytes: 14 for a time, and the UTF-8 lengths of the texts.
    #[must_use]
    pub fn size(&self) -> usize {
        self.time.as_ref().map_or(0, |_| 14)
            + self.source.as_ref().map_or(0, String::len)
            + self.detail_type.as_ref().map_or(0, String::len)
            + self.detail.as_ref().map_or(0, String::len)
            + self.resources.iter().flatten().map(String::len).sum::<usize>()
    }
}

/// The draft that an envelope's parts make: type and source come from the envelope, never from the detail.
///
/// # Errors
/// The detail is not a JSON object or a field has the wrong type.
pub fn from_parts(source: &str, detail_type: &str, detail: &str) -> Result<Draft, InvalidField> {
    let mut draft = Draft::from_json(detail).map_err(|e| match e.field.as_str() {
        "$" => InvalidField::new("Detail", e.reason),
        _ => e,
    })?;
    draft.event_type = Some(detail_type.to_owned());
    draft.source = Some(source.to_owned());
    Ok(draft)
}

impl Event {
    /// The event as EventBridge would deliver it to a target.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        Delivered {
            version: Some("0".to_owned()),
            id: Some(self.event_id.clone()),
            detail_type: self.event_type.clone(),
            source: self.source.clone(),
            account: None,
            time: Some(
                crate::time::Timestamp(self.timestamp)
                    .utc()
                    .format("%Y-%m-%dT%H:%M:%SZ")
                    .to_string(),
            ),
            region: None,
            resources: Vec::new(),
            detail: Json::from_text(self.detail_json()).unwrap_or_else(|_| self.data.clone()),
        }
    }
}

/// Reads the events in `text`, whichever shape they have: a bare event, a delivered envelope, or an SQS batch
/// (`Records[].body`) of either.
///
/// # Errors
/// Not JSON, no event in it, or a field missing or wrong; within a batch, the path begins with the record.
pub fn parse(text: &str) -> Result<Vec<Event>, InvalidField> {
    let value: Value = serde_json::from_str(text).map_err(|e| InvalidField::new("$", format!("not JSON: {e}")))?;
    let Some(object) = value.as_object() else {
        return Err(InvalidField::new(
            "$",
            "not an object; an event, an EventBridge envelope or an SQS batch is needed",
        ));
    };
    if let Some(records) = object.get("Records").and_then(Value::as_array) {
        return records
            .iter()
            .enumerate()
            .map(|(i, record)| {
                let at = format!("Records[{i}].body");
                let body = record
                    .get("body")
                    .and_then(Value::as_str)
                    .ok_or_else(|| InvalidField::new(&at, "is missing or not a string"))?;
                parse_one(body).map_err(|e| InvalidField::new(format!("{at}.{}", e.field), e.reason))
            })
            .collect();
    }
    parse_one(text).map(|event| vec![event])
}

fn parse_one(text: &str) -> Result<Event, InvalidField> {
    if let Ok(envelope) = serde_json::from_str::<Delivered>(text) {
        return from_parts(&envelope.source, &envelope.detail_type, envelope.detail.text())?.complete(None);
    }
    Event::from_json(text)
}
