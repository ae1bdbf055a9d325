//! An operation from where it stands to its end: a tenth of a second's worth of items at a time.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::STORE;
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
/// How many are looked at each time.
const LOOKED_AT: usize = 300;

impl Worker {
    pub(super) async fn go(&self, operation: &Operation, again: bool, stop: &CancellationToken) -> Result<(), StoreError> {
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
        waiting.reverse();
        if again {
            // Whoever sent them may not have come to it, nor whoever announced more.
            self.recount(&operation.id, away.len()).await?;
            self.resend(&away).await?;
        }
        let mut tick = tokio::time::interval(TICK);
        let (mut beat, mut looked, mut ticks) = (Instant::now(), Instant::now(), 0_u32);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return self.release(&operation.id).await,
            }
            ticks = ticks.wrapping_add(1);
            if beat.elapsed() >= BEAT {
                match self.beat(&operation.id).await? {
                    Ok(still) => running = still,
                    Err(Lost) => return Ok(()),
                }
                beat = Instant::now();
            }
            if running && !waiting.is_empty() {
                let count = (share(operation.rate, ticks) as usize).min(waiting.len());
                let some: Vec<Listed> = waiting.drain(waiting.len() - count..).rev().collect();
                if !some.is_empty() {
                    running = match operation.kind {
                        OperationKind::Redrive => self.redrive(&operation.id, some, &mut away).await?,
                        OperationKind::Discard => self.mark(&operation.id, some, LetterStatus::Open, LetterStatus::Discarded).await?,
                        OperationKind::Restore => self.mark(&operation.id, some, LetterStatus::Discarded, LetterStatus::Open).await?,
                    };
                }
            }
            if !away.is_empty() && looked.elapsed() >= VERIFY {
                // In turn: what waits for a consumer that is stopped may be much.
                let later = away.split_off(LOOKED_AT.min(away.len()));
                let left = self.verify(&operation.id, away).await?;
                away = later;
                away.extend(left);
                looked = Instant::now();
            }
            if away.is_empty() && (waiting.is_empty() || !running) {
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
