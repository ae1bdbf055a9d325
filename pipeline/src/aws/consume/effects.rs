//! What a consumer asked for, as items of a transaction.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::aws::Names;
use crate::aws::analytics::DynamoAnalytics;
use crate::aws::attribute::{Item, item_of_json};
use crate::aws::bus::EventBridge;
use crate::aws::error::failed;
use crate::aws::events::{EXTRA, KEYS};
use crate::aws::parity::{Asked, DynamoParity};
use crate::aws::record::{number, text};
use crate::aws::transaction;
use crate::consumers::{ConsumerError, Effect};
use crate::courier::Channel;
use crate::event::item::StoreItem;
use crate::event::{Event, Json};
use crate::notification::Notification;
use crate::ports::{Bus, PublishError, StoreError};
use crate::time::Timestamp;
use crate::trigger::Path;

/// The version of the items that are written.
const AUDIT_VERSION: &str = "2.0";
/// The longest key of an index, bytes.
const MAX_KEY: usize = 2_048;
/// The store's name in errors.
const STORE: &str = "the event store";
/// The most effects of one transaction, which holds 100 items, the accounts and the totals among them.
const TOGETHER: usize = 80;

/// How many effects are applied at once, each by itself.
const AT_ONCE: usize = 16;

fn is_published(effect: &Effect) -> bool {
    matches!(effect, Effect::Publish(_))
}

/// Applies what consumers ask for.
pub(super) struct Effects {
    client: Client,
    names: Names,
    analytics: DynamoAnalytics,
    parity: DynamoParity,
    bus: EventBridge,
    channel: Arc<dyn Channel>,
    /// Types and sources that this instance has noted.
    noted: Mutex<HashSet<(&'static str, String)>>,
}

/// What belongs into the transaction.
pub(super) struct Prepared {
    pub(super) items: Vec<TransactWriteItem>,
    /// For each item, which effect it is of.
    pub(super) of: Vec<usize>,
}

impl Effects {
    pub(super) fn new(
        client: Client,
        names: &Names,
        analytics: DynamoAnalytics,
        parity: DynamoParity,
        bus: EventBridge,
        channel: Arc<dyn Channel>,
    ) -> Self {
        Self {
            client,
            names: names.clone(),
            analytics,
            parity,
            bus,
            channel,
            noted: Mutex::default(),
        }
    }

    /// Does what can't be in the transaction, and what is too much for it, at least once, before it: events are published, notifications
    /// sent, types and sources noted. Answers with what is left.
    pub(super) async fn ahead(&self, event: &Event, mut effects: Vec<Effect>) -> Result<Vec<Effect>, ConsumerError> {
        let (mut publish, mut rest) = (Vec::new(), Vec::new());
        while effects.iter().filter(|effect| !is_published(effect)).count() > TOGETHER {
            let mut some: Vec<Effect> = effects.drain(..TOGETHER).collect();
            let theirs = effects.iter().take_while(|effect| is_published(effect)).count();
            some.extend(effects.drain(..theirs));
            self.part(event, some).await?;
        }
        if effects.contains(&Effect::Store) {
            // What is stored can be asked for.
            for (kind, value) in [("type", &event.event_type), ("source", &event.source)] {
                self.note(kind, value).await?;
            }
        }
        for effect in effects {
            match effect {
                Effect::Publish(event) => publish.push(*event),
                Effect::Notify { user_id, text } => {
                    let notification = Notification {
                        id: 0,
                        event_id: event.event_id.clone(),
                        user_id: user_id.clone(),
                        text: text.clone(),
                        at: Timestamp::now(),
                        attempts: 0,
                    };
                    self.channel.send(&notification).await.map_err(|error| ConsumerError {
                        permanent: error.permanent,
                        code: "NotSent".to_owned(),
                        message: error.reason,
                    })?;
                    rest.push(Effect::Notify { user_id, text });
                }
                other => rest.push(other),
            }
        }
        self.publish(publish).await?;
        Ok(rest)
    }

    /// A part of more than a transaction holds. What says of an effect that it is done is published before it is done: a run that comes
    /// after one that broke off finds nothing more to do where it is done, and would not say it.
    async fn part(&self, event: &Event, effects: Vec<Effect>) -> Result<(), ConsumerError> {
        let (mut publish, mut rest) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Publish(event) => publish.push(*event),
                other => rest.push(other),
            }
        }
        self.publish(publish).await?;
        // Giving a transaction its category twice is giving it once.
        let alone = rest.iter().map(|effect| self.alone(event, effect));
        stream::iter(alone).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn publish(&self, events: Vec<Event>) -> Result<(), ConsumerError> {
        for answer in self.bus.put(events, None).await {
            answer.map_err(|error| match error {
                PublishError::Unavailable(reason) => ConsumerError::transient("BusUnavailable", reason),
                refused => ConsumerError::permanent("EffectRefused", refused.to_string()),
            })?;
        }
        Ok(())
    }

    /// One effect by itself; one that finds nothing to change is none.
    async fn alone(&self, event: &Event, effect: &Effect) -> Result<(), ConsumerError> {
        let Prepared { items, .. } = self.prepare(event, std::slice::from_ref(effect), Timestamp::now()).await?;
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => Ok(()),
            Err(error) => Err(failed("the application's tables", "TransactWriteItems", &error).into()),
        }
    }

    /// The items of effects, none of them done yet.
    pub(super) async fn prepare(&self, event: &Event, effects: &[Effect], at: Timestamp) -> Result<Prepared, ConsumerError> {
        let (mut items, mut of) = (Vec::new(), Vec::new());
        for (n, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Store => items.push(transaction::put(
                    STORE,
                    Put::builder()
                        .table_name(&self.names.event_store_table)
                        .set_item(Some(stored(event, at)?))
                        .condition_expression("attribute_not_exists(eventId)"),
                )?),
                Effect::MarkAnalytics { user_id, trigger } => {
                    items.extend(self.analytics.mark(user_id, *trigger, at).await?);
                    items.push(self.parity.record(&Asked {
                        operation_id: &event.event_id,
                        event_type: &event.event_type,
                        user_id,
                        path: Path::Event,
                        trigger: *trigger,
                        at,
                        both: true,
                    })?);
                }
                Effect::SetCategory {
                    transaction_id,
                    category_id,
                } => {
                    let update = Update::builder()
                        .table_name(self.names.transactions_table())
                        .key("userId", text(&event.user_id))
                        .key("transactionId", text(transaction_id))
                        .update_expression("SET categoryId = :category")
                        .condition_expression("attribute_exists(transactionId)")
                        .expression_attribute_values(":category", text(category_id));
                    items.push(transaction::update(STORE, update)?);
                }
                Effect::Notify { user_id, text: said } => items.push(transaction::put(
                    STORE,
                    Put::builder()
                        .table_name(self.names.notifications_table())
                        .item("eventId", text(&event.event_id))
                        .item("userId", text(user_id))
                        .item("text", text(said))
                        .item("sentAt", number(at.0)),
                )?),
                // Done ahead.
                Effect::Publish(_) => {}
            }
            of.resize(items.len(), n);
        }
        Ok(Prepared { items, of })
    }

    /// Notes a type or a source, so that it can be asked for; once for each instance of the function.
    async fn note(&self, kind: &'static str, value: &str) -> Result<(), StoreError> {
        let noted = || self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, value.to_owned());
        if noted().contains(&key) || value.is_empty() || value.len() > 1_024 {
            return Ok(());
        }
        let table = self.names.facets_table();
        let put = self
            .client
            .put_item()
            .table_name(&table)
            .item("kind", text(kind))
            .item("value", text(value))
            .send()
            .await;
        put.map_err(|e| failed(STORE, &format!("PutItem in {table}"), &e))?;
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
