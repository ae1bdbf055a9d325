//! Writing what items have come to.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use super::STORE;
use super::record::Listed;
use super::worker::{TOGETHER, Worker};
use crate::aws::again::{TRIES, overtaken, wait};
use crate::aws::letters::Kept;
use crate::aws::record::{number, text};
use crate::aws::transaction;
use crate::letter::LetterStatus;
use crate::operation::{ItemStatus, OperationStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;

/// What an item has come to.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) n: i64,
    pub(super) status: ItemStatus,
    pub(super) note: Option<String>,
}

impl Outcome {
    pub(super) fn of(item: &Listed, status: ItemStatus, note: Option<String>) -> Self {
        Self { n: item.n, status, note }
    }
}

/// Why a letter is passed over.
pub(super) fn why_not(kept: Option<&Kept>, wanted: LetterStatus) -> String {
    kept.map_or_else(
        || "there is no such letter".to_owned(),
        |kept| format!("it is {}, not {}", kept.letter.status.name(), wanted.name()),
    )
}

impl Worker {
    /// What writes an item's status over an earlier one.
    pub(super) fn item(
        &self,
        id: &str,
        n: i64,
        from: ItemStatus,
        to: ItemStatus,
        note: Option<&str>,
    ) -> Result<TransactWriteItem, StoreError> {
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
        transaction::update(STORE, update)
    }

    /// Writes the outcomes of items that had the status `from`, what belongs to them, and the operation's counts, all or nothing.
    /// `only_running` has it refused once the operation was cancelled. `false` if something was not as it had to be.
    pub(super) async fn settle(
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
        all.push(transaction::update(STORE, counts)?);
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

    /// Writes the outcomes of items that were announced, and that had the status `from` when last looked at. None is lost because
    /// something else is written at the same moment.
    pub(super) async fn settle_announced(&self, id: &str, from: ItemStatus, outcomes: &[Outcome]) -> Result<(), StoreError> {
        for some in outcomes.chunks(TOGETHER) {
            if self.settle(id, from, some, Vec::new(), false).await? {
                continue;
            }
            for outcome in some {
                self.settle_one(id, outcome).await?;
            }
        }
        Ok(())
    }

    /// Writes one outcome over whatever status its item has, unless that is an outcome already.
    async fn settle_one(&self, id: &str, outcome: &Outcome) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let listed = self.operations.listed(id, outcome.n - 1, 1).await?;
            let from = match listed.first().map(|item| item.status) {
                Some(from @ (ItemStatus::Waiting | ItemStatus::Sent)) => from,
                Some(ItemStatus::Succeeded | ItemStatus::Failed | ItemStatus::Skipped) | None => return Ok(()),
            };
            if self.settle(id, from, std::slice::from_ref(outcome), Vec::new(), false).await? {
                return Ok(());
            }
            wait(attempt).await;
        }
        Err(overtaken(STORE))
    }
}
