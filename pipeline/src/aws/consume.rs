//! A consumer as a Lambda function: what it is handed, what it does with it, and what it answers.
//!
//! A fault fails the invocation, or, of a batch from SQS, the message, so that it is tried again and in the end becomes a dead
//! letter. Nothing is caught and reported as a success.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use super::attribute::item_of_json;
use super::error::failed;
use super::measured::Measured;
use super::{Connection, Names};
use crate::consumers::{Consumer, ConsumerError, Effect};
use crate::event::envelope;
use crate::event::item::StoreItem;
use crate::event::{Event, Json};
use crate::time::Timestamp;

/// The version of the items that are written.
const AUDIT_VERSION: &str = "2.0";
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
            measured.count(outcome.is_ok(), published_at(&record.body), done_at);
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

/// When the bus took an event, as its envelope says: to the second.
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
                for (kind, value) in [("type", &event.event_type), ("source", &event.source)] {
                    self.note(kind, value).await?;
                }
                self.store(event).await
            }
            other => Err(ConsumerError::permanent(
                "NotOffered",
                format!("the functions of this version don't do {other:?}"),
            )),
        }
    }

    /// Writes the event to the event store; if it is there, as after a second delivery, it stays as it is.
    async fn store(&self, event: &Event) -> Result<(), ConsumerError> {
        let note = |value: &str| Json::of(&value).map_err(|e| ConsumerError::permanent("InvalidEvent", e.to_string()));
        let now = Json::of(&Timestamp::now().0).map_err(|e| ConsumerError::permanent("InvalidEvent", e.to_string()))?;
        let item = StoreItem {
            event: event.clone(),
            notes: vec![
                ("auditTimestamp".to_owned(), now),
                ("auditVersion".to_owned(), note(AUDIT_VERSION)?),
            ],
        };
        let mut item =
            item_of_json(&item.to_json()).ok_or_else(|| ConsumerError::permanent("InvalidEvent", "a field is there twice".to_owned()))?;
        // What an index is partitioned by must be text, or not be there.
        item.retain(|name, value| name != "correlationId" || value.is_s());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(eventId)")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
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
            .item("kind", AttributeValue::S(kind.to_owned()))
            .item("value", AttributeValue::S(value.to_owned()))
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
