//! Events to send.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// An id that nothing else has.
#[must_use]
pub fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Now, Unix milliseconds.
///
/// # Panics
/// The clock stands before 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292 million")
}

/// A transaction that a user edited: for analytics and audit.
#[must_use]
pub fn updated() -> Value {
    of(
        "transaction.updated",
        "transaction.service",
        &json!({ "transactionId": "t-1", "accountId": "a-1", "changes": [] }),
    )
}

/// An account that a user closed: for analytics, notification and audit.
#[must_use]
pub fn account_deleted() -> Value {
    of(
        "account.deleted",
        "account.service",
        &json!({ "accountId": "a-1", "transactionCount": 3 }),
    )
}

/// An event of this type and source.
#[must_use]
pub fn of(event_type: &str, source: &str, data: &Value) -> Value {
    json!({
        "eventId": id(), "eventType": event_type, "eventVersion": "1.0", "timestamp": now(), "source": source, "userId": "user-1", "data": data,
    })
}

/// An entry of a `PutEvents` call with this event.
///
/// # Panics
/// `event` is not an object.
#[must_use]
pub fn entry(event: &Value) -> Value {
    let mut detail = event.as_object().expect("an event").clone();
    let (source, event_type) = (detail.remove("source"), detail.remove("eventType"));
    json!({ "Source": source, "DetailType": event_type, "Detail": Value::Object(detail).to_string(), "EventBusName": "default" })
}

/// A `PutEvents` entry that passes the bus and that categorization can do nothing with: it says that there are
/// transactions and doesn't name them.
#[must_use]
pub fn poison_entry() -> (String, Value) {
    let event = of(
        "file.processed",
        "transaction.service",
        &json!({ "fileId": "f-1", "transactionCount": 2, "processingStatus": "success" }),
    );
    (event["eventId"].as_str().unwrap_or_default().to_owned(), entry(&event))
}
