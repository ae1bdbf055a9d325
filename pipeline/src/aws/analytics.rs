//! Which analytics are to be computed, in the application's table: key `userId` and `analyticType`.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

use super::attribute::Item;
use super::error::failed;
use super::query::items;
use super::record::{Assigned, Record, assigned, number, text};
use super::{Connection, Names, transaction};
use crate::page::check_limit;
use crate::ports::{AnalyticsQueue, StoreError};
use crate::time::Timestamp;
use crate::trigger::{AnalyticType, AnalyticsStatus, Trigger};

/// The table's name in errors.
const STORE: &str = "the analytics table";
/// The index over what is to be computed, whoever's it is: it holds nothing else.
const NEEDED_INDEX: &str = "NeededIndex";

/// See the module.
#[derive(Clone, Debug)]
pub struct DynamoAnalytics {
    client: Client,
    table: String,
}

/// What is to be computed next: by priority, and of those with the same by when it was asked for.
fn rank(status: &AnalyticsStatus) -> i64 {
    // Fifteen digits hold a time until the year 33658.
    i64::from(status.processing_priority) * 1_000_000_000_000_000 + status.marked_at.0
}

impl DynamoAnalytics {
    /// Over the deployment's table; nothing is called yet.
    #[must_use]
    pub fn of(connection: &Connection, names: &Names) -> Self {
        Self::new(Client::new(&connection.sdk), names)
    }

    pub(super) fn new(client: Client, names: &Names) -> Self {
        Self {
            client,
            table: names.analytics_table(),
        }
    }

    /// What marks a user's analytics for recomputation at `at`, to be written together with other things: each is refused if
    /// somebody else has marked it since.
    pub(super) async fn mark(&self, user_id: &str, trigger: Trigger, at: Timestamp) -> Result<Vec<TransactWriteItem>, StoreError> {
        let known: HashMap<AnalyticType, AnalyticsStatus> = self
            .of_user(user_id)
            .await?
            .into_iter()
            .map(|status| (status.analytic_type, status))
            .collect();
        let marks = trigger.types.iter().map(|analytic_type| {
            let before = known.get(&analytic_type);
            let urgent = before
                .filter(|before| before.computation_needed)
                .map_or(trigger.priority, |before| before.processing_priority.min(trigger.priority));
            let after = AnalyticsStatus {
                user_id: user_id.to_owned(),
                analytic_type,
                computation_needed: true,
                processing_priority: urgent,
                last_computed_date: before.and_then(|before| before.last_computed_date.clone()),
                marked_at: before.map_or(at, |before| at.max(before.marked_at.plus(1))),
            };
            let Assigned { expression, names, values } = assigned(fields(&after));
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(key(&after)))
                .update_expression(expression)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(Some(values));
            let update = match before {
                None => update.condition_expression("attribute_not_exists(userId)"),
                // A table that somebody else fills has no such attribute.
                Some(before) if before.marked_at == Timestamp(0) => update.condition_expression("attribute_not_exists(markedAt)"),
                Some(before) => update
                    .condition_expression("markedAt = :before")
                    .expression_attribute_values(":before", number(before.marked_at.0)),
            };
            transaction::update(STORE, update)
        });
        marks.collect()
    }
}

fn key(status: &AnalyticsStatus) -> Item {
    Item::from([
        ("userId".to_owned(), text(&status.user_id)),
        ("analyticType".to_owned(), text(status.analytic_type.name())),
    ])
}

/// What is written; the table is the application's, and what else it keeps there stays.
fn fields(status: &AnalyticsStatus) -> [(&'static str, Option<AttributeValue>); 6] {
    let needed = status.computation_needed;
    [
        ("computationNeeded", Some(AttributeValue::Bool(needed))),
        ("processingPriority", Some(number(status.processing_priority))),
        ("lastComputedDate", status.last_computed_date.as_ref().map(text)),
        ("markedAt", Some(number(status.marked_at.0))),
        ("needed", needed.then(|| text("needed"))),
        ("rank", needed.then(|| number(rank(status)))),
    ]
}

fn status(item: &Item) -> Result<AnalyticsStatus, StoreError> {
    let record = Record { what: STORE, item };
    let name = record.text("analyticType")?;
    Ok(AnalyticsStatus {
        user_id: record.text("userId")?,
        analytic_type: AnalyticType::from_name(&name).ok_or_else(|| StoreError::Corrupt {
            what: STORE,
            reason: format!("an analytics type {name}"),
        })?,
        computation_needed: record.truth("computationNeeded")?,
        processing_priority: record.number("processingPriority")?,
        last_computed_date: record.optional_text("lastComputedDate"),
        marked_at: Timestamp(record.number("markedAt").unwrap_or(0)),
    })
}

#[async_trait]
impl AnalyticsQueue for DynamoAnalytics {
    async fn of_user(&self, user_id: &str) -> Result<Vec<AnalyticsStatus>, StoreError> {
        if user_id.is_empty() {
            return Ok(Vec::new());
        }
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user_id))
            .consistent_read(true);
        let found = items(query, usize::MAX).await;
        let found = found.map_err(|e| failed(STORE, &format!("Query of {}", self.table), &e))?;
        let mut list = found.iter().map(status).collect::<Result<Vec<_>, _>>()?;
        list.sort_by_key(|status| status.analytic_type);
        Ok(list)
    }

    async fn needed(&self, limit: u32) -> Result<Vec<AnalyticsStatus>, StoreError> {
        check_limit(limit)?;
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(NEEDED_INDEX)
            .key_condition_expression("needed = :needed")
            .expression_attribute_values(":needed", text("needed"));
        let found = items(query, limit as usize).await;
        let found = found.map_err(|e| failed(STORE, &format!("Query of {NEEDED_INDEX} in {}", self.table), &e))?;
        found.iter().map(status).collect()
    }

    async fn computed(&self, of: &AnalyticsStatus, date: &str) -> Result<bool, StoreError> {
        let done = AnalyticsStatus {
            computation_needed: false,
            last_computed_date: Some(date.to_owned()),
            ..of.clone()
        };
        let Assigned { expression, names, values } = assigned(fields(&done));
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&done)))
            .update_expression(expression)
            .condition_expression("markedAt = :before")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":before", number(of.marked_at.0))
            .send()
            .await;
        match update {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(error) => Err(failed(STORE, &format!("UpdateItem in {}", self.table), &error)),
        }
    }
}
