//! Sending a letter back to where it was given up.

use std::sync::Arc;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::json;

use crate::aws::bus::{EventBridge, PUBLISHER};
use crate::aws::error::failed;
use crate::aws::letters::Kept;
use crate::aws::queues::Queues;
use crate::aws::{Connection, Names};
use crate::event::{Event, envelope};
use crate::letter::arrival::payload_of;
use crate::ports::{Bus, PublishError, StoreError};
use crate::rule::Rules;

/// The functions' name in errors.
const FUNCTIONS: &str = "Lambda";

/// Where a letter goes.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    lambda: aws_sdk_lambda::Client,
    queues: Queues,
    /// For what was never published.
    bus: Arc<EventBridge>,
    /// For what was, and is to be once more: it knows of no repetitions.
    again: Arc<EventBridge>,
    names: Names,
}

impl Sender {
    pub(super) fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            lambda: aws_sdk_lambda::Client::new(&connection.sdk),
            queues: Queues::new(connection, names),
            bus: Arc::new(EventBridge::with_ledger(connection, names, Rules::default())),
            again: Arc::new(EventBridge::new(connection, names)),
            names: names.clone(),
        }
    }

    /// The event of a letter.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn event(kept: &Kept) -> Result<Event, String> {
        let payload = payload_of(&kept.body);
        match envelope::parse(&payload).map_err(|fault| fault.to_string())?.as_slice() {
            [event] => Ok(event.clone()),
            _ => Err("not exactly one event".to_owned()),
        }
    }

    /// Whether a letter goes to the bus: its event was never published, or nobody here has given up on it.
    pub(super) fn to_bus(&self, consumer: &str) -> bool {
        consumer == PUBLISHER || !self.names.consumers.iter().any(|c| c.name == consumer)
    }

    /// Whether anything waits for a consumer: what was sent to it may be among that.
    pub(super) async fn waits(&self, consumer: &str) -> Result<bool, StoreError> {
        Ok(self.queues.waiting().await?.get(consumer).is_some_and(|waiting| *waiting > 0))
    }

    /// How many dead letters wait in queues.
    pub(super) async fn letters_waiting(&self) -> Result<u64, StoreError> {
        self.queues.letters_waiting().await
    }

    /// Publishes the event of a letter that goes to the bus, whoever gave up on it.
    pub(super) async fn publish(&self, consumer: &str, event: Event) -> Result<(), PublishError> {
        event.validate(crate::time::Timestamp::now().0)?;
        let bus = if consumer == PUBLISHER { &self.bus } else { &self.again };
        let mut answers = bus.put(vec![event], None).await;
        answers.pop().map_or(Ok(()), |answer| answer.map(drop))
    }

    /// Sends an event to one consumer: to its queue, if it has one, else to its function, which answers before it has run. `false` if
    /// there is neither.
    pub(super) async fn send(&self, consumer: &str, body: &str, event: &Event) -> Result<bool, StoreError> {
        let Some(names) = self.names.consumers.iter().find(|c| c.name == consumer) else {
            return Ok(false);
        };
        let delivered = delivered(&payload_of(body), event);
        if self.queues.send(&names.queue, &delivered).await? {
            return Ok(true);
        }
        let invoked = self
            .lambda
            .invoke()
            .function_name(&names.function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(delivered))
            .send()
            .await;
        match invoked {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(false),
            Err(error) => Err(failed(FUNCTIONS, &format!("Invoke of {}", names.function), &error)),
        }
    }
}

/// As EventBridge delivers it: as it came, or put into an envelope again.
fn delivered(payload: &str, event: &Event) -> String {
    if serde_json::from_str::<envelope::Delivered>(payload).is_ok() {
        return payload.to_owned();
    }
    let detail: serde_json::Result<Box<serde_json::value::RawValue>> = serde_json::from_str(&event.detail_json());
    let envelope = json!({
        "version": "0",
        "id": event.event_id,
        "detail-type": event.event_type,
        "source": event.source,
        "time": crate::time::Timestamp::now(),
        "resources": [],
    });
    // The detail goes in as its text, so that no number is written anew.
    let head = envelope.to_string();
    let text = detail.map_or_else(|_| "{}".to_owned(), |detail| detail.get().to_owned());
    format!("{},\"detail\":{text}}}", head.trim_end_matches('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_kept_and_an_event_gets_one() {
        let text =
            r#"{"eventId":"e-1","eventType":"t","eventVersion":"1.0","timestamp":5,"source":"s","userId":"u","data":{"amount":1.50}}"#;
        let event = Event::from_json(text).expect("an event");
        let made = delivered(text, &event);
        assert!(made.contains(r#""amount":1.50"#), "{made}");
        assert_eq!(envelope::parse(&made).expect("an event"), std::slice::from_ref(&event));
        assert_eq!(delivered(&made, &event), made);
    }
}
