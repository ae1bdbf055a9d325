//! Redriving letters: looking what has become of those that were sent.

use std::collections::{BTreeSet, HashMap};

use super::record::Listed;
use super::settle::{Outcome, why_not};
use super::worker::Worker;
use crate::aws::ledger::Known;
use crate::aws::letters::Kept;
use crate::letter::LetterStatus;
use crate::operation::ItemStatus;
use crate::ports::{EventStore, StoreError};
use crate::time::Timestamp;

/// How long after its sending only the letter itself is asked what has become of it, milliseconds.
const HEARD_WITHIN: i64 = 2_000;

impl Worker {
    /// Looks what has become of what was sent; what is still on its way is left.
    pub(super) async fn verify(&self, id: &str, away: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<String> = away.iter().map(|item| item.letter_id.clone()).collect();
        let known = self.letters.by_ids(&ids).await?;
        let now = Timestamp::now();
        let age = |item: &Listed| item.sent_at.map_or(0, |at| now.since(at));
        let unheard = away
            .iter()
            .filter(|item| age(item) > HEARD_WITHIN)
            .filter_map(|item| known.get(&item.letter_id));
        let unheard = unheard.filter(|kept| kept.letter.status == LetterStatus::Redriving);
        let event_ids: BTreeSet<&str> = unheard.filter_map(|kept| kept.letter.event_id.as_deref()).collect();
        let accounts = self.ledger.accounts(&event_ids).await?;
        let (mut left, mut outcomes) = (Vec::new(), Vec::new());
        for item in away {
            let kept = known.get(&item.letter_id);
            let (status, note) = match kept.map(|kept| kept.letter.status) {
                None => (ItemStatus::Skipped, Some(why_not(None, LetterStatus::Redriving))),
                Some(LetterStatus::Redriven) => (ItemStatus::Succeeded, None),
                Some(LetterStatus::Open) => {
                    let said = kept.map(|kept| format!("{}: {}", kept.letter.error_code, kept.letter.error_message));
                    (ItemStatus::Failed, said)
                }
                Some(LetterStatus::Discarded) => (ItemStatus::Skipped, Some("it was set aside meanwhile".to_owned())),
                Some(LetterStatus::Redriving) => match self.elsewhere(age(&item), kept, &accounts).await? {
                    Some(outcome) => outcome,
                    None => {
                        left.push(item);
                        continue;
                    }
                },
            };
            outcomes.push(Outcome::of(&item, status, note));
        }
        self.settle_announced(id, ItemStatus::Sent, &outcomes).await?;
        Ok(left)
    }

    /// What is known from elsewhere than itself of a letter that was sent so many milliseconds ago: a function that is not ours doesn't
    /// close it. `accounts` is what the ledger says.
    async fn elsewhere(
        &self,
        age: i64,
        kept: Option<&Kept>,
        accounts: &HashMap<String, Known>,
    ) -> Result<Option<(ItemStatus, Option<String>)>, StoreError> {
        let Some(kept) = kept.filter(|_| age > HEARD_WITHIN) else {
            return Ok(None);
        };
        let back_within = i64::try_from(self.config.back_within.as_millis()).unwrap_or(i64::MAX);
        let letter = &kept.letter;
        let event_id = letter.event_id.as_deref().unwrap_or_default();
        let account = accounts.get(event_id).map(|known| &known.account);
        let last = account.and_then(|account| account.attempts(&letter.consumer).last());
        let (done, note) = if account.is_some_and(|account| account.done(&letter.consumer)) {
            (true, None)
        } else if let Some(last) = last {
            // It writes the ledger: it will say, or its letter will; for as long as anybody tries.
            let quiet = age.min(Timestamp::now().since(last.at));
            if quiet <= back_within || self.sender.waits(&letter.consumer).await? {
                return Ok(None);
            }
            self.reopen(kept).await?;
            let note = "it was not completed, nothing of it waits, and no letter of it was seen";
            return Ok(Some((ItemStatus::Failed, Some(note.to_owned()))));
        } else if letter.consumer == "audit" && self.events.get(event_id).await?.is_some() {
            // What is ours has written both at once, since the ledger was read.
            let done = self.ledger.read(event_id).await?.account.done(&letter.consumer);
            (true, (!done).then(|| "it is in the event store".to_owned()))
        } else if age > back_within && !self.sender.waits(&letter.consumer).await? {
            (true, Some(self.not_back().await?))
        } else {
            (false, None)
        };
        if !done {
            return Ok(None);
        }
        self.letters
            .set(&letter.id, LetterStatus::Redriving, LetterStatus::Redriven)
            .await?;
        Ok(Some((ItemStatus::Succeeded, note)))
    }
}
