//! Each consumer's last attempts that failed, in an item beside the totals: whatever became of their events, and however many there are.
//! Of a burst some are left out; the ledger has them all.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::{DynamoLedger, STORE};
use crate::aws::attribute::Item;
use crate::aws::error::own_failed;
use crate::aws::query::by_keys;
use crate::aws::record::{Record, text};
use crate::consumer::ConsumerFault;
use crate::ports::StoreError;

/// How many of each consumer are kept.
const KEPT: usize = 10;
/// How much of what went wrong is kept, characters, and of what length an event's id may be: an item is written as a whole.
const MAX_ERROR: usize = 200;
const MAX_ID: usize = 128;

/// What the key of a consumer's item begins with.
const PREFIX: &str = "faults#";

/// The attribute that has the nth newest.
fn slot(n: usize) -> String {
    format!("f{n}")
}

impl DynamoLedger {
    /// Notes an attempt that failed: each fault moves on by one place, and the last is forgotten. One call, whoever else makes it.
    pub(in crate::aws) async fn note_fault(&self, consumer: &str, fault: &ConsumerFault) -> Result<(), StoreError> {
        if fault.event_id.len() > MAX_ID || fault.event_type.len() > MAX_ID {
            return Ok(());
        }
        let fault = ConsumerFault {
            error: fault.error.chars().take(MAX_ERROR).collect(),
            ..fault.clone()
        };
        let json = serde_json::to_string(&fault).map_err(|e| StoreError::Corrupt {
            what: STORE,
            reason: format!("a fault that can't be written: {e}"),
        })?;
        let moves: Vec<String> = (1..KEPT)
            .rev()
            .map(|n| format!("{} = if_not_exists({}, :none)", slot(n), slot(n - 1)))
            .collect();
        let noted = self
            .client
            .update_item()
            .table_name(&self.totals_table)
            .key("shard", text(format!("{PREFIX}{consumer}")))
            .update_expression(format!("SET {}, {} = :new", moves.join(", "), slot(0)))
            // Once, though the answer may be lost.
            .condition_expression(format!("attribute_not_exists({0}) OR {0} <> :new", slot(0)))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":new", text(json))
            .send()
            .await;
        match noted {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            other => other
                .map(drop)
                .map_err(|e| own_failed(STORE, &format!("UpdateItem in {}", self.totals_table), &e)),
        }
    }

    /// By consumer, the last attempts that failed, newest first.
    pub(in crate::aws) async fn faults(&self, consumers: &[&str]) -> Result<HashMap<String, Vec<ConsumerFault>>, StoreError> {
        let keys: Vec<Item> = consumers
            .iter()
            .map(|consumer| Item::from([("shard".to_owned(), text(format!("{PREFIX}{consumer}")))]))
            .collect();
        let failed = |e: &SdkError<BatchGetItemError>| own_failed(STORE, &format!("BatchGetItem of {}", self.totals_table), e);
        let items = by_keys(&self.client, STORE, &self.totals_table, &keys, failed).await?;
        let faults = items.iter().map(|item| {
            let record = Record { what: STORE, item };
            let shard = record.text("shard")?;
            let kept = (0..KEPT).filter_map(|n| record.optional_text(&slot(n)));
            let mut faults: Vec<ConsumerFault> = kept.filter_map(|json| serde_json::from_str(&json).ok()).collect();
            // As they were noted, which may be by several at once; and twice, if others came between.
            faults.sort_by_key(newest_first);
            faults.dedup();
            Ok((shard.trim_start_matches(PREFIX).to_owned(), faults))
        });
        faults.collect()
    }
}

/// The order of faults.
pub(in crate::aws) fn newest_first(fault: &ConsumerFault) -> impl Ord + use<> {
    std::cmp::Reverse((fault.at, fault.attempt))
}
