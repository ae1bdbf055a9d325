//! Taking dead letters over from their queues.
//!
//! SQS has no way to look at a message where it is: each receive counts, and after some the queue moves it on. So a message is
//! received once, kept as a letter, and only then deleted. A crash in between leaves it in the queue, and it is kept again,
//! under the same id; so do two instances at once.

mod owners;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use futures::future::join_all;
use rand::RngExt;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::again::{TRIES, overtaken, wait};
use super::arn::name_of;
use super::error::failed;
use super::ledger::{Account, DynamoLedger, Known, NotMade};
use super::letters::{DynamoLetters, Kept, letters};
use super::queues::Queues;
use super::recent::Recent;
use super::{Connection, Names};
use crate::letter::arrival::{Arrival, Shape};
use crate::letter::{Letter, LetterStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;
use owners::Owners;

/// The queues' name in errors.
const QUEUES: &str = "the dead-letter queue";
/// How long a call waits for a message, seconds: less than a call may take, and than an end of the process waits.
const WAIT: i32 = 2;
/// How often one asks again for a queue, or a table, that isn't there.
const ABSENT: Duration = Duration::from_secs(30);
/// The most messages of one receive.
const BATCH: usize = 10;
/// The most that is received at once while a queue has more.
const HANDS: usize = 8;
/// How old it may be that there is a table.
const TABLE_FOR: Duration = Duration::from_secs(10);
/// The longest code and message of an error that are kept beside the body, characters: a stack trace is in the body as well.
const MAX_CODE: usize = 256;
const MAX_MESSAGE: usize = 4_000;
/// The longest body that an item of a table has room for, bytes; SQS takes more, if it is allowed to.
const MAX_BODY: usize = 380 * 1_024;
/// The consumer of a letter that doesn't say whose it is.
const UNKNOWN: &str = "unknown";
/// The longest pause after a failure.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Takes letters over.
#[derive(Clone)]
pub struct Takeover {
    client: Client,
    letters: DynamoLetters,
    ledger: DynamoLedger,
    names: Names,
    queues: Queues,
    owners: Arc<Owners>,
    /// Whether there is a table to keep them in.
    table: Arc<Recent<bool>>,
}

/// A letter as it came, and in which shape.
struct Taken {
    kept: Kept,
    shape: Shape,
}

/// What one look at a queue brought.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// So many messages.
    Taken(usize),
    /// There is no such queue, or no table to keep letters in.
    Absent,
}

impl Takeover {
    /// In a deployment; nothing is called yet.
    #[must_use]
    pub fn new(connection: &Connection, names: &Names) -> Self {
        let ledger = DynamoLedger::of(connection, names);
        Self {
            client: Client::new(&connection.sdk),
            letters: letters(connection, names),
            owners: Arc::new(Owners::new(connection, names, ledger.clone())),
            ledger,
            names: names.clone(),
            queues: Queues::new(connection, names),
            table: Arc::new(Recent::new(TABLE_FOR)),
        }
    }

    /// Runs until `stop`, on each of the deployment's queues.
    pub async fn run(self, stop: CancellationToken) {
        let queues = self.names.dead_letter_queues();
        let all = queues.into_iter().map(|(queue, consumer)| self.follow(queue, consumer, &stop));
        join_all(all).await;
    }

    async fn follow(&self, queue: String, consumer: Option<String>, stop: &CancellationToken) {
        let (mut failures, mut hands) = (0_u32, 1);
        loop {
            // What has been received is kept and deleted before the end is listened for again.
            if stop.is_cancelled() {
                return;
            }
            let pause = match self.look(&queue, consumer.as_deref(), hands).await {
                Ok(Look::Taken(count)) => {
                    failures = 0;
                    hands = if count > hands * BATCH / 2 { (hands * 2).min(HANDS) } else { 1 };
                    if count > 0 {
                        tracing::info!(queue, count, "dead letters were taken over");
                    }
                    continue;
                }
                Ok(Look::Absent) => ABSENT,
                Err(error) => {
                    error.log("dead letters can't be taken over; they stay in their queue");
                    (failures, hands) = (failures + 1, 1);
                    let longest = MAX_PAUSE.min(Duration::from_millis(500) * 2_u32.saturating_pow(failures.min(8)));
                    longest.mul_f64(rand::rng().random_range(0.5..1.0))
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes over what comes into so many hands at once.
    async fn look(&self, queue: &str, consumer: Option<&str>, hands: usize) -> Result<Look, StoreError> {
        let Some(url) = self.queues.url(queue).await? else {
            return Ok(Look::Absent);
        };
        // Nothing is received that can't be kept: it would count against the queue's redrive policy.
        if !*self.table.get(|| self.letters.exists()).await? {
            tracing::warn!("there is no table for dead letters: they stay in their queues. cutover aws init makes it");
            return Ok(Look::Absent);
        }
        let taken = join_all((0..hands).map(|_| self.take(&url, queue, consumer))).await;
        let taken: Vec<usize> = taken.into_iter().collect::<Result<_, _>>()?;
        Ok(Look::Taken(taken.into_iter().sum()))
    }

    /// Receives a handful, keeps it, and deletes what is kept.
    async fn take(&self, url: &str, queue: &str, consumer: Option<&str>) -> Result<usize, StoreError> {
        let received = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .wait_time_seconds(WAIT)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|e| failed(QUEUES, &format!("ReceiveMessage from {queue}"), &e))?;
        let (messages, left): (Vec<&Message>, Vec<&Message>) = received
            .messages()
            .iter()
            .partition(|message| message.body().is_none_or(|body| body.len() <= MAX_BODY));
        for message in left {
            let (id, bytes) = (message.message_id(), message.body().map(str::len));
            tracing::error!(
                queue,
                id,
                bytes,
                "a dead letter stays in its queue: it is larger than the table takes"
            );
        }
        if messages.is_empty() {
            return Ok(0);
        }
        let letters: Vec<Taken> = messages.iter().map(|message| self.letter(queue, consumer, message)).collect();
        let ids: BTreeSet<&str> = letters.iter().filter_map(|taken| taken.kept.letter.event_id.as_deref()).collect();
        let (any_redriving, accounts) = tokio::try_join!(self.letters.any_redriving(), async {
            match self.ledger.accounts(&ids).await {
                Err(StoreError::NotOffered { .. }) => Ok(HashMap::new()),
                other => other,
            }
        })?;
        let kept = join_all(letters.iter().map(|taken| self.keep(taken, queue, &accounts, any_redriving))).await;
        let done = messages.iter().zip(&kept).enumerate().filter(|(_, (_, kept))| kept.is_ok());
        let done = done.filter_map(|(n, (message, _))| {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .build();
            entry.ok()
        });
        let done: Vec<DeleteMessageBatchRequestEntry> = done.collect();
        if !done.is_empty() {
            let deleted = self
                .client
                .delete_message_batch()
                .queue_url(url)
                .set_entries(Some(done))
                .send()
                .await
                .map_err(|e| failed(QUEUES, &format!("DeleteMessageBatch in {queue}"), &e))?;
            for refused in deleted.failed() {
                // It comes again, is found to be kept, and is deleted then.
                tracing::warn!(queue, code = refused.code(), "a message that is kept could not be deleted");
            }
        }
        kept.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(messages.len())
    }

    /// Keeps a letter; of what was sent back and has returned, the letter that is there.
    async fn keep(&self, taken: &Taken, queue: &str, accounts: &HashMap<String, Known>, any_redriving: bool) -> Result<(), StoreError> {
        let kept = &taken.kept;
        let Some(event_id) = &kept.letter.event_id else {
            return self.letters.keep(kept).await.map(drop);
        };
        let mut known = accounts.get(event_id).cloned().unwrap_or_default();
        for attempt in 0..TRIES {
            let redriving = if any_redriving && (!known.account.seen() || kept.letter.consumer == UNKNOWN) {
                self.letters.redriving(event_id).await?
            } else {
                Vec::new()
            };
            let kept = self.owners.named(taken, queue, &known.account, &redriving).await;
            if self.kept_by(&kept, event_id, &known, redriving).await? {
                return Ok(());
            }
            wait(attempt).await;
            known = self.ledger.read(event_id).await?;
        }
        Err(overtaken("the ledger"))
    }

    /// As [`Self::keep`], by what the ledger is known to say of the event; `false` if it says something else by now.
    /// `redriving` are letters of the event that are, as far as they could be meant.
    async fn kept_by(&self, kept: &Kept, event_id: &str, before: &Known, redriving: Vec<Kept>) -> Result<bool, StoreError> {
        let (letter, account) = (&kept.letter, &before.account);
        let known = match account.letter(&letter.consumer) {
            Some(id) if id != letter.id => self.letters.kept(id).await?,
            _ => None,
        };
        let sent = match known {
            // Its consumer has written the letter itself, and the queue has moved the message on as well.
            Some(known) if known.letter.status == LetterStatus::Open => return Ok(true),
            Some(known) if known.letter.status == LetterStatus::Redriving => Some(known),
            // The ledger knows no letter of what it has not seen.
            // Nor is a letter its own return: it was kept, redriven, and its message not deleted.
            None if !account.seen() => redriving
                .into_iter()
                .find(|sent| sent.letter.consumer == letter.consumer && sent.letter.id != letter.id),
            _ => None,
        };
        if let Some(sent) = sent {
            self.note(account, event_id, &letter.consumer, &sent.letter.id).await?;
            let why = (letter.error_code.as_str(), letter.error_message.as_str(), letter.permanent);
            self.letters.failed_again(&sent, why, Some(&letter.id)).await?;
            return Ok(true);
        }
        // Nobody's letter is no delivery's.
        if !account.seen() || letter.consumer == UNKNOWN {
            self.letters.keep(kept).await?;
            return Ok(true);
        }
        // The letter with the ledger, or neither: its consumer may be writing a letter of its own at this moment.
        let mut after = account.clone();
        after.bury(&letter.consumer, &letter.id);
        let put = self.letters.put(kept, None)?;
        match self.ledger.write(&[(event_id, before, &after)], vec![put]).await {
            Ok(made) => Ok(made),
            // It is there already, or the message was known as the return of another letter.
            Err(NotMade::Refused(_)) => Ok(true),
            Err(NotMade::Failed(error)) => Err(error),
        }
    }

    /// Has the ledger know that a consumer gave up, and the letter of it. What the ledger has not seen is not its business.
    async fn note(&self, account: &Account, event_id: &str, consumer: &str, letter: &str) -> Result<(), StoreError> {
        if !account.seen() {
            return Ok(());
        }
        let bury = |account: &Account| {
            let mut after = account.clone();
            after.bury(consumer, letter);
            (account.seen() && after != *account).then_some(after)
        };
        match self.ledger.change(event_id, bury).await {
            Err(StoreError::NotOffered { .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    fn letter(&self, queue: &str, consumer: Option<&str>, message: &Message) -> Taken {
        let body = message.body().unwrap_or_default();
        let texts = |attributes: &HashMap<String, aws_sdk_sqs::types::MessageAttributeValue>| {
            let pairs = attributes
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.string_value()?.to_owned())));
            pairs.collect::<BTreeMap<_, _>>()
        };
        let attributes = message.message_attributes().map(texts).unwrap_or_default();
        let system = |name: MessageSystemAttributeName| {
            message
                .attributes()
                .and_then(|all| all.get(&name))
                .and_then(|n| n.parse::<i64>().ok())
        };
        let sent = system(MessageSystemAttributeName::SentTimestamp).map_or_else(Timestamp::now, Timestamp);
        let arrival = Arrival::read(body, &attributes);
        let event = arrival.event.as_ref();
        let named = arrival.function.as_deref().map(|function| self.names.consumer_of(function));
        let consumer = arrival
            .consumer
            .clone()
            .or(named)
            .or_else(|| consumer.map(ToOwned::to_owned))
            .or_else(|| self.fed_by(message, &attributes))
            .unwrap_or_else(|| UNKNOWN.to_owned());
        let known_as = format!("{queue}/{}", message.message_id().unwrap_or_default());
        let kept = Kept {
            letter: Letter {
                event_id: event.map(|event| event.event_id.clone()),
                event_type: event.map(|event| event.event_type.clone()),
                user_id: event.map(|event| event.user_id.clone()),
                error_code: arrival.error_code.chars().take(MAX_CODE).collect(),
                error_message: arrival.error_message.chars().take(MAX_MESSAGE).collect(),
                permanent: arrival.permanent,
                attempts: arrival.attempts.unwrap_or(1),
                published_at: event.map_or(sent, |event| Timestamp(event.timestamp)),
                status_at: Timestamp::now(),
                ..Letter::open(Uuid::new_v5(&Uuid::NAMESPACE_URL, known_as.as_bytes()).to_string(), &consumer, sent)
            },
            body: body.to_owned(),
        };
        let shape = arrival.shape;
        Taken { kept, shape }
    }

    /// The consumer whose queue has moved a message away, or was not reached by EventBridge.
    fn fed_by(&self, message: &Message, attributes: &BTreeMap<String, String>) -> Option<String> {
        let moved_from = message
            .attributes()
            .and_then(|all| all.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn));
        let queue = moved_from.or_else(|| attributes.get("TARGET_ARN").filter(|arn| arn.contains(":sqs:")))?;
        let fed = self.names.consumers.iter().find(|consumer| consumer.queue == name_of(queue))?;
        Some(fed.name.clone())
    }
}
