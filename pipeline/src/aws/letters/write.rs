//! Changing letters, each only as it was seen.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::item::item;
use super::{DynamoLetters, Kept, STORE};
use crate::aws::record::{number, text};
use crate::aws::transaction;
use crate::letter::{Letter, LetterStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;

/// Of an item that is no letter: which letter the message was the return of.
const RETURN_OF: &str = "returnOf";

impl DynamoLetters {
    /// Keeps a letter; one that is there already stays as it is. `false` if the message was known as the return of another letter.
    pub(in crate::aws) async fn keep(&self, kept: &Kept) -> Result<bool, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(kept)))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(there)) => {
                    Ok(there.item().is_none_or(|item| !item.contains_key(RETURN_OF)))
                }
                _ => Err(self.failed("PutItem", &error)),
            },
        }
    }

    /// What writes a letter over the `known` one, to be written together with other things: refused if it is another by then.
    pub(in crate::aws) fn put(&self, kept: &Kept, known: Option<&Kept>) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item(kept)));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(id)"),
            Some(known) => put
                .condition_expression("#status = :status AND statusAt = :at")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(known.letter.status.name()))
                .expression_attribute_values(":at", number(known.letter.status_at.0)),
        };
        transaction::put(STORE, put)
    }

    /// What changes a letter's status, to be written together with other things: refused if it has another than `from`.
    pub(in crate::aws) fn mark(&self, id: &str, from: LetterStatus, to: LetterStatus) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(id))
            .update_expression("SET #status = :to, statusAt = :now")
            .condition_expression("#status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":from", text(from.name()))
            .expression_attribute_values(":to", text(to.name()))
            .expression_attribute_values(":now", number(Timestamp::now().0));
        transaction::update(STORE, update)
    }

    /// Makes changes, all or none; what is refused is none.
    async fn unless_changed(&self, changes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        match self.client.transact_write_items().set_transact_items(Some(changes)).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => Ok(()),
            Err(error) => Err(self.failed("TransactWriteItems", &error)),
        }
    }

    /// Changes a letter's status, unless it has another than `from` by now.
    pub(in crate::aws) async fn set(&self, id: &str, from: LetterStatus, to: LetterStatus) -> Result<(), StoreError> {
        self.unless_changed(vec![self.mark(id, from, to)?]).await
    }

    /// Notes that what was tried once more failed once more. `arrival` is the id that a letter of its own would have had: whatever comes
    /// under that once more is known by it.
    pub(in crate::aws) async fn failed_again(
        &self,
        known: &Kept,
        (code, message, permanent): (&str, &str, bool),
        arrival: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let letter = Letter {
            error_code: code.to_owned(),
            error_message: message.to_owned(),
            permanent,
            attempts: known.letter.attempts + 1,
            failed_redrives: known.letter.failed_redrives + 1,
            failed_at: now,
            status: LetterStatus::Open,
            status_at: now,
            ..known.letter.clone()
        };
        let kept = Kept {
            letter,
            body: known.body.clone(),
        };
        let mut changes = vec![self.put(&kept, Some(known))?];
        if let Some(arrival) = arrival {
            let mark = Put::builder()
                .table_name(&self.table)
                .item("id", text(arrival))
                .item(RETURN_OF, text(&known.letter.id))
                .condition_expression("attribute_not_exists(id)");
            changes.push(transaction::put(STORE, mark)?);
        }
        self.unless_changed(changes).await
    }

    /// What closes a letter whose event its consumer has completed, to be written together with that: refused if there is no such letter,
    /// or it was closed before.
    pub(in crate::aws) fn close(&self, id: &str) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", text(id))
            .update_expression("SET #status = :redriven, statusAt = :now")
            .condition_expression("#status IN (:open, :redriving)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":redriven", text(LetterStatus::Redriven.name()))
            .expression_attribute_values(":open", text(LetterStatus::Open.name()))
            .expression_attribute_values(":redriving", text(LetterStatus::Redriving.name()))
            .expression_attribute_values(":now", number(Timestamp::now().0));
        transaction::update(STORE, update)
    }
}
