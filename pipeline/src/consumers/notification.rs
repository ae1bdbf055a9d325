//! Notification: tells people about what they should know.

use async_trait::async_trait;

use super::{Consumer, ConsumerError, Effect};
use crate::event::Event;
use crate::event::payload::{Payload, ProcessingStatus};

/// Records a notification for failed files, bulk deletions and deleted accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notification;

impl Notification {
    /// What it does, in one sentence.
    pub const DOES: &str = "Notifies users of failed files, bulk deletions and deleted accounts.";
}

#[async_trait]
impl Consumer for Notification {
    fn name(&self) -> &'static str {
        "notification"
    }

    fn does(&self) -> &'static str {
        Self::DOES
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Effect>, ConsumerError> {
        let text = match event.payload()? {
            Payload::FileProcessed(file) if file.processing_status == ProcessingStatus::Failed => {
                format!(
                    "File {} could not be processed: {}",
                    file.file_id,
                    file.error_message.as_deref().unwrap_or("no reason given")
                )
            }
            Payload::TransactionsDeleted(deleted) => format!("{} transactions were deleted", deleted.transaction_ids.len()),
            Payload::AccountDeleted(account) => format!(
                "Account {} was deleted with {} transactions",
                account.account_id, account.transaction_count
            ),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Effect::Notify {
            user_id: event.user_id.clone(),
            text,
        }])
    }
}
