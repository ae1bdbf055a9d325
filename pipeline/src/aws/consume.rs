//! A consumer as a Lambda function: what it is handed, what it does with it, and what it answers.
//!
//! What a consumer asked for, the mark that it has completed the event, and the ledger's totals are one transaction: a second
//! delivery finds the mark and changes nothing. A fault fails the invocation, or, of a batch from SQS, the message, so that it is
//! tried again; what can't be helped, or has been tried often enough, becomes a dead letter with its reason ([`give_up`]). Nothing is caught and reported as a success.

mod effects;
mod give_up;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::Client;
use futures::future::join_all;

use super::again::{TRIES, overtaken, wait};
use super::analytics::DynamoAnalytics;
use super::bus::EventBridge;
use super::ledger::{Account, DynamoLedger, Known, NotMade};
use super::letters::letters;
use super::measured::Measured;
use super::parity::DynamoParity;
use super::queues::Queues;
use super::record::is_key;
use super::{Connection, Names};
use crate::consumer::ConsumerFault;
use crate::consumers::{Consumer, ConsumerError, Effect};
use crate::courier::Channel;
use crate::event::Event;
use crate::event::envelope;
use crate::ledger::Attempt;
use crate::retry::RetryPolicy;
use crate::rule::Rules;
use crate::time::Timestamp;
use crate::trigger::TriggerMaps;
use effects::{Effects, Prepared};
use give_up::GiveUp;

/// What of a message's attributes counts.
const SENT: &str = "SentTimestamp";
const RECEIVED: &str = "ApproximateReceiveCount";

/// A message as one delivery. Its time is when EventBridge sent it to the queue: the envelope's own may be the publisher's.
fn delivery(message: &SqsMessage) -> Handed<'_> {
    let text = body(message);
    let number = |name: &str| message.attributes.get(name).and_then(|value| value.parse::<i64>().ok());
    Handed {
        text,
        published_at: number(SENT).map(Timestamp).or_else(|| published_at(text)),
        // This time included.
        attempt: number(RECEIVED).and_then(|count| u32::try_from(count).ok()),
    }
}

fn body(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}

fn id(message: &SqsMessage) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

/// How often a run writes down among the last errors what went wrong: each is an item's worth of writing.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// One delivery, however it came.
#[derive(Clone, Copy)]
struct Handed<'a> {
    text: &'a str,
    published_at: Option<Timestamp>,
    /// Which attempt this is, if the queue counts them.
    attempt: Option<u32>,
}

/// A consumer and what applies its effects.
pub struct Function {
    consumer: Arc<dyn Consumer>,
    rules: Rules,
    ledger: DynamoLedger,
    effects: Effects,
    give_up: GiveUp,
    queues: Queues,
    retry: RetryPolicy,
    /// When it last wrote down what went wrong beside the ledger.
    told: Mutex<Option<Instant>>,
}

impl Function {
    /// A consumer in a deployment, with where notifications go; nothing is called yet.
    #[must_use]
    pub fn new(consumer: Arc<dyn Consumer>, channel: Arc<dyn Channel>, connection: &Connection, names: &Names) -> Self {
        let client = Client::new(&connection.sdk);
        let ledger = DynamoLedger::of(connection, names);
        Self {
            rules: Rules::default(),
            effects: Effects::new(
                client.clone(),
                names,
                DynamoAnalytics::new(client.clone(), names),
                DynamoParity::new(client, names, &TriggerMaps::default()),
                // What follows from an event is in the ledger before the event is completed.
                EventBridge::with_ledger(connection, names, Rules::default()),
                channel,
            ),
            give_up: GiveUp {
                letters: letters(connection, names),
                ledger: ledger.clone(),
                consumer: consumer.name().to_owned(),
            },
            ledger,
            queues: Queues::new(connection, names),
            consumer,
            retry: RetryPolicy::default(),
            told: Mutex::default(),
        }
    }

    /// Handles an event as EventBridge delivers it, or a batch of them from SQS, and says what it measured.
    ///
    /// # Errors
    /// The event can't be read, or the consumer can't handle it, or its effects can't be applied. Of a batch no error: the
    /// answer names the messages that are to be tried again.
    pub async fn handle(&self, payload: &str) -> (Result<SqsBatchResponse, ConsumerError>, Measured) {
        let mut measured = Measured::default();
        let Ok(batch) = serde_json::from_str::<SqsEvent>(payload) else {
            let handed = Handed {
                text: payload,
                published_at: published_at(payload),
                attempt: None,
            };
            let outcome = self.consume(handed, None).await;
            measured.count(outcome.is_ok(), handed.published_at, Timestamp::now());
            return (outcome.map(|()| SqsBatchResponse::default()), measured);
        };
        let outcomes = batch.records.iter().map(async |record| {
            let handed = delivery(record);
            let attempt = handed.attempt.unwrap_or(1);
            let delay = self.retry.delay(attempt, rand::random());
            let outcome = self.consume(handed, delay).await;
            let (done_at, completed) = (Timestamp::now(), outcome.is_ok());
            let again = match outcome {
                Ok(()) => false,
                Err(error) => self.failed(record, attempt, delay, &error).await,
            };
            (record, handed.published_at, done_at, completed, again)
        });
        let mut answer = SqsBatchResponse::default();
        for (record, published_at, done_at, completed, again) in join_all(outcomes).await {
            measured.count(completed, published_at, done_at);
            if again {
                answer.add_failure(id(record));
            }
        }
        (Ok(answer), measured)
    }

    /// Sees to a message that failed; whether it is to be tried again.
    async fn failed(&self, record: &SqsMessage, attempt: u32, delay: Option<u64>, error: &ConsumerError) -> bool {
        if let (false, Some(delay)) = (error.permanent, delay) {
            tracing::warn!(id = id(record), attempt, %error, "a message is to be tried again");
            self.postpone(record, delay).await;
            return true;
        }
        let buried = async {
            match envelope::parse(body(record)).as_deref() {
                Ok([event]) if is_key(&event.event_id) => self.give_up.bury(event, attempt, error).await,
                _ => self.give_up.keep(id(record), body(record), attempt, error).await,
            }
        };
        match buried.await {
            Ok(()) => {
                tracing::error!(id = id(record), attempt, %error, "a message was given up: it is a dead letter");
                false
            }
            Err(fault) => {
                tracing::error!(id = id(record), %error, %fault, "a message can't be given up; it is tried again");
                true
            }
        }
    }

    /// Has a message come again after `delay` milliseconds, instead of after its queue's visibility timeout. It comes again in any
    /// case.
    async fn postpone(&self, record: &SqsMessage, delay: u64) {
        let Some(queue) = record
            .event_source_arn
            .as_deref()
            .and_then(|arn| arn.rsplit(':').next())
            .filter(|name| !name.is_empty())
        else {
            return;
        };
        let seconds = i32::try_from(delay.div_ceil(1_000)).unwrap_or(i32::MAX);
        if let Err(error) = self
            .queues
            .postpone(queue, record.receipt_handle.as_deref().unwrap_or_default(), seconds)
            .await
        {
            tracing::warn!(%error, "a message waits for its queue's visibility timeout");
        }
    }

    async fn consume(&self, handed: Handed<'_>, delay: Option<u64>) -> Result<(), ConsumerError> {
        let events = envelope::parse(handed.text).map_err(|fault| ConsumerError::permanent("InvalidEvent", fault.to_string()))?;
        for event in &events {
            let began = Timestamp::now();
            let done = self.complete(event, handed, began).await;
            let Err(error) = done else { continue };
            // Said in the ledger too, as far as it can be.
            let next = delay.filter(|_| !error.permanent).and_then(|delay| i64::try_from(delay).ok());
            let note = self.note_attempt(event, handed, began, &error, next).await;
            if let Err(fault) = note {
                tracing::warn!(event_id = event.event_id, %fault, "an attempt can't be noted");
            }
            return Err(error);
        }
        Ok(())
    }

    async fn complete(&self, event: &Event, handed: Handed<'_>, began: Timestamp) -> Result<(), ConsumerError> {
        if !is_key(&event.event_id) {
            return Err(ConsumerError::permanent(
                "InvalidEvent",
                format!("eventId: is {} bytes long; 1 to 2048 are needed", event.event_id.len()),
            ));
        }
        let name = self.consumer.name();
        let expected = self.rules.route(event)?;
        let (mut asked, mut close): (Option<Vec<Effect>>, _) = (None, true);
        for attempt in 0..TRIES {
            let before = self.ledger.read(&event.event_id).await?;
            if before.account.done(name) {
                tracing::info!(event_id = event.event_id, consumer = name, "was completed before");
                return Ok(());
            }
            let effects = match &mut asked {
                Some(effects) => effects,
                None => asked.insert(self.effects.ahead(event, self.consumer.handle(event).await?).await?),
            };
            let mut after = before.account.clone();
            after.see(&event.event_type, handed.published_at.unwrap_or(began), &expected);
            after.attempt(name, attempt_of(&before.account, name, began, None), None);
            let Prepared { mut items, of } = self.effects.prepare(event, effects, began).await?;
            // What was a dead letter has been redriven.
            if let Some(letter) = before.account.letter(name).filter(|_| close) {
                items.push(self.give_up.letters.close(letter)?);
            }
            match self.write(event, effects, (&before, &after), items).await {
                Ok(true) => {
                    tracing::info!(
                        event_id = event.event_id,
                        event_type = event.event_type,
                        consumer = name,
                        "completed"
                    );
                    return Ok(());
                }
                Ok(false) => wait(attempt).await,
                // Done already, as the event that is in the store; gone, as the transaction; or somebody else was faster.
                Err(NotMade::Refused(item)) => match of.get(item).copied() {
                    Some(n) if !matches!(effects[n], Effect::MarkAnalytics { .. }) => _ = effects.remove(n),
                    Some(_) => wait(attempt).await,
                    None => close = false,
                },
                Err(NotMade::Failed(error)) => return Err(error.into()),
            }
        }
        Err(overtaken("the ledger").into())
    }

    /// Writes what is asked for, and the accounts of the event and of its cause.
    async fn write(
        &self,
        event: &Event,
        effects: &[Effect],
        (before, after): (&Known, &Account),
        items: Vec<aws_sdk_dynamodb::types::TransactWriteItem>,
    ) -> Result<bool, NotMade> {
        let own = (event.event_id.as_str(), before, after);
        let cause = event
            .causation_id
            .as_deref()
            .filter(|cause| is_key(cause) && *cause != event.event_id);
        let Some(cause) = cause.filter(|_| effects.contains(&Effect::Store)) else {
            return self.ledger.write(&[own], items).await;
        };
        // An effect whose cause was never seen is a gap until it comes.
        let known = self.ledger.read(cause).await?;
        if known.account.seen() {
            return self.ledger.write(&[own], items).await;
        }
        let mut wanted = known.account.clone();
        wanted.want();
        self.ledger.write(&[own, (cause, &known, &wanted)], items).await
    }

    /// Whether what goes wrong now is written down among the last errors: an outage fails everything at once, and some of it says enough.
    fn tells(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let tells = told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if tells {
            *told = Some(Instant::now());
        }
        tells
    }

    async fn note_attempt(
        &self,
        event: &Event,
        handed: Handed<'_>,
        began: Timestamp,
        error: &ConsumerError,
        next: Option<i64>,
    ) -> Result<(), ConsumerError> {
        if !is_key(&event.event_id) {
            return Ok(());
        }
        let (name, expected) = (self.consumer.name(), self.rules.route(event)?);
        let note = |account: &Account| {
            let mut after = account.clone();
            after.see(&event.event_type, handed.published_at.unwrap_or(began), &expected);
            let next_at = next.map(|next| Timestamp::now().plus(next));
            after.attempt(name, attempt_of(account, name, began, Some(error.to_string())), next_at);
            (!account.done(name)).then_some(after)
        };
        let Some(after) = self.ledger.change(&event.event_id, note).await? else {
            return Ok(());
        };
        if let Some(attempt) = after.attempts(name).last().filter(|_| self.tells()) {
            let fault = ConsumerFault {
                at: attempt.at,
                event_id: event.event_id.clone(),
                event_type: event.event_type.clone(),
                attempt: attempt.number,
                error: error.to_string(),
            };
            self.ledger.note_fault(name, &fault).await?;
        }
        Ok(())
    }
}

fn attempt_of(account: &Account, consumer: &str, began: Timestamp, error: Option<String>) -> Attempt {
    let now = Timestamp::now();
    Attempt {
        number: account.attempts(consumer).last().map_or(1, |last| last.number + 1),
        at: now,
        duration_us: u64::try_from(now.since(began) * 1_000).unwrap_or(0),
        error,
    }
}

/// When an event was published, as its envelope says, to the second.
fn published_at(text: &str) -> Option<Timestamp> {
    let envelope: envelope::Delivered = serde_json::from_str(text).ok()?;
    envelope.time?.parse().ok()
}
