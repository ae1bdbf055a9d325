//! One partition of an index, newest first.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{STORE, decode};
use crate::aws::attribute::Item;
use crate::aws::error::failed;
use crate::aws::merge::{Batch, Source};
use crate::ports::{EventFilter, StoreError, StoredEvent};

/// The most items that one call asks for.
const MAX_BATCH: i32 = 1_000;

/// A partition that is read.
pub(super) struct Partition<'a> {
    client: &'a Client,
    table: &'a str,
    index: &'a str,
    attribute: &'static str,
    value: String,
    span: (i64, i64),
    /// What else DynamoDB checks of each item before it sends it.
    filter: Option<String>,
    values: HashMap<String, AttributeValue>,
    batch: i32,
    start: Option<Item>,
}

impl<'a> Partition<'a> {
    /// What `value` of `attribute` has, of both ends of `span` and between, that matches `filter`.
    #[allow(clippy::too_many_arguments)] // all that a query is made of
    pub(super) fn new(
        client: &'a Client,
        table: &'a str,
        index: &'a str,
        attribute: &'static str,
        value: String,
        span: (i64, i64),
        filter: &EventFilter,
        limit: u32,
    ) -> Self {
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
                values.insert(placeholder.to_owned(), AttributeValue::S(wanted.clone()));
            }
        }
        // Two more than a page: one tells that there is a next one, the other that the one before it is the last of its millisecond.
        let page = i32::try_from(limit).unwrap_or(MAX_BATCH).saturating_add(2);
        let sparse = filter.q.is_some() || !conditions.is_empty();
        Self {
            client,
            table,
            index,
            attribute,
            value,
            span,
            filter: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
            values,
            // Of one partition much at a time is looked through; of many together it would be too much.
            batch: if sparse && attribute != "eventType" {
                MAX_BATCH
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
        let (oldest, newest) = self.span;
        if oldest > newest {
            return Ok(Batch {
                items: Vec::new(),
                seen_after: None,
            });
        }
        let number = |n: i64| AttributeValue::N(n.to_string());
        let mut query = self
            .client
            .query()
            .table_name(self.table)
            .index_name(self.index)
            .key_condition_expression("#partition = :partition AND #timestamp BETWEEN :oldest AND :newest")
            .expression_attribute_names("#partition", self.attribute)
            .expression_attribute_names("#timestamp", "timestamp")
            .expression_attribute_values(":partition", AttributeValue::S(self.value.clone()))
            .expression_attribute_values(":oldest", number(oldest))
            .expression_attribute_values(":newest", number(newest))
            .scan_index_forward(false)
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
            .map_err(|e| failed(STORE, &format!("Query of {} in {}", self.index, self.table), &e))?;
        self.start = answer.last_evaluated_key().cloned();
        let seen_after = self
            .start
            .as_ref()
            .map(|key| {
                let at = key.get("timestamp").and_then(|at| at.as_n().ok()).and_then(|at| at.parse().ok());
                at.ok_or_else(|| StoreError::Corrupt {
                    what: STORE,
                    reason: format!("{} goes on from a key without a timestamp", self.index),
                })
            })
            .transpose()?;
        Ok(Batch {
            items: answer.items().iter().filter_map(decode).collect(),
            seen_after,
        })
    }
}
