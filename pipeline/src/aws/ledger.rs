//! The ledger in DynamoDB: an item for each event, with what became of it, and the totals beside them.
//!
//! Whoever changes an account reads it, and writes it back if nobody was faster, with whatever belongs to the change and the totals
//! in one transaction. Open events are in an index that holds nothing else: an item is in it only while it has the attribute.

mod account;
mod faults;
mod open;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use rand::RngExt;
use sha2::{Digest, Sha256};

pub(super) use account::{Account, Tally};
pub(super) use faults::newest_first;

use super::again::{TRIES, overtaken, wait};
use super::attribute::{Item, item_of_json, item_to_json};
use super::error::own_failed;
use super::metrics::CloudWatch;
use super::query::by_keys;
use super::queues::Queues;
use super::recent::Recent;
use super::record::{Record, is_key, number, text};
use super::{Connection, Names, transaction};
use crate::criteria::AuditEvidence;
use crate::ledger::{LedgerEntry, LedgerSummary};
use crate::ports::{Ledger, StoreError};

/// The table's name in errors.
const STORE: &str = "the ledger";
/// Over how many partitions open events, and the totals, are spread.
const SHARDS: u8 = 8;
/// How old the count of them may be: it takes minutes to be one.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// How old it may be how many deliveries wait for another attempt.
const RETRYING_FOR: Duration = Duration::from_secs(4);

/// A change was not made.
#[derive(Debug)]
pub(super) enum NotMade {
    /// One of the items that belong to it, by number, is not as it has to be.
    Refused(usize),
    /// It can't be known, or never can be.
    Failed(StoreError),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// An account, and the version that it was read in; 0 for one that isn't there.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) account: Account,
    version: u64,
}

/// The ledger of a deployment.
#[derive(Clone, Debug)]
pub(super) struct DynamoLedger {
    client: Client,
    table: String,
    totals_table: String,
    queues: Queues,
    /// What knows how long messages have been in their queues; whoever only writes needs it not.
    metrics: Option<Arc<CloudWatch>>,
    unaccounted: Arc<Recent<u64>>,
    retrying: Arc<Recent<Option<HashMap<String, u64>>>>,
}

impl DynamoLedger {
    pub(super) fn new(client: Client, names: &Names, queues: Queues) -> Self {
        Self {
            client,
            table: names.ledger_table(),
            totals_table: names.totals_table(),
            queues,
            metrics: None,
            unaccounted: Arc::new(Recent::new(LOOKED_FOR)),
            retrying: Arc::new(Recent::new(RETRYING_FOR)),
        }
    }

    /// Of a deployment; nothing is called yet.
    pub(super) fn of(connection: &Connection, names: &Names) -> Self {
        Self::new(Client::new(&connection.sdk), names, Queues::new(connection, names))
    }

    /// The same, which tells what is lost from what waits in a queue that is never empty.
    pub(super) fn with_ages(self, metrics: Arc<CloudWatch>) -> Self {
        Self {
            metrics: Some(metrics),
            ..self
        }
    }

    /// Reads an event's account; one that can't be there is empty.
    pub(super) async fn read(&self, event_id: &str) -> Result<Known, StoreError> {
        if !is_key(event_id) {
            return Ok(Known::default());
        }
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("eventId", text(event_id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| own_failed(STORE, &format!("GetItem of {}", self.table), &e))?;
        answer.item().map_or_else(|| Ok(Known::default()), known)
    }

    /// Reads the accounts of several events: of those that have one, by id.
    pub(super) async fn accounts(&self, event_ids: &BTreeSet<&str>) -> Result<HashMap<String, Known>, StoreError> {
        let keys = event_ids.iter().filter(|id| is_key(id));
        let keys: Vec<Item> = keys.map(|id| Item::from([("eventId".to_owned(), text(*id))])).collect();
        let failed = |e: &SdkError<BatchGetItemError>| own_failed(STORE, &format!("BatchGetItem of {}", self.table), e);
        let items = by_keys(&self.client, STORE, &self.table, &keys, failed).await?;
        let account = |item: &Item| Ok((Record { what: STORE, item }.text("eventId")?, known(item)?));
        items.iter().map(account).collect()
    }

    /// Makes a change: reads the account, has `change` say what it becomes, and writes it unless somebody was faster; then again.
    /// `None` changes nothing. What the account has become is given back.
    pub(super) async fn change(&self, event_id: &str, change: impl Fn(&Account) -> Option<Account>) -> Result<Option<Account>, StoreError> {
        for attempt in 0..TRIES {
            let before = self.read(event_id).await?;
            let Some(after) = change(&before.account) else { return Ok(None) };
            match self.write(&[(event_id, &before, &after)], Vec::new()).await {
                Ok(true) => return Ok(Some(after)),
                Ok(false) => wait(attempt).await,
                Err(NotMade::Refused(_)) => {}
                Err(NotMade::Failed(error)) => return Err(error),
            }
        }
        Err(overtaken(STORE))
    }

    /// Writes accounts as they have become, and `effects` with them, all or nothing. `false` if one of the accounts is no longer as
    /// it was read.
    pub(super) async fn write(&self, accounts: &[(&str, &Known, &Account)], effects: Vec<TransactWriteItem>) -> Result<bool, NotMade> {
        let change = accounts.iter().fold(Tally::default(), |sum, (_, before, after)| {
            sum.plus(after.tally().minus(before.account.tally()))
        });
        let first = effects.len();
        let mut items = effects;
        for (event_id, before, after) in accounts {
            items.push(self.put(event_id, before, after)?);
        }
        let after_accounts = items.len();
        if change != Tally::default() {
            items.push(self.add(change)?);
        }
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        let error = match sent {
            Ok(_) => return Ok(true),
            Err(error) => error,
        };
        let Some(reasons) = cancelled(&error) else {
            return Err(own_failed(STORE, &format!("TransactWriteItems in {}", self.table), &error).into());
        };
        let failed = |range: std::ops::Range<usize>| {
            range
                .into_iter()
                .find(|n| reasons.get(*n).is_some_and(|code| code == "ConditionalCheckFailed"))
        };
        if let Some(n) = failed(0..first) {
            return Err(NotMade::Refused(n));
        }
        let passing =
            |code: &String| ["TransactionConflict", "None", "ThrottlingError", "ProvisionedThroughputExceeded"].contains(&code.as_str());
        if failed(first..after_accounts).is_some() || reasons.iter().all(passing) {
            return Ok(false);
        }
        Err(StoreError::Unavailable {
            what: STORE,
            reason: format!("TransactWriteItems in {}: {}", self.table, reasons.join(", ")),
        }
        .into())
    }

    fn put(&self, event_id: &str, before: &Known, after: &Account) -> Result<TransactWriteItem, StoreError> {
        let account = serde_json::to_string(after).ok().and_then(|json| item_of_json(&json));
        let mut item = account.ok_or_else(|| StoreError::Corrupt {
            what: STORE,
            reason: format!("an account of {event_id} that can't be written"),
        })?;
        item.insert("eventId".to_owned(), text(event_id));
        item.insert("version".to_owned(), number(before.version + 1));
        if let Some(at) = after.published_at() {
            item.insert("publishedMillis".to_owned(), number(at.0));
        }
        if after.open() {
            item.insert("open".to_owned(), text(shard(event_id)));
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = if before.version == 0 {
            put.condition_expression("attribute_not_exists(eventId)")
        } else {
            put.condition_expression("version = :version")
                .expression_attribute_values(":version", number(before.version))
        };
        transaction::put(STORE, put)
    }

    /// Adds to the totals: to one of several items, for all events end up here.
    fn add(&self, change: Tally) -> Result<TransactWriteItem, StoreError> {
        let shard = rand::rng().random_range(0..SHARDS);
        let mut update = Update::builder()
            .table_name(&self.totals_table)
            .key("shard", text(shard.to_string()));
        let mut parts = Vec::new();
        for (name, by) in change.fields().into_iter().filter(|(_, by)| *by != 0) {
            // `stored` is a word of DynamoDB's own.
            parts.push(format!("#{name} :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), number(by));
        }
        transaction::update(STORE, update.update_expression(format!("ADD {}", parts.join(", "))))
    }

    async fn totals(&self) -> Result<Tally, StoreError> {
        let keys: Vec<Item> = (0..SHARDS)
            .map(|shard| Item::from([("shard".to_owned(), text(shard.to_string()))]))
            .collect();
        let failed = |e: &SdkError<BatchGetItemError>| own_failed(STORE, &format!("BatchGetItem of {}", self.totals_table), e);
        let items = by_keys(&self.client, STORE, &self.totals_table, &keys, failed).await?;
        Ok(items.iter().fold(Tally::default(), |sum, item| sum.plus(tally(item))))
    }

    /// How complete the audit trail is.
    pub(super) async fn completeness(&self) -> Result<AuditEvidence, StoreError> {
        let totals = self.totals().await?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(AuditEvidence {
            published: count(totals.published),
            stored: count(totals.stored),
            on_the_way: count(totals.published - totals.stored - totals.not_stored),
            orphaned: count(totals.orphaned),
        })
    }
}

fn shard(event_id: &str) -> String {
    (Sha256::digest(event_id.as_bytes())[0] % SHARDS).to_string()
}

/// Why a transaction was not made, item by item; `None` if it failed as a whole.
fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Vec<String>> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let codes = cancelled
                .cancellation_reasons()
                .iter()
                .map(|reason| reason.code().unwrap_or("None").to_owned());
            Some(codes.collect())
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(Vec::new()),
        _ => None,
    }
}

fn known(item: &Item) -> Result<Known, StoreError> {
    let record = Record { what: STORE, item };
    let account = serde_json::from_str(&item_to_json(item)).map_err(|e| StoreError::Corrupt {
        what: STORE,
        reason: format!("the account of {}: {e}", record.optional_text("eventId").unwrap_or_default()),
    })?;
    Ok(Known {
        account,
        version: record.number("version")?,
    })
}

fn entry(item: &Item) -> Result<Option<LedgerEntry>, StoreError> {
    let event_id = Record { what: STORE, item }.text("eventId")?;
    Ok(known(item)?.account.entry(&event_id))
}

fn tally(item: &Item) -> Tally {
    let record = Record { what: STORE, item };
    let number = |name: &str| record.number(name).unwrap_or(0);
    Tally {
        published: number("published"),
        completed: number("completed"),
        dead_lettered: number("deadLettered"),
        stored: number("stored"),
        not_stored: number("notStored"),
        orphaned: number("orphaned"),
    }
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn entry(&self, event_id: &str) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.read(event_id).await?.account.entry(event_id))
    }

    async fn summary(&self) -> Result<LedgerSummary, StoreError> {
        let (totals, unaccounted) = tokio::try_join!(self.totals(), self.unaccounted.get(|| self.unaccounted()))?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(LedgerSummary {
            published: count(totals.published),
            completed: count(totals.completed),
            dead_lettered: count(totals.dead_lettered),
            in_flight: count(totals.published - totals.completed - totals.dead_lettered),
            unaccounted: *unaccounted,
        })
    }

    async fn open(&self, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        self.oldest(limit).await
    }
}
