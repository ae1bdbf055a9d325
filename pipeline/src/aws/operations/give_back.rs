//! What becomes of letters that were to be sent and are not, and of those that nothing is heard of.

use super::record::Listed;
use super::settle::Outcome;
use super::worker::Worker;
use crate::aws::ledger::Account;
use crate::aws::letters::Kept;
use crate::aws::record::{number, text};
use crate::letter::LetterStatus;
use crate::operation::ItemStatus;
use crate::ports::StoreError;

impl Worker {
    /// Of items whose operation was cancelled before they were announced, those that another had sent, or tried to.
    pub(super) async fn still_away(&self, id: &str, some: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
        let away: Vec<Listed> = some.into_iter().filter(|item| item.status == ItemStatus::Sent).collect();
        if !away.is_empty() {
            let counted = self
                .update(id)
                .update_expression("ADD sent :count")
                .condition_expression("driver = :me")
                .expression_attribute_values(":count", number(away.len()))
                .expression_attribute_values(":me", text(&self.me));
            self.make_once(counted).await?;
            self.resend(&away).await?;
        }
        Ok(away)
    }

    /// Passes over what could not be sent, and is not to be any more: its letter is as it was.
    pub(super) async fn give_back(&self, id: &str, left: &[Listed]) -> Result<(), StoreError> {
        let mut outcomes = Vec::with_capacity(left.len());
        for item in left {
            if item.status == ItemStatus::Sent
                && let Some(kept) = self.letters.kept(&item.letter_id).await?
            {
                self.reopen(&kept).await?;
            }
            let note = "it could not be sent before the operation was cancelled".to_owned();
            outcomes.push(Outcome::of(item, ItemStatus::Skipped, Some(note)));
        }
        self.settle_announced(id, ItemStatus::Waiting, &outcomes).await
    }

    /// A letter that was marked as sent, and wasn't, is open again; its delivery is not awaited.
    pub(super) async fn reopen(&self, kept: &Kept) -> Result<(), StoreError> {
        let letter = &kept.letter;
        if let Some(event_id) = &letter.event_id {
            let bury = |account: &Account| {
                let mut after = account.clone();
                after.bury(&letter.consumer, &letter.id);
                (account.seen() && !account.done(&letter.consumer) && after != *account).then_some(after)
            };
            match self.ledger.change(event_id, bury).await {
                Err(StoreError::NotOffered { .. }) => {}
                other => _ = other?,
            }
        }
        self.letters.set(&letter.id, LetterStatus::Redriving, LetterStatus::Open).await
    }

    /// What it means that a letter has not come back: where nothing is taken over, it is seen only from the queues' being empty.
    pub(super) async fn not_back(&self) -> Result<String, StoreError> {
        if self.config.taken_over {
            return Ok("it has not come back".to_owned());
        }
        Ok(match self.sender.letters_waiting().await? {
            0 => "it has not come back: no dead letter waits in a queue".to_owned(),
            waiting => format!(
                "not verified: {waiting} dead letters wait in queues that are not taken over, and it may have come back as one of them"
            ),
        })
    }
}
