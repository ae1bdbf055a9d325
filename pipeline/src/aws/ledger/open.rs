//! The events that are still open: which are tried again, and which nothing is going to attempt any more.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::try_join_all;

use super::{DynamoLedger, SHARDS, STORE, entry};
use crate::aws::error::own_failed;
use crate::aws::metrics::QUEUE_AGE;
use crate::aws::record::text;
use crate::ledger::{DeliveryState, LedgerEntry};
use crate::ports::StoreError;
use crate::time::{MINUTE, Timestamp};

/// The index over the open events: `open`, a shard, and `publishedMillis`.
const OPEN_INDEX: &str = "OpenPublishedAtIndex";
/// An open delivery older than this is unaccounted for if nothing waits in its consumer's queue, milliseconds.
const OVERDUE: i64 = 10 * MINUTE;
/// The same where no queue of ours feeds the consumer: Lambda tries for six hours.
const OVERDUE_AT_LAMBDA: i64 = 7 * 60 * MINUTE;
/// How many open events are looked at for ones that are unaccounted for, and for deliveries that are tried again.
const LOOKED_AT: u32 = 500;

impl DynamoLedger {
    /// The open events, oldest first.
    pub(super) async fn oldest(&self, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let size = i32::try_from(limit).unwrap_or(i32::MAX);
        let shards = (0..SHARDS).map(async |shard| {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(OPEN_INDEX)
                .key_condition_expression("#open = :shard")
                .expression_attribute_names("#open", "open")
                .expression_attribute_values(":shard", text(shard.to_string()))
                .limit(size)
                .send()
                .await
                .map_err(|e| own_failed(STORE, &format!("Query of {OPEN_INDEX} in {}", self.table), &e))?;
            answer.items().iter().map(entry).collect::<Result<Vec<_>, StoreError>>()
        });
        let mut all: Vec<LedgerEntry> = try_join_all(shards).await?.into_iter().flatten().flatten().collect();
        all.sort_by(|a, b| (a.published_at, &a.event_id).cmp(&(b.published_at, &b.event_id)));
        all.truncate(limit as usize);
        Ok(all)
    }

    /// By consumer, the deliveries that failed and are tried again; `None` if more events are open than are looked at, or there is no ledger. A consumer that
    /// is not ours writes down nothing of this.
    pub(in crate::aws) async fn retrying(&self) -> Result<Arc<Option<HashMap<String, u64>>>, StoreError> {
        let count = || async {
            let open = match self.oldest(LOOKED_AT).await {
                Ok(open) if open.len() < LOOKED_AT as usize => open,
                // A deployment without a ledger is whole, and stays without for a while.
                Ok(_) | Err(StoreError::NotOffered { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let mut counts = HashMap::new();
            for delivery in open.iter().flat_map(|entry| &entry.deliveries).filter(|d| d.next_at.is_some()) {
                *counts.entry(delivery.consumer.clone()).or_default() += 1;
            }
            Ok(Some(counts))
        };
        self.retrying.get(count).await
    }

    /// Open events with a delivery that nothing is going to attempt, as far as can be told: it is overdue, and its consumer's queue
    /// is empty, or holds nothing as old. What waits in dead-letter queues, and may be they, is not among them.
    pub(super) async fn unaccounted(&self) -> Result<u64, StoreError> {
        let now = Timestamp::now();
        let open = self.oldest(LOOKED_AT).await?;
        if open.first().is_none_or(|oldest| now.since(oldest.published_at) < OVERDUE) {
            return Ok(0);
        }
        let (waiting, dead) = tokio::try_join!(self.queues.waiting(), self.queues.letters_waiting())?;
        let oldest = |consumer: &str| self.metrics.as_ref()?.oldest(&QUEUE_AGE, Some(consumer));
        let lost = |entry: &&LedgerEntry| {
            let age = now.since(entry.published_at);
            let overdue = |consumer: &str| match waiting.get(consumer) {
                Some(0) => age >= OVERDUE,
                Some(_) => age >= OVERDUE && oldest(consumer).is_some_and(|oldest| oldest.since(entry.published_at) >= OVERDUE),
                None => age >= OVERDUE_AT_LAMBDA,
            };
            entry
                .deliveries
                .iter()
                .any(|d| d.state == DeliveryState::Open && overdue(&d.consumer))
        };
        Ok((open.iter().filter(lost).count() as u64).saturating_sub(dead))
    }
}
