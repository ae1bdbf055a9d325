//! The typed payloads of the design's event types.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, InvalidField};

/// Every type the design names, as written on the wire. `transactions.created` is legacy and still accepted.
pub const KNOWN_TYPES: [&str; 12] = [
    "file.uploaded",
    "file.processed",
    "file.associated",
    "transactions.created",
    "transaction.updated",
    "transactions.deleted",
    "transaction.categorized",
    "account.created",
    "account.updated",
    "account.deleted",
    "category.rules_applied",
    "category.rule_created",
];

/// A payload whose type is known, or the fact that it isn't.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each variant is its type's payload
pub enum Payload {
    FileUploaded(FileUploaded),
    FileProcessed(FileProcessed),
    FileAssociated(FileAssociated),
    TransactionsCreated(TransactionsCreated),
    TransactionUpdated(TransactionUpdated),
    TransactionsDeleted(TransactionsDeleted),
    TransactionCategorized(TransactionCategorized),
    AccountCreated(AccountCreated),
    AccountUpdated(AccountUpdated),
    AccountDeleted(AccountDeleted),
    CategoryRulesApplied(CategoryRulesApplied),
    CategoryRuleCreated(CategoryRuleCreated),
    /// A type that the design doesn't name: carried whole.
    Unknown,
}

macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs)] // the fields are the design's own
        pub struct $name { $($(#[$attr])* pub $field: $type),* }
    };
}

payload!(/// `file.uploaded`: a file arrived in S3.
FileUploaded { file_id: String, file_name: String, file_size: u64, s3_key: String, #[serde(default)] account_id: Option<String>, #[serde(default)] file_format: Option<String> });
payload!(/// `file.processed`: a file was turned into transactions, or was not.
FileProcessed {
    file_id: String, #[serde(default)] account_id: Option<String>, transaction_count: u64, #[serde(default)] duplicate_count: u64,
    #[serde(default)] transaction_ids: Option<Vec<String>>, #[serde(default)] date_range: Option<DateRange>,
    processing_status: ProcessingStatus, #[serde(default)] error_message: Option<String>,
});
payload!(/// First and last day of a file's transactions, as written by the publisher.
DateRange { start_date: String, end_date: String });
payload!(/// `file.associated`: a file was tied to an account.
FileAssociated { file_id: String, account_id: String, #[serde(default)] previous_account_id: Option<String> });
payload!(/// `transactions.created`: legacy, folded into `file.processed`.
TransactionsCreated { transaction_ids: Vec<String>, #[serde(default)] file_id: Option<String>, #[serde(default)] account_id: Option<String>, #[serde(default)] transaction_count: Option<u64> });
payload!(/// `transaction.updated`: a transaction was edited by hand.
TransactionUpdated { transaction_id: String, account_id: String, changes: Vec<Change> });
payload!(/// One field that changed.
Change { field: String, #[serde(default)] old_value: Value, #[serde(default)] new_value: Value });
payload!(/// `transactions.deleted`.
TransactionsDeleted { transaction_ids: Vec<String>, account_ids: Vec<String>, deletion_type: DeletionType });
payload!(/// `transaction.categorized`: a transaction's category changed.
TransactionCategorized {
    transaction_id: String, account_id: String, category_id: String, #[serde(default)] previous_category_id: Option<String>,
    confidence: f64, assignment_type: String, #[serde(default)] rule_id: Option<String>,
});
payload!(/// `account.created`.
AccountCreated { account_id: String, account_name: String, account_type: String, currency: String });
payload!(/// `account.updated`.
AccountUpdated { account_id: String, changes: Vec<Change> });
payload!(/// `account.deleted`.
AccountDeleted { account_id: String, transaction_count: u64 });
payload!(/// `category.rules_applied`.
CategoryRulesApplied { category_id: String, rule_ids: Vec<String>, transaction_ids: Vec<String>, application_type: String });
payload!(/// `category.rule_created`.
CategoryRuleCreated { category_id: String, rule_id: String, rule_pattern: String, auto_apply: bool });

/// How a file's processing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ProcessingStatus {
    Success,
    Partial,
    Failed,
}

/// Why transactions were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum DeletionType {
    Single,
    Bulk,
    FileReprocessing,
}

impl Event {
    /// The typed payload.
    ///
    /// # Errors
    /// The type is known and its payload doesn't fit: the first field at fault, as `data.…`.
    pub fn payload(&self) -> Result<Payload, InvalidField> {
        Ok(match self.event_type.as_str() {
            "file.uploaded" => Payload::FileUploaded(self.read()?),
            "file.processed" => Payload::FileProcessed(self.read()?),
            "file.associated" => Payload::FileAssociated(self.read()?),
            "transactions.created" => Payload::TransactionsCreated(self.read()?),
            "transaction.updated" => Payload::TransactionUpdated(self.read()?),
            "transactions.deleted" => Payload::TransactionsDeleted(self.read()?),
            "transaction.categorized" => Payload::TransactionCategorized(self.read()?),
            "account.created" => Payload::AccountCreated(self.read()?),
            "account.updated" => Payload::AccountUpdated(self.read()?),
            "account.deleted" => Payload::AccountDeleted(self.read()?),
            "category.rules_applied" => Payload::CategoryRulesApplied(self.read()?),
            "category.rule_created" => Payload::CategoryRuleCreated(self.read()?),
            _ => Payload::Unknown,
        })
    }

    fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, InvalidField> {
        let mut json = serde_json::Deserializer::from_str(self.data.text());
        serde_path_to_error::deserialize(&mut json).map_err(|e| {
            let path = e.path().to_string();
            let field = if path == "." { "data".to_owned() } else { format!("data.{path}") };
            let reason = e.into_inner().to_string();
            // serde appends where in the text; the path says it better.
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            InvalidField::new(field, reason)
        })
    }
}
