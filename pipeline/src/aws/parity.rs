//! The trigger ledger: what both paths asked of analytics, an item for each path of each operation.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use futures::future::try_join_all;

use super::again::{TRIES, overtaken, wait};
use super::analytics::DynamoAnalytics;
use super::attribute::Item;
use super::error::own_failed;

use super::query::items;
use super::record::{Record, number, text};
use super::{Names, transaction};
use crate::parity::{Pair, ParityReport, Ran};
use crate::ports::{DirectCall, Parity, StoreError};
use crate::time::{Span, Timestamp, check_range};
use crate::trigger::{AnalyticType, Path, Trigger, TriggerMaps};

/// The table's name in errors.
const STORE: &str = "the trigger ledger";
/// The index over `eventType` and `at`.
const INDEX: &str = "EventTypeAtIndex";
/// How far back parity can be looked at, milliseconds: as in the embedded backend.
const KEPT_FOR: i64 = 400 * crate::time::DAY;
/// How long after a direct call its event may come, milliseconds, to be found with it: the retention of a queue, about.
const APART: i64 = 24 * crate::time::HOUR;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct DynamoParity {
    client: Client,
    table: String,
    analytics: DynamoAnalytics,
    /// The event types that ask anything of analytics.
    types: Vec<String>,
}

/// One path of an operation.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) operation_id: &'a str,
    pub(super) event_type: &'a str,
    pub(super) user_id: &'a str,
    pub(super) path: Path,
    pub(super) trigger: Trigger,
    pub(super) at: Timestamp,
    /// Of a direct call, whether the event path runs as well.
    pub(super) both: bool,
}

const fn name(path: Path) -> &'static str {
    match path {
        Path::Direct => "direct",
        Path::Event => "event",
    }
}

impl DynamoParity {
    pub(super) fn new(client: Client, names: &Names, maps: &TriggerMaps) -> Self {
        let mut types: Vec<String> = maps.direct.keys().chain(maps.event.keys()).cloned().collect();
        types.sort();
        types.dedup();
        Self {
            analytics: DynamoAnalytics::new(client.clone(), names),
            client,
            table: names.triggers_table(),
            types,
        }
    }

    /// What records that a path ran, to be written together with what it asked for.
    pub(super) fn record(&self, asked: &Asked<'_>) -> Result<TransactWriteItem, StoreError> {
        let types = asked.trigger.types.iter().map(|t| t.name().to_owned()).collect();
        let put = Put::builder()
            .table_name(&self.table)
            .item("operationId", text(asked.operation_id))
            .item("path", text(name(asked.path)))
            .item("eventType", text(asked.event_type))
            .item("userId", text(asked.user_id))
            .item("at", number(asked.at.0))
            .item("priority", number(asked.trigger.priority))
            .item("types", aws_sdk_dynamodb::types::AttributeValue::Ss(types))
            .item("both", aws_sdk_dynamodb::types::AttributeValue::Bool(asked.both))
            .item("ttl", number(asked.at.plus(KEPT_FOR).0 / 1_000));
        transaction::put(STORE, put)
    }

    /// What is recorded of a type in a span.
    async fn of_type(&self, event_type: &str, span: Span) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("eventType = :type AND #at BETWEEN :from AND :to")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":type", text(event_type))
            .expression_attribute_values(":from", number(span.from.0))
            .expression_attribute_values(":to", number(span.to.0));
        let found = items(query, usize::MAX).await;
        found.map_err(|e| own_failed(STORE, &format!("Query of {INDEX} in {}", self.table), &e))
    }
}

fn trigger(record: &Record<'_>) -> Result<Trigger, StoreError> {
    let types = record
        .item
        .get("types")
        .and_then(|types| types.as_ss().ok())
        .map_or(&[][..], Vec::as_slice);
    Ok(Trigger {
        priority: record.number("priority")?,
        types: types.iter().filter_map(|name| AnalyticType::from_name(name)).collect(),
    })
}

#[async_trait]
impl Parity for DynamoParity {
    async fn record_direct(&self, call: DirectCall) -> Result<(), StoreError> {
        let asked = Asked {
            operation_id: &call.operation_id,
            event_type: &call.event_type,
            user_id: &call.user_id,
            path: Path::Direct,
            trigger: call.trigger,
            at: call.at,
            both: call.both,
        };
        for attempt in 0..TRIES {
            let mut items = self.analytics.mark(&call.user_id, call.trigger, call.at).await?;
            items.push(self.record(&asked)?);
            let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
            match sent {
                Ok(_) => return Ok(()),
                // Somebody else marked the same.
                Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => wait(attempt).await,
                Err(error) => return Err(own_failed(STORE, &format!("TransactWriteItems in {}", self.table), &error)),
            }
        }
        Err(overtaken(STORE))
    }

    async fn report(&self, span: Span, event_type: Option<&str>, now: Timestamp) -> Result<ParityReport, StoreError> {
        check_range(Some(span.from), Some(span.to))?;
        let types: Vec<&str> = event_type.map_or_else(|| self.types.iter().map(String::as_str).collect(), |only| vec![only]);
        // Of an operation in the span the other path may have run outside of it.
        let wide = Span {
            from: span.from.plus(-APART),
            to: span.to.plus(APART),
        };
        let found = try_join_all(types.iter().map(|event_type| self.of_type(event_type, wide))).await?;
        let mut operations = BTreeMap::<String, Ran>::new();
        let mut both = BTreeMap::<String, bool>::new();
        for item in found.iter().flatten() {
            let record = Record { what: STORE, item };
            let (id, at) = (record.text("operationId")?, Timestamp(record.number("at")?));
            let ran = operations.entry(id.clone()).or_insert_with(|| Ran {
                operation_id: id.clone(),
                event_type: record.optional_text("eventType").unwrap_or_default(),
                user_id: record.optional_text("userId").unwrap_or_default(),
                at,
                pair: Pair { direct: None, event: None },
            });
            let asked = Some((trigger(&record)?, at.0));
            if record.text("path")? == name(Path::Direct) {
                // The operation ran when it was called.
                (ran.pair.direct, ran.at) = (asked, at);
                both.insert(id, record.truth("both")?);
            } else {
                ran.pair.event = asked;
            }
        }
        let compared = operations.into_values().filter(|ran| {
            let expected = ran.pair.event.is_some() || both.get(&ran.operation_id).copied().unwrap_or(false);
            expected && ran.at >= span.from && ran.at < span.to
        });
        Ok(ParityReport::of(span, compared.collect(), now))
    }
}
