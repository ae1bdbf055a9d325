//! Driving operations: each by one instance at a time, item by item, at its rate.
//!
//! Whoever drives an operation moves its beat on. One whose beat stands still for a while, by the clock of whoever looks, has lost its
//! driver, and is taken up: what it has sent and not heard of is sent again, which consumers have to bear in any case.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{ReturnValue, TransactWriteItem, Update};
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::record::{Listed, header_of};
use super::send::Sender;
use super::{ALL, BUSY_INDEX, DynamoOperations, STORE};
use crate::aws::attribute::Item;
use crate::aws::events::DynamoEvents;
use crate::aws::ledger::{Account, DynamoLedger, NotMade};
use crate::aws::letters::{DynamoLetters, Kept};
use crate::aws::query::items;
use crate::aws::record::{Record, number, text};
use crate::aws::{Connection, Names};
use crate::event::Event;
use crate::letter::LetterStatus;
use crate::operation::{ItemStatus, MAX_ITEMS, Operation, OperationKind, OperationStatus};
use crate::ports::{EventStore, StoreError};
use crate::redrive::share;
use crate::time::{MINUTE, Timestamp};

/// How often one looks for operations that nobody drives.
const LOOK: Duration = Duration::from_secs(1);
/// How often a driver moves the beat on, and how long a beat may stand still.
const BEAT: Duration = Duration::from_secs(2);
const LOST: Duration = Duration::from_secs(8);
/// How often items are acted on: a tenth of a second's worth at a time.
const TICK: Duration = Duration::from_millis(100);
/// How often one looks what has become of what was sent.
const VERIFY: Duration = Duration::from_millis(400);
/// How many letters are sent at once.
const AT_ONCE: usize = 16;
/// The most items that one transaction settles.
const TOGETHER: usize = 20;
/// How long what a function of somebody else's was sent may take to come back, milliseconds: Lambda tries again after one and two
/// minutes.
const RETURN: i64 = 6 * MINUTE;
/// The longest pause when nothing can be sent.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Drives the operations of a deployment.
#[derive(Clone, Debug)]
pub struct Worker {
    operations: DynamoOperations,
    letters: DynamoLetters,
    ledger: DynamoLedger,
    events: std::sync::Arc<DynamoEvents>,
    sender: Sender,
    me: String,
}

/// What an item has come to.
#[derive(Clone, Debug)]
struct Outcome {
    n: i64,
    status: ItemStatus,
    note: Option<String>,
}

impl Outcome {
    fn of(item: &Listed, status: ItemStatus, note: Option<String>) -> Self {
        Self { n: item.n, status, note }
    }
}

/// What came of sending one.
enum Sent {
    /// It is on its way.
    Away(Listed),
    Settled(Outcome),
    /// It can't be sent now.
    Later(Listed, StoreError),
}

/// Somebody else drives it.
struct Lost;

impl Worker {
    pub(in crate::aws) fn new(
        connection: &Connection,
        names: &Names,
        operations: DynamoOperations,
        letters: DynamoLetters,
        events: std::sync::Arc<DynamoEvents>,
    ) -> Self {
        Self {
            operations,
            letters,
            ledger: DynamoLedger::of(connection, names),
            events,
            sender: Sender::new(connection, names),
            me: Uuid::now_v7().to_string(),
        }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut beats: HashMap<String, (u64, Instant)> = HashMap::new();
        let (mut mine, mut tasks) = (HashSet::new(), JoinSet::new());
        let mut missing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.operations.begun.notified() => {}
                Some(done) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Ok(id) = done {
                        mine.remove::<String>(&id);
                    }
                    continue;
                }
                () = stop.cancelled() => break,
            }
            let busy = match self.busy().await {
                Ok(busy) => busy,
                Err(StoreError::NotOffered { .. }) => {
                    if !missing {
                        tracing::warn!("there is no table for operations: none can be started. deploy/cutover.yaml has it");
                    }
                    missing = true;
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "the operations can't be read");
                    continue;
                }
            };
            beats.retain(|id, _| busy.iter().any(|(operation, _, _)| operation.id == *id));
            for (operation, beat, owner) in busy {
                if mine.contains(&operation.id) {
                    continue;
                }
                let (known, since) = *beats.entry(operation.id.clone()).or_insert((beat, Instant::now()));
                if known != beat {
                    beats.insert(operation.id.clone(), (beat, Instant::now()));
                }
                if owner && (known != beat || since.elapsed() < LOST) {
                    continue;
                }
                match self.take(&operation.id, beat).await {
                    Ok(true) => {
                        mine.insert(operation.id.clone());
                        let (worker, stop) = (self.clone(), stop.clone());
                        tasks.spawn(async move {
                            let id = operation.id.clone();
                            worker.drive(operation, beat > 0, &stop).await;
                            id
                        });
                    }
                    Ok(false) => {}
                    Err(error) => tracing::error!(operation = operation.id, %error, "an operation can't be taken up"),
                }
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// The operations that are not settled, with their beat, and whether somebody says that he drives them.
    async fn busy(&self) -> Result<Vec<(Operation, u64, bool)>, StoreError> {
        let query = self
            .operations
            .client
            .query()
            .table_name(&self.operations.table)
            .index_name(BUSY_INDEX)
            .key_condition_expression("busy = :all")
            .expression_attribute_values(":all", text(ALL));
        let found = items(query, 50).await.map_err(|e| self.operations.failed("Query", &e))?;
        let all = found.iter().map(|item| {
            let record = Record { what: STORE, item };
            Ok((header_of(item)?, record.number("beat")?, record.optional_text("driver").is_some()))
        });
        all.collect()
    }

    /// Takes an operation up, if its beat has not moved.
    async fn take(&self, id: &str, beat: u64) -> Result<bool, StoreError> {
        let taken = self
            .update(id)
            .update_expression("SET driver = :me, beat = :next")
            .condition_expression("beat = :beat AND busy = :all")
            .expression_attribute_values(":me", text(&self.me))
            .expression_attribute_values(":beat", number(beat))
            .expression_attribute_values(":next", number(beat + 1))
            .expression_attribute_values(":all", text(ALL))
            .send()
            .await;
        self.made(taken).map(|made| made.is_some())
    }

    fn update(&self, id: &str) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.operations
            .client
            .update_item()
            .table_name(&self.operations.table)
            .key("id", text(id))
            .return_values(ReturnValue::AllNew)
    }

    /// The operation after an update; `None` if its condition didn't hold.
    fn made<R>(
        &self,
        answer: Result<
            aws_sdk_dynamodb::operation::update_item::UpdateItemOutput,
            aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError, R>,
        >,
    ) -> Result<Option<Item>, StoreError>
    where
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        match answer {
            Ok(answer) => Ok(answer.attributes),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(None),
            Err(error) => Err(self.operations.failed("UpdateItem", &error)),
        }
    }

    /// Moves the beat on; whether the operation still runs.
    async fn beat(&self, id: &str) -> Result<Result<bool, Lost>, StoreError> {
        let beaten = self
            .update(id)
            .update_expression("SET beat = beat + :one")
            .condition_expression("driver = :me")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":me", text(&self.me))
            .send()
            .await;
        match self.made(beaten)? {
            Some(item) => Ok(Ok(header_of(&item)?.status == OperationStatus::Running)),
            None => Ok(Err(Lost)),
        }
    }

    /// Drives an operation to its end, or to this process's.
    async fn drive(&self, operation: Operation, again: bool, stop: &CancellationToken) {
        let (id, mut operation, mut again) = (operation.id.clone(), operation, again);
        let mut pause = Duration::from_millis(500);
        loop {
            let Err(error) = self.go(&operation, again, stop).await else {
                return;
            };
            tracing::error!(operation = id, %error, "an operation is held up; it goes on by itself");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
            pause = MAX_PAUSE.min(pause * 2);
            // What was sent just before may not have been.
            again = true;
            if let Ok(Err(Lost)) = self.beat(&id).await {
                return;
            }
            match self.operations.header(&id).await {
                Ok(Some(item)) => operation = header_of(&item).unwrap_or(operation),
                Ok(None) => return,
                Err(error) => tracing::error!(operation = id, %error, "an operation can't be read"),
            }
        }
    }

    async fn go(&self, operation: &Operation, again: bool, stop: &CancellationToken) -> Result<(), StoreError> {
        let all = self.operations.listed(&operation.id, -1, MAX_ITEMS).await?;
        let mut running = operation.status == OperationStatus::Running;
        let (mut waiting, mut away): (Vec<Listed>, Vec<Listed>) = (Vec::new(), Vec::new());
        for item in all {
            match item.status {
                ItemStatus::Waiting => waiting.push(item),
                ItemStatus::Sent => away.push(item),
                ItemStatus::Succeeded | ItemStatus::Failed | ItemStatus::Skipped => {}
            }
        }
        waiting.reverse();
        if again {
            // Whoever sent them may not have come to it.
            self.resend(&away).await?;
        }
        let mut tick = tokio::time::interval(TICK);
        let (mut beat, mut looked, mut ticks) = (Instant::now(), Instant::now(), 0_u32);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return self.release(&operation.id).await,
            }
            ticks = ticks.wrapping_add(1);
            if beat.elapsed() >= BEAT {
                match self.beat(&operation.id).await? {
                    Ok(still) => running = still,
                    Err(Lost) => return Ok(()),
                }
                beat = Instant::now();
            }
            if running && !waiting.is_empty() {
                let count = (share(operation.rate, ticks) as usize).min(waiting.len());
                let some: Vec<Listed> = waiting.drain(waiting.len() - count..).rev().collect();
                if !some.is_empty() {
                    running = match operation.kind {
                        OperationKind::Redrive => self.redrive(&operation.id, some, &mut away).await?,
                        OperationKind::Discard => self.mark(&operation.id, some, LetterStatus::Open, LetterStatus::Discarded).await?,
                        OperationKind::Restore => self.mark(&operation.id, some, LetterStatus::Discarded, LetterStatus::Open).await?,
                    };
                }
            }
            if !away.is_empty() && looked.elapsed() >= VERIFY {
                away = self.verify(&operation.id, away).await?;
                looked = Instant::now();
            }
            if away.is_empty() && (waiting.is_empty() || !running) {
                return self.finish(&operation.id).await;
            }
        }
    }

    /// Sets letters aside, or opens them again; whether the operation still runs.
    async fn mark(&self, id: &str, some: Vec<Listed>, from: LetterStatus, to: LetterStatus) -> Result<bool, StoreError> {
        for some in some.chunks(TOGETHER) {
            let ids: Vec<String> = some.iter().map(|item| item.letter_id.clone()).collect();
            let known = self.letters.by_ids(&ids).await?;
            let (mut outcomes, mut marks) = (Vec::new(), Vec::new());
            let mut taken = HashSet::new();
            for item in some {
                let letter = known.get(&item.letter_id).filter(|_| taken.insert(item.letter_id.clone()));
                match letter {
                    Some(kept) if kept.letter.status == from => {
                        marks.push(self.letters.mark(&item.letter_id, from, to)?);
                        outcomes.push(Outcome::of(item, ItemStatus::Succeeded, None));
                    }
                    other => outcomes.push(Outcome::of(item, ItemStatus::Skipped, Some(why_not(other, from)))),
                }
            }
            if self.settle(id, ItemStatus::Waiting, &outcomes, marks, true).await? {
                continue;
            }
            // Cancelled; or a letter has changed meanwhile: one by one.
            for item in some {
                if !self.mark_one(id, item, from, to).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn mark_one(&self, id: &str, item: &Listed, from: LetterStatus, to: LetterStatus) -> Result<bool, StoreError> {
        for _ in 0..3 {
            let known = self.letters.kept(&item.letter_id).await?;
            let (outcome, marks) = match &known {
                Some(kept) if kept.letter.status == from => (
                    Outcome::of(item, ItemStatus::Succeeded, None),
                    vec![self.letters.mark(&item.letter_id, from, to)?],
                ),
                other => (
                    Outcome::of(item, ItemStatus::Skipped, Some(why_not(other.as_ref(), from))),
                    Vec::new(),
                ),
            };
            if self.settle(id, ItemStatus::Waiting, &[outcome], marks, true).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends letters back; whether the operation still runs.
    async fn redrive(&self, id: &str, some: Vec<Listed>, away: &mut Vec<Listed>) -> Result<bool, StoreError> {
        // Announced first: what is on its way is not passed over by whoever cancels.
        let announced = self
            .update(id)
            .update_expression("ADD sent :count")
            .condition_expression("driver = :me AND #status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":count", number(some.len()))
            .expression_attribute_values(":me", text(&self.me))
            .expression_attribute_values(":running", text(OperationStatus::Running.name()))
            .send()
            .await;
        if self.made(announced)?.is_none() {
            return Ok(false);
        }
        let mut left = some;
        let mut pause = Duration::from_millis(500);
        loop {
            let sent: Vec<Sent> = stream::iter(left)
                .map(|item| self.send(id, item))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            let (mut outcomes, mut later) = (Vec::new(), Vec::new());
            for one in sent {
                match one {
                    Sent::Away(item) => away.push(item),
                    Sent::Settled(outcome) => outcomes.push(outcome),
                    Sent::Later(item, error) => {
                        tracing::warn!(operation = id, letter = item.letter_id, %error, "a letter can't be sent now");
                        later.push(item);
                    }
                }
            }
            for some in outcomes.chunks(TOGETHER) {
                self.settle(id, ItemStatus::Waiting, some, Vec::new(), false).await?;
            }
            if later.is_empty() {
                return Ok(true);
            }
            // Throttled, say: slower, and none of them is lost.
            tokio::time::sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
            left = later;
            if matches!(self.beat(id).await?, Err(Lost)) {
                return Ok(false);
            }
        }
    }

    async fn send(&self, id: &str, item: Listed) -> Sent {
        match self.try_send(id, &item).await {
            Ok(None) => Sent::Away(Listed {
                status: ItemStatus::Sent,
                sent_at: Some(Timestamp::now()),
                ..item
            }),
            Ok(Some(outcome)) => Sent::Settled(outcome),
            Err(error) => Sent::Later(item, error),
        }
    }

    /// Sends a letter; `None` if its outcome is awaited.
    async fn try_send(&self, id: &str, item: &Listed) -> Result<Option<Outcome>, StoreError> {
        let settled = |status, note: String| Ok(Some(Outcome::of(item, status, Some(note))));
        let known = self.letters.kept(&item.letter_id).await?;
        let Some(kept) = known.filter(|kept| {
            // Sent already, when its answer was lost.
            kept.letter.status == LetterStatus::Open || kept.letter.status == LetterStatus::Redriving
        }) else {
            let known = self.letters.kept(&item.letter_id).await?;
            return settled(ItemStatus::Skipped, why_not(known.as_ref(), LetterStatus::Open));
        };
        let event = match Sender::event(&kept) {
            Ok(event) => event,
            Err(reason) => return settled(ItemStatus::Failed, format!("the body is not an event: {reason}")),
        };
        if self.sender.to_bus(&kept.letter.consumer) {
            return self.publish(item, &kept, event).await.map(Some);
        }
        let consumer = kept.letter.consumer.clone();
        let before = self.ledger.read(&event.event_id).await?;
        if before.account.done(&consumer) {
            return settled(ItemStatus::Skipped, "the ledger has it as completed".to_owned());
        }
        if kept.letter.status == LetterStatus::Open {
            let mut after = before.account.clone();
            if after.seen() {
                after.reopen(&consumer, &kept.letter.id);
            }
            let effects = vec![
                self.letters.mark(&kept.letter.id, LetterStatus::Open, LetterStatus::Redriving)?,
                self.item(id, item.n, ItemStatus::Waiting, ItemStatus::Sent, None)?,
            ];
            let accounts: &[(&str, _, &Account)] = &[(&event.event_id, &before, &after)];
            let accounts = if before.account.seen() { accounts } else { &[] };
            match self.ledger.write(accounts, effects).await {
                Ok(true) => {}
                Ok(false) => return Err(busy("the ledger")),
                Err(NotMade::Refused(_)) => {
                    let known = self.letters.kept(&item.letter_id).await?;
                    return settled(ItemStatus::Skipped, why_not(known.as_ref(), LetterStatus::Open));
                }
                Err(NotMade::Failed(error)) => return Err(error),
            }
        } else {
            // Ours, from before; or another operation's, which then is the one to wait for.
            let listed = self.operations.listed(id, item.n - 1, 1).await?;
            if listed.first().is_none_or(|listed| listed.status != ItemStatus::Sent) {
                return settled(ItemStatus::Skipped, why_not(Some(&kept), LetterStatus::Open));
            }
        }
        if self.sender.send(&consumer, &kept.body, &event).await? {
            return Ok(None);
        }
        if let Some(kept) = self.letters.kept(&kept.letter.id).await? {
            let why = format!("{consumer} has neither a queue nor a function");
            self.letters.failed_again(&kept, "Unreachable", &why, true).await?;
        }
        Ok(None)
    }

    /// Publishes what never was.
    async fn publish(&self, item: &Listed, kept: &Kept, event: Event) -> Result<Outcome, StoreError> {
        if kept.letter.status != LetterStatus::Open {
            return Ok(Outcome::of(
                item,
                ItemStatus::Skipped,
                Some(why_not(Some(kept), LetterStatus::Open)),
            ));
        }
        match self.sender.publish(event).await {
            Ok(()) => {
                self.letters
                    .set(&kept.letter.id, LetterStatus::Open, LetterStatus::Redriven)
                    .await?;
                Ok(Outcome::of(item, ItemStatus::Succeeded, None))
            }
            Err(error) => {
                self.letters
                    .failed_again(kept, error.code(), &error.to_string(), !error.is_transient())
                    .await?;
                Ok(Outcome::of(item, ItemStatus::Failed, Some(error.to_string())))
            }
        }
    }

    /// Sends again what another had marked as sent.
    async fn resend(&self, away: &[Listed]) -> Result<(), StoreError> {
        for item in away {
            let Some(kept) = self.letters.kept(&item.letter_id).await? else {
                continue;
            };
            if kept.letter.status != LetterStatus::Redriving {
                continue;
            }
            if let Ok(event) = Sender::event(&kept)
                && !self.ledger.read(&event.event_id).await?.account.done(&kept.letter.consumer)
            {
                self.sender.send(&kept.letter.consumer, &kept.body, &event).await?;
            }
        }
        Ok(())
    }

    /// Looks what has become of what was sent; what is still on its way is left.
    async fn verify(&self, id: &str, away: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<String> = away.iter().map(|item| item.letter_id.clone()).collect();
        let known = self.letters.by_ids(&ids).await?;
        let (mut left, mut outcomes) = (Vec::new(), Vec::new());
        for item in away {
            let kept = known.get(&item.letter_id);
            let (status, note) = match kept.map(|kept| kept.letter.status) {
                None => (ItemStatus::Skipped, Some(why_not(None, LetterStatus::Redriving))),
                Some(LetterStatus::Redriven) => (ItemStatus::Succeeded, None),
                Some(LetterStatus::Open) => {
                    let said = kept.map(|kept| format!("{}: {}", kept.letter.error_code, kept.letter.error_message));
                    (ItemStatus::Failed, said)
                }
                Some(LetterStatus::Discarded) => (ItemStatus::Skipped, Some("it was set aside meanwhile".to_owned())),
                Some(LetterStatus::Redriving) => match self.elsewhere(&item, kept).await? {
                    Some(outcome) => outcome,
                    None => {
                        left.push(item);
                        continue;
                    }
                },
            };
            outcomes.push(Outcome::of(&item, status, note));
        }
        for some in outcomes.chunks(TOGETHER) {
            self.settle(id, ItemStatus::Sent, some, Vec::new(), false).await?;
        }
        Ok(left)
    }

    /// What is known of a letter from elsewhere than itself: a function that is not ours doesn't close it.
    async fn elsewhere(&self, item: &Listed, kept: Option<&Kept>) -> Result<Option<(ItemStatus, Option<String>)>, StoreError> {
        let age = item.sent_at.map_or(0, |at| Timestamp::now().since(at));
        let Some(kept) = kept.filter(|_| age > 2_000) else {
            return Ok(None);
        };
        let letter = &kept.letter;
        let event_id = letter.event_id.as_deref().unwrap_or_default();
        let account = self.ledger.read(event_id).await?.account;
        let (done, note) = if account.done(&letter.consumer) {
            (true, None)
        } else if !account.attempts(&letter.consumer).is_empty() {
            // It writes the ledger: it will say.
            (false, None)
        } else if letter.consumer == "audit" && self.events.get(event_id).await?.is_some() {
            (true, Some("it is in the event store".to_owned()))
        } else {
            (age > RETURN, Some("it has not come back".to_owned()))
        };
        if !done {
            return Ok(None);
        }
        self.letters
            .set(&letter.id, LetterStatus::Redriving, LetterStatus::Redriven)
            .await?;
        Ok(Some((ItemStatus::Succeeded, note)))
    }

    /// What writes an item's status over an earlier one.
    fn item(&self, id: &str, n: i64, from: ItemStatus, to: ItemStatus, note: Option<&str>) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.operations.items_table)
            .key("operation", text(id))
            .key("n", number(n))
            .condition_expression("#status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", text(from.name()))
            .expression_attribute_values(":to", text(to.name()));
        update = match (note, to) {
            (Some(note), _) => update
                .update_expression("SET #status = :to, note = :note")
                .expression_attribute_values(":note", text(note)),
            (None, ItemStatus::Sent) => update
                .update_expression("SET #status = :to, sentAt = :now")
                .expression_attribute_values(":now", number(Timestamp::now().0)),
            (None, _) => update.update_expression("SET #status = :to"),
        };
        let update = update.build().map_err(|e| StoreError::Corrupt {
            what: STORE,
            reason: e.to_string(),
        })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Writes the outcomes of items that had the status `from`, what belongs to them, and the operation's counts, all or nothing.
    /// `only_running` has it refused once the operation was cancelled. `false` if something was not as it had to be.
    async fn settle(
        &self,
        id: &str,
        from: ItemStatus,
        outcomes: &[Outcome],
        with: Vec<TransactWriteItem>,
        only_running: bool,
    ) -> Result<bool, StoreError> {
        if outcomes.is_empty() {
            return Ok(true);
        }
        let mut all = with;
        for outcome in outcomes {
            all.push(self.item(id, outcome.n, from, outcome.status, outcome.note.as_deref())?);
        }
        let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
        let mut counts = Update::builder()
            .table_name(&self.operations.table)
            .key("id", text(id))
            .expression_attribute_values(":succeeded", number(count(ItemStatus::Succeeded)))
            .expression_attribute_values(":failed", number(count(ItemStatus::Failed)))
            .expression_attribute_values(":skipped", number(count(ItemStatus::Skipped)));
        counts = if only_running {
            counts
                .update_expression("ADD succeeded :succeeded, failed :failed, skipped :skipped")
                .condition_expression("#status = :running")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":running", text(OperationStatus::Running.name()))
        } else {
            counts
                .update_expression("ADD succeeded :succeeded, failed :failed, skipped :skipped, sent :sent")
                .expression_attribute_values(":sent", number(-i64::try_from(outcomes.len()).unwrap_or(0)))
        };
        let counts = counts.build().map_err(|e| StoreError::Corrupt {
            what: STORE,
            reason: e.to_string(),
        })?;
        all.push(TransactWriteItem::builder().update(counts).build());
        let sent = self
            .operations
            .client
            .transact_write_items()
            .set_transact_items(Some(all))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => Ok(false),
            Err(error) => Err(self.operations.failed("TransactWriteItems", &error)),
        }
    }

    /// Ends an operation whose items all have their outcome.
    async fn finish(&self, id: &str) -> Result<(), StoreError> {
        let done = self
            .update(id)
            .update_expression("SET #status = :done, finishedAt = :now REMOVE busy, driver")
            .condition_expression("driver = :me AND #status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":done", text(OperationStatus::Done.name()))
            .expression_attribute_values(":running", text(OperationStatus::Running.name()))
            .expression_attribute_values(":now", number(Timestamp::now().0))
            .expression_attribute_values(":me", text(&self.me))
            .send()
            .await;
        if self.made(done)?.is_some() {
            return Ok(());
        }
        // Cancelled: it has its end.
        let settled = self
            .update(id)
            .update_expression("REMOVE busy, driver")
            .condition_expression("driver = :me")
            .expression_attribute_values(":me", text(&self.me))
            .send()
            .await;
        self.made(settled).map(drop)
    }

    /// Lets another take it up at once.
    async fn release(&self, id: &str) -> Result<(), StoreError> {
        let released = self
            .update(id)
            .update_expression("REMOVE driver")
            .condition_expression("driver = :me")
            .expression_attribute_values(":me", text(&self.me))
            .send()
            .await;
        self.made(released).map(drop)
    }
}

fn why_not(kept: Option<&Kept>, wanted: LetterStatus) -> String {
    kept.map_or_else(
        || "there is no such letter".to_owned(),
        |kept| format!("it is {}, not {}", kept.letter.status.name(), wanted.name()),
    )
}

fn busy(what: &'static str) -> StoreError {
    StoreError::Unavailable {
        what,
        reason: "somebody else was faster".to_owned(),
    }
}
