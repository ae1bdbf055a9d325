//! Redriving letters: sending them, and looking what has become of them.

use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::progress::Progress;
use super::record::Listed;
use super::send::Sender;
use super::settle::{Outcome, why_not};
use super::worker::{Lost, MAX_PAUSE, Worker};
use crate::aws::bus::PUBLISHER;
use crate::aws::error::{is_for_good, says_for_good};
use crate::aws::ledger::{Account, NotMade};
use crate::aws::letters::Kept;
use crate::aws::record::{number, text};
use crate::event::Event;
use crate::letter::LetterStatus;
use crate::operation::{ItemStatus, OperationStatus};
use crate::ports::{EventStore, PublishError, StoreError};
use crate::time::Timestamp;

/// How many letters are sent at once.
const AT_ONCE: usize = 16;

/// What came of sending one.
enum Sent {
    /// It is on its way.
    Away(Listed),
    Settled(Outcome),
    /// It can't be sent now.
    Later(Listed, StoreError),
}

impl Worker {
    /// Sends letters back; whether the operation still runs, and those whose outcome is awaited. While some can't be sent, `progress` says
    /// so: then no more are to be.
    pub(super) async fn redrive(&self, id: &str, some: Vec<Listed>, progress: &Progress) -> Result<(bool, Vec<Listed>), StoreError> {
        // Announced first: what is on its way is not passed over by whoever cancels.
        let announced = self
            .update(id)
            .update_expression("ADD sent :count")
            .condition_expression("driver = :me AND #status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":count", number(some.len()))
            .expression_attribute_values(":me", text(&self.me))
            .expression_attribute_values(":running", text(OperationStatus::Running.name()));
        if self.make_once(announced).await?.is_none() {
            return Ok((false, self.still_away(id, some).await?));
        }
        let (mut left, mut away) = (some, Vec::new());
        let mut pause = Duration::from_millis(500);
        loop {
            let sent: Vec<Sent> = stream::iter(left)
                .map(|item| self.send(id, item))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            let (mut outcomes, mut later) = (Vec::new(), Vec::new());
            for one in sent {
                match one {
                    Sent::Away(item) => away.push(item),
                    Sent::Settled(outcome) => outcomes.push(outcome),
                    Sent::Later(item, error) => {
                        tracing::warn!(operation = id, letter = item.letter_id, %error, "a letter can't be sent now");
                        later.push(item);
                    }
                }
            }
            self.settle_announced(id, ItemStatus::Waiting, &outcomes).await?;
            away.iter().for_each(|item| progress.note_sent(item.n));
            progress.hold(!later.is_empty());
            if later.is_empty() {
                return Ok((true, away));
            }
            // Throttled, say: slower, and none of them is lost.
            tokio::time::sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
            left = later;
            match self.beat(id).await? {
                Ok(true) => {}
                Ok(false) => {
                    progress.hold(false);
                    self.give_back(id, &left).await?;
                    return Ok((false, away));
                }
                Err(Lost) => return Ok((false, away)),
            }
        }
    }

    async fn send(&self, id: &str, item: Listed) -> Sent {
        match self.try_send(id, &item).await {
            Ok(None) => Sent::Away(Listed {
                status: ItemStatus::Sent,
                sent_at: Some(Timestamp::now()),
                ..item
            }),
            Ok(Some(outcome)) => Sent::Settled(outcome),
            Err(error) => {
                // It may be marked as sent by now, and be on its way for all that is known.
                let marked = self
                    .operations
                    .listed(id, item.n - 1, 1)
                    .await
                    .ok()
                    .and_then(|listed| listed.into_iter().next());
                Sent::Later(marked.unwrap_or(item), error)
            }
        }
    }

    /// Sends a letter; `None` if its outcome is awaited.
    async fn try_send(&self, id: &str, item: &Listed) -> Result<Option<Outcome>, StoreError> {
        let settled = |status, note: String| Ok(Some(Outcome::of(item, status, Some(note))));
        let known = self.letters.kept(&item.letter_id).await?;
        let sent = item.status == ItemStatus::Sent;
        if sent && known.as_ref().is_some_and(|kept| kept.letter.status != LetterStatus::Redriving) {
            // It got there, though its answer was lost: what became of it is looked at like that of the others.
            return Ok(None);
        }
        let Some(kept) = known.filter(|kept| {
            // Sent already, when its answer was lost.
            kept.letter.status == LetterStatus::Open || kept.letter.status == LetterStatus::Redriving
        }) else {
            let known = self.letters.kept(&item.letter_id).await?;
            return settled(ItemStatus::Skipped, why_not(known.as_ref(), LetterStatus::Open));
        };
        let event = match Sender::event(&kept) {
            Ok(event) => event,
            Err(reason) => return settled(ItemStatus::Failed, format!("the body is not an event: {reason}")),
        };
        if self.sender.to_bus(&kept.letter.consumer) {
            return self.publish(item, &kept, event).await.map(Some);
        }
        let consumer = kept.letter.consumer.clone();
        let before = self.ledger.read(&event.event_id).await?;
        if before.account.done(&consumer) {
            if sent {
                return Ok(None);
            }
            // There is nothing to be done about it any more.
            self.letters
                .set(&kept.letter.id, kept.letter.status, LetterStatus::Redriven)
                .await?;
            return settled(ItemStatus::Skipped, "the ledger has it as completed".to_owned());
        }
        if kept.letter.status == LetterStatus::Open {
            let mut after = before.account.clone();
            if after.seen() {
                after.reopen(&consumer, &kept.letter.id);
            }
            let effects = vec![
                self.letters.mark(&kept.letter.id, LetterStatus::Open, LetterStatus::Redriving)?,
                self.item(id, item.n, ItemStatus::Waiting, ItemStatus::Sent, None)?,
            ];
            let accounts: &[(&str, _, &Account)] = &[(&event.event_id, &before, &after)];
            let accounts = if before.account.seen() { accounts } else { &[] };
            match self.ledger.write(accounts, effects).await {
                Ok(true) => {}
                Ok(false) => return Err(busy("the ledger")),
                Err(NotMade::Refused(_)) => {
                    let known = self.letters.kept(&item.letter_id).await?;
                    return settled(ItemStatus::Skipped, why_not(known.as_ref(), LetterStatus::Open));
                }
                Err(NotMade::Failed(error)) => return Err(error),
            }
        } else {
            // Ours, from before; or another operation's, which then is the one to wait for.
            let listed = self.operations.listed(id, item.n - 1, 1).await?;
            if listed.first().is_none_or(|listed| listed.status != ItemStatus::Sent) {
                return settled(ItemStatus::Skipped, why_not(Some(&kept), LetterStatus::Open));
            }
        }
        match self.sender.send(&consumer, &kept.body, &event).await {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            // Trying again doesn't help, and keeps the others from being sent.
            Err(error) if is_for_good(&error) => {
                self.reopen(&kept).await?;
                return settled(ItemStatus::Failed, error.to_string());
            }
            Err(error) => return Err(error),
        }
        if let Some(kept) = self.letters.kept(&kept.letter.id).await? {
            let why = format!("{consumer} has neither a queue nor a function");
            self.letters.failed_again(&kept, ("Unreachable", &why, true), None).await?;
        }
        Ok(None)
    }

    /// Publishes what never was; and, once more, what nobody knows who gave up on: Lambda doesn't say which function it was whose letter
    /// it puts into a queue.
    async fn publish(&self, item: &Listed, kept: &Kept, event: Event) -> Result<Outcome, StoreError> {
        if kept.letter.status != LetterStatus::Open {
            return Ok(Outcome::of(
                item,
                ItemStatus::Skipped,
                Some(why_not(Some(kept), LetterStatus::Open)),
            ));
        }
        match self.sender.publish(&kept.letter.consumer, event).await {
            Ok(()) => {
                self.letters
                    .set(&kept.letter.id, LetterStatus::Open, LetterStatus::Redriven)
                    .await?;
                let note = (kept.letter.consumer != PUBLISHER).then(|| {
                    "published again, to all its consumers: which of them gave up is not said, so that nothing can be verified".to_owned()
                });
                Ok(Outcome::of(item, ItemStatus::Succeeded, note))
            }
            // Its letter is as it was, and the others wait as well.
            Err(PublishError::Unavailable(reason)) if !says_for_good(&reason) => Err(StoreError::Unavailable { what: "the bus", reason }),
            Err(error) => {
                self.letters
                    .failed_again(kept, (error.code(), &error.to_string(), !error.is_transient()), None)
                    .await?;
                Ok(Outcome::of(item, ItemStatus::Failed, Some(error.to_string())))
            }
        }
    }

    /// Sends again what another had marked as sent.
    pub(super) async fn resend(&self, away: &[Listed]) -> Result<(), StoreError> {
        for item in away {
            let Some(kept) = self.letters.kept(&item.letter_id).await? else {
                continue;
            };
            if kept.letter.status != LetterStatus::Redriving {
                continue;
            }
            if let Ok(event) = Sender::event(&kept)
                && !self.ledger.read(&event.event_id).await?.account.done(&kept.letter.consumer)
            {
                self.sender.send(&kept.letter.consumer, &kept.body, &event).await?;
            }
        }
        Ok(())
    }

    /// Looks what has become of what was sent; what is still on its way is left.
    pub(super) async fn verify(&self, id: &str, away: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<String> = away.iter().map(|item| item.letter_id.clone()).collect();
        let known = self.letters.by_ids(&ids).await?;
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
                Some(LetterStatus::Redriving) => match self.elsewhere(&item, kept).await? {
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

    /// What is known of a letter from elsewhere than itself: a function that is not ours doesn't close it.
    async fn elsewhere(&self, item: &Listed, kept: Option<&Kept>) -> Result<Option<(ItemStatus, Option<String>)>, StoreError> {
        let age = item.sent_at.map_or(0, |at| Timestamp::now().since(at));
        let Some(kept) = kept.filter(|_| age > 2_000) else {
            return Ok(None);
        };
        let back_within = i64::try_from(self.config.back_within.as_millis()).unwrap_or(i64::MAX);
        let letter = &kept.letter;
        let event_id = letter.event_id.as_deref().unwrap_or_default();
        let account = self.ledger.read(event_id).await?.account;
        let (done, note) = if account.done(&letter.consumer) {
            (true, None)
        } else if let Some(last) = account.attempts(&letter.consumer).last() {
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

fn busy(what: &'static str) -> StoreError {
    StoreError::Unavailable {
        what,
        reason: "somebody else was faster".to_owned(),
    }
}
