//! Redriving letters: sending them back.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::progress::Progress;
use super::record::Listed;
use super::send::Sender;
use super::settle::{Outcome, why_not};
use super::worker::{Lost, MAX_PAUSE, Worker};
use crate::aws::again::wait;
use crate::aws::bus::PUBLISHER;
use crate::aws::error::{is_for_good, says_for_good};
use crate::aws::ledger::{Account, Known, NotMade};
use crate::aws::letters::Kept;
use crate::aws::record::{number, text};
use crate::event::Event;
use crate::letter::LetterStatus;
use crate::operation::{ItemStatus, OperationStatus};
use crate::ports::{PublishError, StoreError};
use crate::time::Timestamp;

/// How many letters are sent at once.
const AT_ONCE: usize = 16;
/// How often the letters of one event get into each other's way; what is refused more often is refused for another reason, and waits.
const TRIES: u32 = 5;

/// A letter that is to be sent: as it is kept, the event in it or why there is none, and what the ledger knows of that.
struct Found {
    kept: Kept,
    event: Result<Event, String>,
    before: Known,
}

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
            let (mut outcomes, mut later) = (Vec::new(), Vec::new());
            for one in self.send_all(id, left).await {
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

    /// Sends letters, some at once.
    async fn send_all(&self, id: &str, some: Vec<Listed>) -> Vec<Sent> {
        let found = match self.look_up(&some).await {
            Ok(found) => found,
            Err(error) => return some.into_iter().map(|item| Sent::Later(item, error.clone())).collect(),
        };
        let sent = stream::iter(some).map(|item| {
            let found = found.get(&item.letter_id);
            self.send(id, item, found)
        });
        sent.buffer_unordered(AT_ONCE).collect().await
    }

    /// Reads letters, by id, and the ledger of those events that it matters for: a hundred with a call, for one by one these would be half
    /// of the calls that a redrive makes.
    async fn look_up(&self, some: &[Listed]) -> Result<HashMap<String, Found>, StoreError> {
        let ids: Vec<String> = some.iter().map(|item| item.letter_id.clone()).collect();
        let letters = self
            .letters
            .by_ids(&ids)
            .await?
            .into_values()
            .map(|kept| (Sender::event(&kept), kept));
        let letters: Vec<(Result<Event, String>, Kept)> = letters.collect();
        let event_ids: BTreeSet<&str> = letters
            .iter()
            .filter(|(_, kept)| !self.sender.to_bus(&kept.letter.consumer))
            .filter_map(|(event, _)| Some(event.as_ref().ok()?.event_id.as_str()))
            .collect();
        let accounts = self.ledger.accounts(&event_ids).await?;
        let found = letters.into_iter().map(|(event, kept)| {
            let before = event.as_ref().ok().and_then(|event| accounts.get(&event.event_id)).cloned();
            let before = before.unwrap_or_default();
            (kept.letter.id.clone(), Found { kept, event, before })
        });
        Ok(found.collect())
    }

    async fn send(&self, id: &str, item: Listed, found: Option<&Found>) -> Sent {
        match self.try_send(id, &item, found).await {
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
    async fn try_send(&self, id: &str, item: &Listed, found: Option<&Found>) -> Result<Option<Outcome>, StoreError> {
        let settled = |status, note: String| Ok(Some(Outcome::of(item, status, Some(note))));
        let sent = item.status == ItemStatus::Sent;
        if sent && found.is_some_and(|found| found.kept.letter.status != LetterStatus::Redriving) {
            // It got there, though its answer was lost: what became of it is looked at like that of the others.
            return Ok(None);
        }
        let Some(Found { kept, event, before }) = found.filter(|found| {
            // Sent already, when its answer was lost.
            [LetterStatus::Open, LetterStatus::Redriving].contains(&found.kept.letter.status)
        }) else {
            return settled(ItemStatus::Skipped, why_not(found.map(|found| &found.kept), LetterStatus::Open));
        };
        let event = match event {
            Ok(event) => event,
            Err(reason) => return settled(ItemStatus::Failed, format!("the body is not an event: {reason}")),
        };
        let consumer = &kept.letter.consumer;
        if self.sender.to_bus(consumer) {
            return self.publish(item, kept, event.clone()).await.map(Some);
        }
        if kept.letter.status == LetterStatus::Open {
            if let Some(outcome) = self.announce(id, item, kept, &event.event_id, before.clone()).await? {
                return Ok(Some(outcome));
            }
        } else if before.account.done(consumer) {
            if sent {
                return Ok(None);
            }
            return self.needless(item, kept).await.map(Some);
        } else {
            // Ours, from before; or another operation's, which then is the one to wait for.
            let listed = self.operations.listed(id, item.n - 1, 1).await?;
            if listed.first().is_none_or(|listed| listed.status != ItemStatus::Sent) {
                return settled(ItemStatus::Skipped, why_not(Some(kept), LetterStatus::Open));
            }
        }
        match self.sender.send(consumer, &kept.body, event).await {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            // Trying again doesn't help, and keeps the others from being sent.
            Err(error) if is_for_good(&error) => {
                self.reopen(kept).await?;
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

    /// Closes a letter whose event was completed since.
    async fn needless(&self, item: &Listed, kept: &Kept) -> Result<Outcome, StoreError> {
        self.letters
            .set(&kept.letter.id, kept.letter.status, LetterStatus::Redriven)
            .await?;
        let note = "the ledger has it as completed".to_owned();
        Ok(Outcome::of(item, ItemStatus::Skipped, Some(note)))
    }

    /// Marks an open letter, its item and its event's account as being redriven, which they are from here on; `before` is what the ledger
    /// was known to say. An outcome if it isn't to be sent after all.
    async fn announce(
        &self,
        id: &str,
        item: &Listed,
        kept: &Kept,
        event_id: &str,
        mut before: Known,
    ) -> Result<Option<Outcome>, StoreError> {
        let consumer = &kept.letter.consumer;
        for attempt in 0..TRIES {
            if before.account.done(consumer) {
                return self.needless(item, kept).await.map(Some);
            }
            let mut after = before.account.clone();
            if after.seen() {
                after.reopen(consumer, &kept.letter.id);
            }
            let effects = vec![
                self.letters.mark(&kept.letter.id, LetterStatus::Open, LetterStatus::Redriving)?,
                self.item(id, item.n, ItemStatus::Waiting, ItemStatus::Sent, None)?,
            ];
            let accounts: &[(&str, _, &Account)] = &[(event_id, &before, &after)];
            let accounts = if before.account.seen() { accounts } else { &[] };
            match self.ledger.write(accounts, effects).await {
                Ok(true) => return Ok(None),
                // Another letter of the same event, say, is of the same handful.
                Ok(false) => wait(attempt).await,
                Err(NotMade::Refused(_)) => {
                    // By one of the tries here, which was made after all, or by who drives the operation now: that is found out.
                    let listed = self.operations.listed(id, item.n - 1, 1).await?;
                    if listed.first().is_some_and(|listed| listed.status == ItemStatus::Sent) {
                        return Err(overtaken());
                    }
                    let known = self.letters.kept(&item.letter_id).await?;
                    let note = why_not(known.as_ref(), LetterStatus::Open);
                    return Ok(Some(Outcome::of(item, ItemStatus::Skipped, Some(note))));
                }
                Err(NotMade::Failed(error)) => return Err(error),
            }
            before = self.ledger.read(event_id).await?;
        }
        Err(overtaken())
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
}

fn overtaken() -> StoreError {
    StoreError::Unavailable {
        what: "the ledger",
        reason: "somebody else was faster, or it asks for patience".to_owned(),
    }
}
