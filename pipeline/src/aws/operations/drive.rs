//! An operation from where it stands to its end: a tenth of a second's worth of items at a time.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use super::STORE;
use super::progress::Progress;
use super::record::Listed;
use super::settle::{Outcome, why_not};
use super::worker::{BEAT, Lost, TOGETHER, Worker};
use crate::aws::again::{TRIES, overtaken, wait};
use crate::letter::LetterStatus;
use crate::operation::{ItemStatus, MAX_ITEMS, Operation, OperationKind, OperationStatus};
use crate::ports::StoreError;
use crate::redrive::share;

/// How often items are acted on.
const TICK: Duration = Duration::from_millis(100);
/// How often one looks what has become of what was sent.
const VERIFY: Duration = Duration::from_millis(400);
/// How many handfuls are being sent at once.
const MAX_SENDING: usize = 16;
/// How many are looked at each time.
const LOOKED_AT: usize = 300;

impl Worker {
    pub(super) async fn go(
        &self,
        operation: &Operation,
        again: bool,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let all = self.operations.listed(&operation.id, -1, MAX_ITEMS).await?;
        let mut running = operation.status == OperationStatus::Running;
        let (mut waiting, mut away): (Vec<Listed>, Vec<Listed>) = (Vec::new(), Vec::new());
        for item in all {
            match item.status {
                ItemStatus::Waiting => waiting.push(item),
                ItemStatus::Sent => away.push(item),
                ItemStatus::Succeeded | ItemStatus::Failed | ItemStatus::Skipped => {}
            }
        }
        if again {
            // Of what is marked as sent and isn't known to be, some may never have been: it is sent once more, as what waits is, at the
            // operation's rate.
            let unsure: Vec<Listed> = away.extract_if(.., |item| running && !progress.is_sent(item.n)).collect();
            self.recount(&operation.id, away.len()).await?;
            waiting.splice(0..0, unsure);
            if !running {
                self.resend(&away).await?;
            }
        }
        waiting.reverse();
        let mut tick = tokio::time::interval(TICK);
        // Looking takes its time, and so may a call; sending keeps to its rate meanwhile.
        let (mut looking, mut sending) = (FuturesUnordered::new(), FuturesUnordered::new());
        let (mut beat, mut looked, mut ticks, mut owed) = (Instant::now(), Instant::now(), 0_u32, 0_u32);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    while looking.next().await.is_some() {}
                    while sending.next().await.is_some() {}
                    return self.release(&operation.id).await;
                }
                Some(left) = looking.next() => {
                    let left: Vec<Listed> = left?;
                    away.extend(left);
                    looked = Instant::now();
                }
                Some(sent) = sending.next() => {
                    let (still, more): (bool, Vec<Listed>) = sent?;
                    running &= still;
                    away.extend(more);
                }
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    // What could not be sent in time is not made up for at once.
                    owed = (owed + share(operation.rate, ticks)).min(operation.rate.max(1));
                }
            }
            if beat.elapsed() >= BEAT {
                match self.beat(&operation.id).await? {
                    Ok(still) => running = still,
                    Err(Lost) => return Ok(()),
                }
                beat = Instant::now();
            }
            if running && owed > 0 && !waiting.is_empty() && sending.len() < MAX_SENDING && !progress.is_held() {
                let count = (owed as usize).min(waiting.len());
                owed = 0;
                let some: Vec<Listed> = waiting.drain(waiting.len() - count..).rev().collect();
                let (open, discarded) = (LetterStatus::Open, LetterStatus::Discarded);
                match operation.kind {
                    OperationKind::Redrive => sending.push(self.redrive(&operation.id, some, progress)),
                    OperationKind::Discard => running = self.mark(&operation.id, some, open, discarded).await?,
                    OperationKind::Restore => running = self.mark(&operation.id, some, discarded, open).await?,
                }
            }
            if looking.is_empty() && !away.is_empty() && looked.elapsed() >= VERIFY {
                // In turn: what waits for a consumer that is stopped may be much.
                let later = away.split_off(LOOKED_AT.min(away.len()));
                looking.push(self.verify(&operation.id, std::mem::replace(&mut away, later)));
            }
            if sending.is_empty() && looking.is_empty() && away.is_empty() && (waiting.is_empty() || !running) {
                return self.finish(&operation.id).await;
            }
        }
    }

    /// Sets letters aside, or opens them again; whether the operation still runs.
    async fn mark(&self, id: &str, some: Vec<Listed>, from: LetterStatus, to: LetterStatus) -> Result<bool, StoreError> {
        for some in some.chunks(TOGETHER) {
            let ids: Vec<String> = some.iter().map(|item| item.letter_id.clone()).collect();
            let known = self.letters.by_ids(&ids).await?;
            let (mut outcomes, mut marks) = (Vec::new(), Vec::new());
            let mut taken = HashSet::new();
            for item in some {
                let letter = known.get(&item.letter_id).filter(|_| taken.insert(item.letter_id.clone()));
                match letter {
                    Some(kept) if kept.letter.status == from => {
                        marks.push(self.letters.mark(&item.letter_id, from, to)?);
                        outcomes.push(Outcome::of(item, ItemStatus::Succeeded, None));
                    }
                    other => outcomes.push(Outcome::of(item, ItemStatus::Skipped, Some(why_not(other, from)))),
                }
            }
            if self.settle(id, ItemStatus::Waiting, &outcomes, marks, true).await? {
                continue;
            }
            // Cancelled; or a letter has changed meanwhile: one by one.
            for item in some {
                if !self.mark_one(id, item, from, to).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The same for one letter.
    async fn mark_one(&self, id: &str, item: &Listed, from: LetterStatus, to: LetterStatus) -> Result<bool, StoreError> {
        for attempt in 0..TRIES {
            let known = self.letters.kept(&item.letter_id).await?;
            let (outcome, marks) = match &known {
                Some(kept) if kept.letter.status == from => (
                    Outcome::of(item, ItemStatus::Succeeded, None),
                    vec![self.letters.mark(&item.letter_id, from, to)?],
                ),
                other => (
                    Outcome::of(item, ItemStatus::Skipped, Some(why_not(other.as_ref(), from))),
                    Vec::new(),
                ),
            };
            if self.settle(id, ItemStatus::Waiting, &[outcome], marks, true).await? {
                return Ok(true);
            }
            // Cancelled, or another's by now; if neither, something else was written at the same moment.
            if !matches!(self.beat(id).await?, Ok(true)) {
                return Ok(false);
            }
            wait(attempt).await;
        }
        Err(overtaken(STORE))
    }
}
