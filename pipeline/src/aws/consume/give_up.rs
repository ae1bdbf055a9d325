//! What a function gives up: a dead letter, with its reason, written in one transaction with the ledger.

use uuid::Uuid;

use crate::aws::again::{TRIES, overtaken, wait};
use crate::aws::ledger::{Account, DynamoLedger, NotMade};
use crate::aws::letters::{DynamoLetters, Kept};
use crate::consumers::ConsumerError;
use crate::event::Event;
use crate::letter::{Letter, LetterStatus};
use crate::time::Timestamp;

/// Gives up for one consumer.
pub(super) struct GiveUp {
    pub(super) letters: DynamoLetters,
    pub(super) ledger: DynamoLedger,
    pub(super) consumer: String,
}

impl GiveUp {
    /// Writes the letter of an event, or has the one that there is say that it failed again.
    ///
    /// # Errors
    /// The tables don't take it; then the message has to come again.
    pub(super) async fn bury(&self, event: &Event, attempts: u32, error: &ConsumerError) -> Result<(), ConsumerError> {
        for attempt in 0..TRIES {
            let before = self.ledger.read(&event.event_id).await?;
            if before.account.done(&self.consumer) {
                return Ok(());
            }
            let made = format!("{}/{}", self.consumer, event.event_id);
            let id = before
                .account
                .letter(&self.consumer)
                .map_or_else(|| named(&made), ToOwned::to_owned);
            let known = self.letters.kept(&id).await?;
            let letter = self.letter(id, event, &before.account, attempts, error, known.as_ref().map(|kept| &kept.letter));
            let mut after = before.account.clone();
            after.bury(&self.consumer, &letter.id);
            let kept = Kept {
                letter,
                body: event.to_json(),
            };
            let put = self.letters.put(&kept, known.as_ref())?;
            match self.ledger.write(&[(&event.event_id, &before, &after)], vec![put]).await {
                Ok(true) => return Ok(()),
                Ok(false) | Err(NotMade::Refused(_)) => wait(attempt).await,
                Err(NotMade::Failed(error)) => return Err(error.into()),
            }
        }
        Err(overtaken("the ledger").into())
    }

    fn letter(&self, id: String, event: &Event, account: &Account, attempts: u32, error: &ConsumerError, known: Option<&Letter>) -> Letter {
        let now = Timestamp::now();
        let again = known.is_some_and(|letter| letter.status != LetterStatus::Open);
        Letter {
            event_id: Some(event.event_id.clone()),
            event_type: Some(event.event_type.clone()),
            user_id: Some(event.user_id.clone()),
            error_code: error.code.clone(),
            error_message: error.message.clone(),
            permanent: error.permanent,
            attempts: known.map_or(0, |letter| letter.attempts) + attempts,
            failed_redrives: known.map_or(0, |letter| letter.failed_redrives) + u32::from(again),
            published_at: account.published_at().unwrap_or(Timestamp(event.timestamp)),
            first_failed_at: known.map_or(now, |letter| letter.first_failed_at),
            ..Letter::open(id, &self.consumer, now)
        }
    }

    /// Keeps what can't be read as an event, as it came; `message` is what the queue calls it.
    ///
    /// # Errors
    /// As of [`Self::bury`].
    pub(super) async fn keep(&self, message: &str, body: &str, attempts: u32, error: &ConsumerError) -> Result<(), ConsumerError> {
        let id = named(&format!("{}/message/{message}", self.consumer));
        let letter = Letter {
            error_code: error.code.clone(),
            error_message: error.message.clone(),
            permanent: error.permanent,
            attempts,
            ..Letter::open(id, &self.consumer, Timestamp::now())
        };
        let kept = Kept {
            letter,
            body: body.to_owned(),
        };
        Ok(self.letters.keep(&kept).await.map(drop)?)
    }
}

/// The same name gives the same id: what is given up twice is one letter.
fn named(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}
