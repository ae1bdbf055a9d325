//! One partition of an index, newest first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::STORE;
use super::strange::Strange;
use crate::aws::attribute::Item;
use crate::aws::error::failed;
use crate::aws::merge::{Batch, Source};
use crate::aws::record::{Record, number, text};
use crate::ports::{EventFilter, StoreError, StoredEvent};

/// The most items that one call asks for.
const MAX_BATCH: i32 = 2_000;

/// What all partitions of a list are asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) client: &'a Client,
    pub(super) table: &'a str,
    /// Of both ends and what is between them, Unix milliseconds.
    pub(super) span: (i64, i64),
    pub(super) filter: &'a EventFilter,
    /// How many a page holds.
    pub(super) limit: u32,
    /// How many are looked through in each partition for one page, if that is needed.
    pub(super) share: i32,
    /// What the reading has consumed so far, thousandths of a read unit.
    pub(super) capacity: &'a AtomicU64,
    pub(super) strange: &'a Strange,
}

/// A partition that is read.
pub(super) struct Partition<'a> {
    asked: Asked<'a>,
    index: &'a str,
    attribute: &'static str,
    value: String,
    /// What else DynamoDB checks of each item before it sends it.
    filter: Option<String>,
    values: HashMap<String, AttributeValue>,
    batch: i32,
    start: Option<Item>,
}

impl<'a> Partition<'a> {
    /// What `value` of `attribute` has, in the index that is partitioned by it.
    pub(super) fn new(asked: Asked<'a>, index: &'a str, attribute: &'static str, value: String) -> Self {
        let filter = asked.filter;
        let others = [
            ("eventType", ":type", &filter.event_type),
            ("source", ":source", &filter.source),
            ("userId", ":user", &filter.user),
            ("correlationId", ":correlation", &filter.correlation),
        ];
        let (mut conditions, mut values) = (Vec::new(), HashMap::new());
        for (name, placeholder, wanted) in others {
            if let Some(wanted) = wanted.as_ref().filter(|_| name != attribute) {
                // No reserved word but one, and that takes an alias of its own.
                let name = if name == "source" { "#source" } else { name };
                conditions.push(format!("{name} = {placeholder}"));
                values.insert(placeholder.to_owned(), text(wanted));
            }
        }
        // Three more than a page: one is the last of the page before, one tells that there is a next one, and one that the one before
        // it is the last of its millisecond.
        let page = i32::try_from(asked.limit).unwrap_or(MAX_BATCH).saturating_add(3);
        let sparse = filter.q.is_some() || !conditions.is_empty();
        Self {
            asked,
            index,
            attribute,
            value,
            filter: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
            values,
            // What is rare is looked for in much at a time: each partition has its share.
            batch: if sparse {
                asked.share.max(page).min(MAX_BATCH)
            } else {
                page.min(MAX_BATCH)
            },
            start: None,
        }
    }
}

impl Source for Partition<'_> {
    type Item = StoredEvent;

    async fn more(&mut self) -> Result<Batch<StoredEvent>, StoreError> {
        let (oldest, newest) = self.asked.span;
        if oldest > newest {
            return Ok(Batch {
                items: Vec::new(),
                seen_after: None,
            });
        }
        let mut query = self
            .asked
            .client
            .query()
            .table_name(self.asked.table)
            .index_name(self.index)
            .key_condition_expression("#partition = :partition AND #timestamp BETWEEN :oldest AND :newest")
            .expression_attribute_names("#partition", self.attribute)
            .expression_attribute_names("#timestamp", "timestamp")
            .expression_attribute_values(":partition", text(&self.value))
            .expression_attribute_values(":oldest", number(oldest))
            .expression_attribute_values(":newest", number(newest))
            .scan_index_forward(false)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .limit(self.batch)
            .set_exclusive_start_key(self.start.take());
        if let Some(filter) = &self.filter {
            query = query.filter_expression(filter);
            if filter.contains("#source") {
                query = query.expression_attribute_names("#source", "source");
            }
            for (placeholder, value) in &self.values {
                query = query.expression_attribute_values(placeholder, value.clone());
            }
        }
        let answer = query
            .send()
            .await
            .map_err(|e| failed(STORE, &format!("Query of {} in {}", self.index, self.asked.table), &e))?;
        let consumed = answer
            .consumed_capacity()
            .and_then(|consumed| consumed.capacity_units())
            .unwrap_or(0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few units
        self.asked.capacity.fetch_add((consumed * 1_000.0) as u64, Ordering::Relaxed);
        self.start = answer.last_evaluated_key().cloned();
        // What was asked for first is enough for a page. Who asks on looks for something rare, or at one crowded millisecond.
        self.batch = self.batch.saturating_mul(2).min(MAX_BATCH);
        let last = self.start.as_ref().map(|item| Record { what: STORE, item }.number("timestamp"));
        Ok(Batch {
            items: answer.items().iter().filter_map(|item| self.asked.strange.decode(item)).collect(),
            seen_after: last.transpose()?,
        })
    }
}
