//! Traffic as it was seen in production, in the shapes it travels in. Copied here so that the repository stands alone.

use serde_json::Value;

/// Entries of `PutEvents` calls, one a line.
pub const PUT_EVENTS: &str = include_str!("../data/put_events.ndjson");
/// The same events as EventBridge delivers them to a target, one a line.
pub const DELIVERED_EVENTS: &str = include_str!("../data/delivered_events.ndjson");

/// Items of the event store, as the design's audit consumer writes them, one a line.
pub const EVENT_STORE_ITEMS: &str = include_str!("../data/event_store_items.ndjson");
/// Messages of a dead-letter queue, one a line: `shape` is what each is, `body` and `attributes` are what SQS gives.
pub const DLQ_MESSAGES: &str = include_str!("../data/dlq_messages.ndjson");

/// An event of [`PUT_EVENTS`], all fields at the top level.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `eventId`.
    pub id: String,
    /// `eventType`.
    pub event_type: String,
    /// `source`.
    pub source: String,
    /// Every field.
    pub body: Value,
}

impl Sent {
    /// The consumers that the design's rules send it to, in order of name.
    #[must_use]
    pub fn consumers(&self) -> Vec<&'static str> {
        crate::rules::consumers(&self.body)
    }
}

/// Every event of [`PUT_EVENTS`], in order.
///
/// # Panics
/// A line is not an entry.
#[must_use]
pub fn sent() -> Vec<Sent> {
    PUT_EVENTS
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).expect("a line of JSON");
            let text = |key: &str| entry[key].as_str().expect(key).to_owned();
            let mut body: Value = serde_json::from_str(&text("Detail")).expect("a detail of JSON");
            body["eventType"] = text("DetailType").into();
            body["source"] = text("Source").into();
            Sent {
                id: body["eventId"].as_str().expect("an id").to_owned(),
                event_type: text("DetailType"),
                source: text("Source"),
                body,
            }
        })
        .collect()
}
