//! Operations over dead letters, in two tables of Cutover's own: an item for each operation, and one for each of its letters.
//!
//! Any instance of the dashboard starts them; one of them at a time drives an operation ([`worker`]).

mod drive;
mod give_back;
mod progress;
mod record;
mod redrive;
mod send;
mod settle;
mod verify;
mod worker;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PutRequest, ReturnValue, WriteRequest};
use tokio::sync::Notify;
use uuid::Uuid;

use super::Names;
use super::again::{TRIES, wait};
use super::attribute::Item;
use super::error::own_failed;
use super::letters::DynamoLetters;
use super::query::items;
use super::record::{Record, is_key, number, text};
use crate::letter::Letter;
use crate::operation::{
    ItemStatus, LISTED, LetterOperation, MAX_ITEMS, NewOperation, Operation, OperationDetail, OperationItem, OperationStatus, Selection,
};
use crate::page::{Page, check_limit, no_cursor, read_cursor};
use crate::ports::{OperationError, Operations, StoreError};
use crate::time::Timestamp;
use record::{Listed, header, header_of, listed, listed_item};
pub use worker::Worker;

/// The tables' name in errors.
const STORE: &str = "the operations table";
/// The index over all operations by when they were asked for.
const LIST_INDEX: &str = "ListIndex";
/// The index over those that are not settled.
const BUSY_INDEX: &str = "BusyIndex";
/// The index over items by their letter.
const LETTER_INDEX: &str = "LetterIndex";
/// The one partition of each of the first two.
const ALL: &str = "all";
/// The most items of one write.
const TOGETHER: usize = 25;
/// The most operations listed with a letter.
const OF_LETTER: usize = 50;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct DynamoOperations {
    client: Client,
    table: String,
    items_table: String,
    pub(super) letters: DynamoLetters,
    /// There is something to drive.
    begun: Arc<Notify>,
}

impl DynamoOperations {
    pub(super) fn new(client: Client, names: &Names, letters: DynamoLetters) -> Self {
        Self {
            client,
            table: names.operations_table(),
            items_table: names.operation_items_table(),
            letters,
            begun: Arc::default(),
        }
    }

    fn failed<E, R>(&self, call: &str, error: &aws_sdk_dynamodb::error::SdkError<E, R>) -> StoreError
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        own_failed(STORE, &format!("{call} in {}", self.table), error)
    }

    /// An operation's own item.
    async fn header(&self, id: &str) -> Result<Option<Item>, StoreError> {
        if !is_key(id) {
            return Ok(None);
        }
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", text(id))
            .consistent_read(true)
            .send()
            .await;
        Ok(answer.map_err(|e| self.failed("GetItem", &e))?.item)
    }

    /// The letters of a selection, oldest first, or as they were named; of a named one that isn't there, its id.
    async fn select(&self, select: &Selection) -> Result<Vec<(String, Option<Letter>)>, StoreError> {
        match select {
            Selection::Filter(filter) => {
                let mut letters = self.letters.all(filter.clone()).await?;
                letters.reverse();
                letters.truncate(MAX_ITEMS);
                Ok(letters.into_iter().map(|letter| (letter.id.clone(), Some(letter))).collect())
            }
            Selection::Ids(ids) => {
                let mut known = self.letters.by_ids(ids).await?;
                Ok(ids
                    .iter()
                    .map(|id| (id.clone(), known.remove(id).map(|kept| kept.letter)))
                    .collect())
            }
        }
    }

    /// Writes the items of an operation that nobody knows of yet.
    async fn write_items(&self, operation: &str, all: &[Listed]) -> Result<(), StoreError> {
        for some in all.chunks(TOGETHER) {
            let puts = some.iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(listed_item(operation, item))).build();
                WriteRequest::builder()
                    .put_request(put.unwrap_or_else(|e| unreachable!("it has an item: {e}")))
                    .build()
            });
            let mut left = Some(puts.collect::<Vec<_>>());
            for attempt in 0..TRIES {
                let Some(puts) = left.take() else { break };
                let sent = self.client.batch_write_item().request_items(&self.items_table, puts).send().await;
                let answer = sent.map_err(|e| self.failed("BatchWriteItem", &e))?;
                left = answer
                    .unprocessed_items()
                    .and_then(|left| left.get(&self.items_table))
                    .cloned()
                    .filter(|left| !left.is_empty());
                if left.is_some() {
                    wait(attempt).await;
                }
            }
            if left.is_some() {
                return Err(StoreError::Unavailable {
                    what: STORE,
                    reason: format!("BatchWriteItem in {}: throttled", self.items_table),
                });
            }
        }
        Ok(())
    }

    /// An operation's items after number `after`, `limit` at most.
    async fn listed(&self, operation: &str, after: i64, limit: usize) -> Result<Vec<Listed>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.items_table)
            .key_condition_expression("#operation = :operation AND n > :after")
            .expression_attribute_names("#operation", "operation")
            .expression_attribute_values(":operation", text(operation))
            .expression_attribute_values(":after", number(after))
            .consistent_read(true);
        let found = items(query, limit).await.map_err(|e| self.failed("Query", &e))?;
        found.iter().map(listed).collect()
    }

    /// What was done, or is being done, to a letter, newest first.
    pub(super) async fn of_letter(&self, letter: &str) -> Result<Vec<LetterOperation>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.items_table)
            .index_name(LETTER_INDEX)
            .key_condition_expression("letterId = :letter")
            .expression_attribute_values(":letter", text(letter))
            // Ids of operations rise with time.
            .scan_index_forward(false);
        let found = items(query, OF_LETTER).await.map_err(|e| self.failed("Query", &e))?;
        let mut all = Vec::with_capacity(found.len());
        for item in &found {
            let id = Record { what: STORE, item }.text("operation")?;
            let Some(header) = self.header(&id).await? else { continue };
            let (operation, item) = (header_of(&header)?, listed(item)?.of(&header_of(&header)?));
            all.push(LetterOperation {
                operation: operation.id,
                kind: operation.kind,
                actor: operation.actor,
                reason: operation.reason,
                created_at: operation.created_at,
                status: item.status,
                note: item.note,
            });
        }
        Ok(all)
    }
}

#[async_trait]
impl Operations for DynamoOperations {
    async fn start(&self, wish: &NewOperation, actor: &str) -> Result<Operation, OperationError> {
        wish.check()?;
        let letters = self.select(&wish.select).await?;
        let operation = wish.begun(Uuid::now_v7().to_string(), actor, letters.len() as u64, Timestamp::now());
        if wish.dry_run {
            // Nothing is kept of a dry run but its answer.
            return Ok(operation);
        }
        let listed: Vec<Listed> = letters
            .into_iter()
            .enumerate()
            .map(|(n, (id, letter))| Listed::waiting(n, id, letter.as_ref()))
            .collect();
        // The operation is there when all that it is about is.
        self.write_items(&operation.id, &listed).await?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(header(&operation)))
            .condition_expression("attribute_not_exists(id)")
            .send()
            .await;
        match put {
            // The id is new: it was written by a call whose answer was lost, and may be under way.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            other => drop(other.map_err(|e| self.failed("PutItem", &e))?),
        }
        self.begun.notify_one();
        Ok(operation)
    }

    async fn list(&self, limit: u32, from: Option<&str>) -> Result<Page<Operation>, StoreError> {
        let limit = check_limit(limit)? as usize;
        let from = from.map(read_cursor).transpose()?;
        let before = from.as_ref().map_or(i64::MAX, |(at, _)| *at);
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(LIST_INDEX)
            .key_condition_expression("#list = :all AND createdAt <= :before")
            .expression_attribute_names("#list", "list")
            .expression_attribute_values(":all", text(ALL))
            .expression_attribute_values(":before", number(before))
            .scan_index_forward(false);
        // Those of the same millisecond may be on both sides of the cursor.
        let found = items(query, limit + 50).await.map_err(|e| self.failed("Query", &e))?;
        let mut all = found.iter().map(header_of).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        all.retain(|o| from.as_ref().is_none_or(|(at, id)| (o.created_at.0, &o.id) < (*at, id)));
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|last| format!("{}.{}", last.created_at.0, last.id));
        Ok(Page { items: all, next })
    }

    async fn get(&self, id: &str) -> Result<Option<OperationDetail>, StoreError> {
        let Some(header) = self.header(id).await? else { return Ok(None) };
        let operation = header_of(&header)?;
        let listed = self.listed(id, -1, LISTED).await?;
        Ok(Some(OperationDetail {
            items: listed.into_iter().map(|item| item.of(&operation)).collect(),
            operation,
        }))
    }

    async fn items(&self, id: &str, only: Option<ItemStatus>, limit: u32, from: Option<&str>) -> Result<Page<OperationItem>, StoreError> {
        let limit = check_limit(limit)? as usize;
        let mut after: i64 = from.map_or(Ok(-1), str::parse).map_err(|_| no_cursor())?;
        let Some(header) = self.header(id).await? else {
            return Ok(Page::empty());
        };
        let operation = header_of(&header)?;
        let mut page = Page::empty();
        loop {
            let some = self.listed(id, after, limit + 1).await?;
            let end = some.len() <= limit;
            for item in some {
                let number = item.n;
                let item = item.of(&operation);
                if only.is_none_or(|only| only == item.status) {
                    if page.items.len() == limit {
                        page.next = Some(after.to_string());
                        return Ok(page);
                    }
                    page.items.push(item);
                }
                after = number;
            }
            if end {
                return Ok(page);
            }
        }
    }

    async fn cancel(&self, id: &str) -> Result<Operation, OperationError> {
        if id.is_empty() {
            return Err(OperationError::Unknown(id.to_owned()));
        }
        let now = Timestamp::now();
        // What is sent is still waited for: the operation stays busy until the worker has seen to that.
        let cancelled = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(id))
            .update_expression("SET #status = :cancelled, finishedAt = :now")
            .condition_expression("#status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":cancelled", text(OperationStatus::Cancelled.name()))
            .expression_attribute_values(":running", text(OperationStatus::Running.name()))
            .expression_attribute_values(":now", number(now.0))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match cancelled {
            Ok(answer) => Ok(header_of(answer.attributes().unwrap_or(&Item::new()))?),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                let item = self.header(id).await?.ok_or_else(|| OperationError::Unknown(id.to_owned()))?;
                let operation = header_of(&item)?;
                // By a call whose answer was lost.
                let ours = operation.status == OperationStatus::Cancelled && operation.finished_at == Some(now);
                if ours {
                    Ok(operation)
                } else {
                    Err(OperationError::Ended(id.to_owned()))
                }
            }
            Err(error) => Err(self.failed("UpdateItem", &error).into()),
        }
    }
}
