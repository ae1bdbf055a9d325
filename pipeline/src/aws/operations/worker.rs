//! Driving operations: each by one instance at a time, item by item, at its rate.
//!
//! Whoever drives an operation moves its beat on. One whose beat stands still for a while, by the clock of whoever looks, has lost its
//! driver, and is taken up: what it has sent and not heard of is sent again, which consumers have to bear in any case.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::progress::Progress;
use super::record::header_of;
use super::send::Sender;
use super::{ALL, BUSY_INDEX, DynamoOperations, STORE};
use crate::aws::again::{TRIES, overtaken, wait};
use crate::aws::attribute::Item;
use crate::aws::events::DynamoEvents;
use crate::aws::ledger::DynamoLedger;
use crate::aws::letters::DynamoLetters;
use crate::aws::query::items;
use crate::aws::record::{Record, number, text};
use crate::aws::{Connection, DashboardConfig, Names};
use crate::operation::{Operation, OperationStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;

/// How often one looks for operations that nobody drives.
const LOOK: Duration = Duration::from_secs(1);
/// How often a driver moves the beat on, and how long a beat may stand still.
pub(super) const BEAT: Duration = Duration::from_secs(2);
const LOST: Duration = Duration::from_secs(8);
/// The most items that one transaction settles.
pub(super) const TOGETHER: usize = 20;
/// The longest pause when nothing can be sent.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(15);

/// Drives the operations of a deployment.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(super) operations: DynamoOperations,
    pub(super) letters: DynamoLetters,
    pub(super) ledger: DynamoLedger,
    pub(super) events: Arc<DynamoEvents>,
    pub(super) sender: Sender,
    pub(super) config: DashboardConfig,
    pub(super) me: String,
}

/// Somebody else drives it.
pub(super) struct Lost;

impl Worker {
    pub(in crate::aws) fn new(
        connection: &Connection,
        names: &Names,
        operations: DynamoOperations,
        letters: DynamoLetters,
        events: Arc<DynamoEvents>,
        config: DashboardConfig,
    ) -> Self {
        Self {
            operations,
            letters,
            ledger: DynamoLedger::of(connection, names),
            events,
            sender: Sender::new(connection, names),
            config,
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
                        tracing::warn!("there is no table for operations: none can be started. cutover aws init makes it");
                    }
                    missing = true;
                    continue;
                }
                Err(error) => {
                    error.log("the operations can't be read");
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
        let found = items(query, usize::MAX).await.map_err(|e| self.operations.failed("Query", &e))?;
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
            .expression_attribute_values(":all", text(ALL));
        self.make(taken).await.map(|made| made.is_some())
    }

    pub(super) fn update(&self, id: &str) -> UpdateItemFluentBuilder {
        self.operations
            .client
            .update_item()
            .table_name(&self.operations.table)
            .key("id", text(id))
            .return_values(ReturnValue::AllNew)
    }

    /// Makes an update. The operation after it; `None` if its condition didn't hold.
    pub(super) async fn make(&self, update: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
        self.make_with(update, aws_sdk_dynamodb::Config::builder()).await
    }

    /// As [`Self::make`], of what would count twice if it were made twice: it isn't sent again by itself when its answer is lost.
    pub(super) async fn make_once(&self, update: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        self.make_with(update, once).await
    }

    /// Again if a transaction is under way at the same item.
    async fn make_with(
        &self,
        update: UpdateItemFluentBuilder,
        config: aws_sdk_dynamodb::config::Builder,
    ) -> Result<Option<Item>, StoreError> {
        for attempt in 0..TRIES {
            let error = match update.clone().customize().config_override(config.clone()).send().await {
                Ok(answer) => return Ok(answer.attributes),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(None),
                Some(UpdateItemError::TransactionConflictException(_)) => wait(attempt).await,
                _ => return Err(self.operations.failed("UpdateItem", &error)),
            }
        }
        Err(overtaken(STORE))
    }

    /// Moves the beat on; whether the operation still runs.
    pub(super) async fn beat(&self, id: &str) -> Result<Result<bool, Lost>, StoreError> {
        let beaten = self
            .update(id)
            .update_expression("SET beat = beat + :one")
            .condition_expression("driver = :me")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":me", text(&self.me));
        match self.make(beaten).await? {
            Some(item) => Ok(Ok(header_of(&item)?.status == OperationStatus::Running)),
            None => Ok(Err(Lost)),
        }
    }

    /// Drives an operation to its end, or to this process's.
    async fn drive(&self, operation: Operation, again: bool, stop: &CancellationToken) {
        let (id, mut operation, mut again) = (operation.id.clone(), operation, again);
        let (mut pause, progress) = (Duration::from_millis(500), Progress::default());
        loop {
            let Err(error) = self.go(&operation, again, &progress, stop).await else {
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

    /// Notes how many items are on their way.
    pub(super) async fn recount(&self, id: &str, sent: usize) -> Result<(), StoreError> {
        let counted = self
            .update(id)
            .update_expression("SET sent = :sent")
            .condition_expression("driver = :me")
            .expression_attribute_values(":sent", number(sent))
            .expression_attribute_values(":me", text(&self.me));
        self.make(counted).await.map(drop)
    }

    /// Ends an operation whose items all have their outcome.
    pub(super) async fn finish(&self, id: &str) -> Result<(), StoreError> {
        let done = self
            .update(id)
            .update_expression("SET #status = :done, finishedAt = :now REMOVE busy, driver")
            .condition_expression("driver = :me AND #status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":done", text(OperationStatus::Done.name()))
            .expression_attribute_values(":running", text(OperationStatus::Running.name()))
            .expression_attribute_values(":now", number(Timestamp::now().0))
            .expression_attribute_values(":me", text(&self.me));
        if self.make(done).await?.is_some() {
            return Ok(());
        }
        // Cancelled: it has its end.
        let settled = self
            .update(id)
            .update_expression("REMOVE busy, driver")
            .condition_expression("driver = :me")
            .expression_attribute_values(":me", text(&self.me));
        self.make(settled).await.map(drop)
    }

    /// Lets another take it up at once.
    pub(super) async fn release(&self, id: &str) -> Result<(), StoreError> {
        let released = self
            .update(id)
            .update_expression("REMOVE driver")
            .condition_expression("driver = :me")
            .expression_attribute_values(":me", text(&self.me));
        self.make(released).await.map(drop)
    }
}
