//! The bus: `PutEvents`, ten entries and 256 KB a call, and the dead-letter queue for what can't be published.
//!
//! EventBridge doesn't know a repetition. With the ledger, the publisher writes down that it publishes before it does: a repetition is
//! recognised, and an event that was lost on the way is known to be missing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::failed;
use super::ledger::{Account, DynamoLedger};
use super::letters::{DynamoLetters, Kept, letters};
use super::queues::{GivenUp, Queues};
use super::{Connection, Names};
use crate::event::{Draft, Event};
use crate::letter::Letter;
use crate::ports::{Bus, PublishError, Receipt, StoreError};
use crate::publisher::BATCH;
use crate::rule::Rules;
use crate::time::Timestamp;

/// The most bytes of one call, and so of one entry.
const MAX_BYTES: usize = 256 * 1_024;
/// What an entry with a time counts for it, bytes.
const TIME_BYTES: usize = 14;
/// Who gave up, where it is a publisher.
pub(super) const PUBLISHER: &str = "publisher";
/// Codes of entries that EventBridge refuses however often they come.
const REFUSED: [&str; 4] = [
    "InvalidArgument",
    "MalformedDetail",
    "NotAuthorizedForSourceException",
    "NotAuthorizedForDetailTypeException",
];

/// A deployment's bus.
#[derive(Clone, Debug)]
pub struct EventBridge {
    client: Client,
    queues: Queues,
    names: Names,
    own: Option<Own>,
}

/// What Cutover has beside the bus.
#[derive(Clone, Debug)]
struct Own {
    ledger: DynamoLedger,
    letters: DynamoLetters,
    rules: Rules,
    /// Whether what can't be written down is sent all the same.
    lenient: bool,
}

/// An event that is to be sent.
struct Entry {
    /// Its place in the caller's list.
    slot: usize,
    event: Event,
    detail: String,
    bytes: usize,
}

impl EventBridge {
    /// The bus alone; nothing is called yet.
    #[must_use]
    pub fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            queues: Queues::new(connection, names),
            names: names.clone(),
            own: None,
        }
    }

    /// The bus, with Cutover's ledger and its dead letters beside it.
    #[must_use]
    pub fn with_ledger(connection: &Connection, names: &Names, rules: Rules) -> Self {
        Self {
            own: Some(Own {
                ledger: DynamoLedger::of(connection, names),
                letters: letters(connection, names),
                rules,
                lenient: false,
            }),
            ..Self::new(connection, names)
        }
    }

    /// As [`with_ledger`](Self::with_ledger), for a service that goes on without the ledger while that is away: its consumers write down
    /// what they have seen.
    #[must_use]
    pub fn beside_ledger(connection: &Connection, names: &Names, rules: Rules) -> Self {
        let mut bus = Self::with_ledger(connection, names, rules);
        if let Some(own) = &mut bus.own {
            own.lenient = true;
        }
        bus
    }

    /// Writes down that an event is published; whether it was before.
    async fn announce(&self, event: &Event, at: Timestamp) -> Result<bool, PublishError> {
        let Some(Own { ledger, rules, .. }) = &self.own else {
            return Ok(false);
        };
        let (digest, expected) = (digest(event), rules.route(event)?);
        let known = ledger.read(&event.event_id).await.map_err(unavailable)?;
        if known.account.seen() {
            return if known.account.digest().is_none_or(|known| known == digest) {
                Ok(true)
            } else {
                Err(PublishError::Conflict {
                    event_id: event.event_id.clone(),
                })
            };
        }
        let see = |account: &Account| {
            let mut after = account.clone();
            after.see(&event.event_type, at, &expected);
            after.set_digest(digest.clone());
            (!account.seen()).then_some(after)
        };
        ledger.change(&event.event_id, see).await.map_err(unavailable)?;
        Ok(false)
    }

    /// Whether a repetition is still to be sent: nobody has begun with it, so that it may never have been.
    async fn unsent(&self, event: &Event) -> Result<bool, PublishError> {
        match &self.own {
            Some(own) => Ok(!own.ledger.read(&event.event_id).await.map_err(unavailable)?.account.begun()),
            None => Ok(true),
        }
    }

    /// Takes back what was written down of an event that is not on the bus. If it is there after all, its consumers will say so.
    async fn retract(&self, ledger: &DynamoLedger, body: &str) -> Result<(), StoreError> {
        let Ok(event) = Event::from_json(body) else { return Ok(()) };
        let digest = digest(&event);
        let take_back = |account: &Account| {
            let ours = account.seen() && account.digest() == Some(&digest) && !account.begun();
            ours.then(|| {
                let mut after = account.clone();
                after.retract();
                after
            })
        };
        ledger.change(&event.event_id, take_back).await.map(drop)
    }

    /// One call, and what it says of each entry.
    async fn send(&self, entries: &[Entry], at: Option<Timestamp>) -> Vec<Result<(), PublishError>> {
        let requests = entries.iter().map(|entry| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.names.event_bus)
                .source(&entry.event.source)
                .detail_type(&entry.event.event_type)
                .detail(&entry.detail)
                .set_time(at.map(|at| DateTime::from_millis(at.0)))
                .build()
        });
        let sent = self.client.put_events().set_entries(Some(requests.collect())).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                let error = failed("the bus", "PutEvents", &error).to_string();
                return entries.iter().map(|_| Err(PublishError::Unavailable(error.clone()))).collect();
            }
        };
        let mut outcomes = answer.entries().iter().map(|entry| match entry.error_code() {
            None => Ok(()),
            Some(code) if REFUSED.contains(&code) => {
                let reason = format!("{code}: {}", entry.error_message().unwrap_or_default());
                Err(PublishError::Invalid(crate::event::InvalidField::new("event", reason)))
            }
            Some(code) => Err(PublishError::Unavailable(format!(
                "{code}: {}",
                entry.error_message().unwrap_or_default()
            ))),
        });
        let missing = || Err(PublishError::Unavailable("EventBridge said nothing of the entry".to_owned()));
        entries.iter().map(|_| outcomes.next().unwrap_or_else(missing)).collect()
    }
}

fn unavailable(error: StoreError) -> PublishError {
    PublishError::Unavailable(error.to_string())
}

/// The letter of what could not be published, readable or not.
fn letter(body: String, error: &PublishError, attempts: u32) -> Kept {
    let draft = Draft::from_json(&body).unwrap_or_default();
    Kept {
        letter: Letter {
            event_id: draft.event_id.filter(|id| !id.is_empty()),
            event_type: draft.event_type,
            user_id: draft.user_id,
            error_code: error.code().to_owned(),
            error_message: error.to_string(),
            permanent: !error.is_transient(),
            attempts,
            ..Letter::open(Uuid::now_v7().to_string(), PUBLISHER, Timestamp::now())
        },
        body,
    }
}

/// Tells a repeated event from another one with its id.
fn digest(event: &Event) -> String {
    let hash = Sha256::digest(event.to_json().as_bytes());
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In calls of at most ten entries and 256 KB, in order.
fn calls(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut calls: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let fits = calls.last().is_some_and(|call| call.len() < BATCH) && bytes + entry.bytes <= MAX_BYTES;
        if !fits {
            calls.push(Vec::new());
            bytes = 0;
        }
        bytes += entry.bytes;
        if let Some(call) = calls.last_mut() {
            call.push(entry);
        }
    }
    calls
}

#[async_trait]
impl Bus for EventBridge {
    /// `published_at` is told to EventBridge as the events' time.
    async fn put(&self, events: Vec<Event>, published_at: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>> {
        let at = published_at.unwrap_or_else(Timestamp::now);
        let mut answers: BTreeMap<usize, Result<Receipt, PublishError>> = BTreeMap::new();
        let (count, mut entries) = (events.len(), Vec::new());
        // Once is enough to hear that the ledger is away.
        let (lenient, mut away) = (self.own.as_ref().is_some_and(|own| own.lenient), false);
        for (slot, event) in events.into_iter().enumerate() {
            let detail = event.detail_json();
            let bytes = event.source.len() + event.event_type.len() + detail.len() + published_at.map_or(0, |_| TIME_BYTES);
            if bytes > MAX_BYTES {
                answers.insert(
                    slot,
                    Err(PublishError::TooLarge {
                        size: bytes,
                        max: MAX_BYTES,
                    }),
                );
                continue;
            }
            // One after the other: a batch may hold a repetition of its own.
            let announced = if away { Ok(false) } else { self.announce(&event, at).await };
            let duplicate = match announced {
                Ok(duplicate) => duplicate,
                Err(PublishError::Unavailable(reason)) if lenient => {
                    tracing::warn!(reason, "events are published without the ledger");
                    away = true;
                    false
                }
                Err(error) => {
                    answers.insert(slot, Err(error));
                    continue;
                }
            };
            let receipt = Receipt {
                event_id: event.event_id.clone(),
                duplicate,
            };
            let again = entries.iter().any(|entry: &Entry| entry.event.event_id == event.event_id);
            let send = !duplicate || (!again && self.unsent(&event).await.unwrap_or(true));
            answers.insert(slot, Ok(receipt));
            if send {
                entries.push(Entry {
                    slot,
                    event,
                    detail,
                    bytes,
                });
            }
        }
        let calls = calls(entries);
        let sent = join_all(calls.iter().map(|call| self.send(call, published_at))).await;
        for (entry, outcome) in calls.iter().flatten().zip(sent.into_iter().flatten()) {
            if let Err(error) = outcome {
                answers.insert(entry.slot, Err(error));
            }
        }
        let missing = || Err(PublishError::Unavailable("it was not sent".to_owned()));
        (0..count).map(|slot| answers.remove(&slot).unwrap_or_else(missing)).collect()
    }

    async fn bury(&self, mut body: String, error: &PublishError, attempts: u32) -> Result<(), StoreError> {
        let queue = &self.names.dead_letter_queue;
        let message = error.to_string();
        if let Some(own) = &self.own {
            let kept = letter(body, error, attempts);
            match own.letters.keep(&kept).await {
                Ok(_) => {
                    // It is kept, whatever the ledger still awaits of it.
                    if let Err(error) = self.retract(&own.ledger, &kept.body).await {
                        error.log("the ledger awaits an event that could not be published");
                    }
                    return Ok(());
                }
                // From there it is taken over when the table is back.
                Err(error) => tracing::warn!(%error, "what could not be published goes to the dead-letter queue"),
            }
            body = kept.body;
        }
        let why = GivenUp {
            consumer: PUBLISHER,
            code: error.code(),
            message: &message,
            permanent: !error.is_transient(),
            attempts,
        };
        if self.queues.bury(queue, &body, &why).await? {
            return Ok(());
        }
        Err(StoreError::Unavailable {
            what: "the dead-letter queue",
            reason: format!("GetQueueUrl of {queue}: there is no such queue"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publisher::Publisher;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn calls_hold_all_entries_in_order_within_the_limits(sizes in prop::collection::vec(1_usize..=MAX_BYTES, 0..60)) {
            let text = r#"{"eventType":"t","source":"s","userId":"u","data":{}}"#;
            let event = Publisher::stamp(Draft::from_json(text).expect("a draft"), false).expect("an event");
            let entries = sizes.iter().enumerate().map(|(slot, bytes)| Entry { slot, event: event.clone(), detail: String::new(), bytes: *bytes });
            let calls = calls(entries.collect());
            let slots: Vec<usize> = calls.iter().flatten().map(|entry| entry.slot).collect();
            prop_assert_eq!(slots, (0..sizes.len()).collect::<Vec<_>>());
            for call in &calls {
                prop_assert!(!call.is_empty() && call.len() <= BATCH);
                prop_assert!(call.iter().map(|entry| entry.bytes).sum::<usize>() <= MAX_BYTES);
            }
        }
    }
}
