//! A consumer as a Lambda function: what it is handed, what it does with it, and what it answers.
//!
//! A fault fails the invocation, or, of a batch from SQS, the message, so that it is tried again and in the end becomes a dead
//! letter. Nothing is caught and reported as a success.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::attribute::{Item, item_of_json};
use super::error::failed;
use super::events::{EXTRA, KEYS};
use super::measured::Measured;
use super::record::text;
use super::{Connection, Names};
use crate::consumers::{Consumer, ConsumerError, Effect};
use crate::event::envelope;
use crate::event::item::StoreItem;
use crate::event::{Event, Json};
use crate::time::Timestamp;

/// The version of the items that are written.
const AUDIT_VERSION: &str = "2.0";
/// The longest key of an index, bytes.
const MAX_KEY: usize = 2_048;
/// The store's name in errors.
const STORE: &str = "the event store";

/// What SQS hands over.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    /// When EventBridge sent it to the queue, Unix milliseconds: the envelope's own time may be the publisher's.
    #[serde(default, rename = "SentTimestamp")]
    sent: Option<String>,
}

impl Record {
    fn published_at(&self) -> Option<Timestamp> {
        let sent = self.attributes.sent.as_ref().and_then(|sent| sent.parse().ok()).map(Timestamp);
        sent.or_else(|| published_at(&self.body))
    }
}

/// What Lambda is answered: for a batch, the messages that are to be tried again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// A consumer and what applies its effects.
pub struct Function {
    consumer: Arc<dyn Consumer>,
    effects: Effects,
}

impl Function {
    /// A consumer in a deployment; nothing is called yet.
    #[must_use]
    pub fn new(consumer: Arc<dyn Consumer>, connection: &Connection, names: &Names) -> Self {
        Self {
            consumer,
            effects: Effects {
                client: Client::new(&connection.sdk),
                table: names.event_store_table.clone(),
                facets_table: names.facets_table(),
                noted: Mutex::default(),
            },
        }
    }

    /// Handles an event as EventBridge delivers it, or a batch of them from SQS, and says what it measured.
    ///
    /// # Errors
    /// The event can't be read, or the consumer can't handle it, or its effects can't be applied. Of a batch no error: the
    /// [`Answer`] names the messages that failed.
    pub async fn handle(&self, payload: &str) -> (Result<Answer, ConsumerError>, Measured) {
        let mut measured = Measured::default();
        let Ok(batch) = serde_json::from_str::<Batch>(payload) else {
            let outcome = self.consume(payload).await;
            measured.count(outcome.is_ok(), published_at(payload), Timestamp::now());
            return (outcome.map(|()| Answer::default()), measured);
        };
        let outcomes = batch.records.iter().map(async |record| {
            let outcome = self.consume(&record.body).await;
            (record, outcome, Timestamp::now())
        });
        let mut answer = Answer::default();
        for (record, outcome, done_at) in join_all(outcomes).await {
            measured.count(outcome.is_ok(), record.published_at(), done_at);
            if let Err(error) = outcome {
                tracing::error!(id = record.message_id, %error, "a message is to be tried again");
                answer.batch_item_failures.push(Failure {
                    item_identifier: record.message_id.clone(),
                });
            }
        }
        (Ok(answer), measured)
    }

    async fn consume(&self, text: &str) -> Result<(), ConsumerError> {
        let events = envelope::parse(text).map_err(|fault| ConsumerError::permanent("InvalidEvent", fault.to_string()))?;
        for event in &events {
            for effect in self.consumer.handle(event).await? {
                self.effects.apply(event, effect).await?;
            }
            tracing::info!(
                event_id = event.event_id,
                event_type = event.event_type,
                consumer = self.consumer.name(),
                "completed"
            );
        }
        Ok(())
    }
}

/// When an event was published, as its envelope says, to the second.
fn published_at(text: &str) -> Option<Timestamp> {
    let envelope: envelope::Delivered = serde_json::from_str(text).ok()?;
    envelope.time?.parse().ok()
}

/// Applies what consumers ask for.
struct Effects {
    client: Client,
    table: String,
    facets_table: String,
    /// Types and sources that this instance has noted.
    noted: Mutex<HashSet<(&'static str, String)>>,
}

impl Effects {
    async fn apply(&self, event: &Event, effect: Effect) -> Result<(), ConsumerError> {
        match effect {
            Effect::Store => {
                // First what must not be lost. A delivery that fails after it is tried again, and changes nothing here.
                self.store(event).await?;
                for (kind, value) in [("type", &event.event_type), ("source", &event.source)] {
                    self.note(kind, value).await?;
                }
                Ok(())
            }
            other => Err(ConsumerError::permanent(
                "NotOffered",
                format!("the functions of this version don't do {other:?}"),
            )),
        }
    }

    /// Writes the event to the event store; what is there under its id and timestamp, as after a second delivery, stays as it is.
    async fn store(&self, event: &Event) -> Result<(), ConsumerError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(stored(event, Timestamp::now())?))
            .condition_expression("attribute_not_exists(eventId)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            // What DynamoDB won't have, however often it is asked.
            Err(error) if error.code() == Some("ValidationException") => Err(ConsumerError::permanent(
                "StoreRefused",
                format!("{}: {}", self.table, error.message().unwrap_or_default()),
            )),
            Err(error) => Err(failed(STORE, &format!("PutItem in {}", self.table), &error).into()),
        }
    }

    /// Notes a type or a source, so that it can be asked for; once for each instance of the function.
    async fn note(&self, kind: &'static str, value: &str) -> Result<(), ConsumerError> {
        let noted = || self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, value.to_owned());
        if noted().contains(&key) {
            return Ok(());
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.facets_table)
            .item("kind", text(kind))
            .item("value", text(value))
            .send()
            .await;
        match put {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => {
                tracing::warn!(
                    table = self.facets_table,
                    "there is no such table: types that the design doesn't name are not listed"
                );
            }
            Err(error) => return Err(failed(STORE, &format!("PutItem in {}", self.facets_table), &error).into()),
        }
        noted().insert(key);
        Ok(())
    }
}

/// The event as an item: the design's fields as attributes; what the design doesn't name, and what no index would take as a
/// key, together under one of its own.
fn stored(event: &Event, now: Timestamp) -> Result<Item, ConsumerError> {
    let refused = |what: String| ConsumerError::permanent("InvalidEvent", what);
    let json = |value: serde_json::Result<Json>| value.map_err(|e| refused(e.to_string()));
    let mut plain = event.clone();
    let mut extra: BTreeMap<String, Json> = plain.extra.drain(..).collect();
    let item = StoreItem {
        event: plain,
        notes: vec![
            ("auditTimestamp".to_owned(), json(Json::of(&now.0))?),
            ("auditVersion".to_owned(), json(Json::of(&AUDIT_VERSION))?),
        ],
    };
    let mut item = item_of_json(&item.to_json()).ok_or_else(|| refused("a field is there twice".to_owned()))?;
    for key in KEYS {
        let fits = |text: &String| !text.is_empty() && text.len() <= MAX_KEY;
        if let Some(AttributeValue::S(value)) = item.get(key).filter(|value| !value.as_s().is_ok_and(fits)) {
            extra.insert(key.to_owned(), json(Json::of(value))?);
            item.remove(key);
        }
    }
    if !extra.is_empty() {
        let extra = serde_json::to_string(&extra).map_err(|e| refused(e.to_string()))?;
        item.insert(EXTRA.to_owned(), text(extra));
    }
    Ok(item)
}
