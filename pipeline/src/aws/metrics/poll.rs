//! The one that asks CloudWatch, for all viewers.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rand::RngExt;
use tokio_util::sync::CancellationToken;

use super::ask::{MOST, Question, ask};
use super::budget::{LISTING, METRIC};
use super::discover::{Found, discover};
use super::quantity::PERCENTILES;
use super::schedule::{LEVELS, Level, WINDOWS, WINDOWS_EVERY, minutes_end};
use super::{CloudWatch, STORE};
use crate::ports::StoreError;
use crate::time::{DAY, MINUTE, Span, Timestamp};

/// How often one looks for new metrics; ListMetrics knows them after up to a quarter of an hour.
const LISTED_FOR: i64 = 15 * MINUTE;
/// The same while there are none of ours yet.
const NONE_FOR: i64 = MINUTE;
/// The most calls of a round, unless one job takes more.
const CALLS: usize = 2;
/// How far rounds are apart, once everything was read.
const APART: i64 = 10_000;
/// The longest pause after a failure.
const MAX_PAUSE: i64 = MINUTE;
/// How long a reading waits for the first answers.
const FIRST: Duration = Duration::from_secs(3);

/// What is asked for by `level`.
pub(super) fn questions<'a>(found: &'a [Found], level: &Level) -> Vec<Question<'a>> {
    let wanted = found.iter().filter(|found| level.period > MINUTE || found.quantity.by_the_minute());
    let steps = wanted.map(|found| Question {
        found,
        period: level.period,
    });
    // With the minutes comes the first window: it is what a consumer's health is judged by.
    let window = if level.period == MINUTE {
        window_questions(found, &WINDOWS[..1])
    } else {
        Vec::new()
    };
    steps.chain(window).collect()
}

/// The percentiles over spans of these lengths.
pub(super) fn window_questions<'a>(found: &'a [Found], lengths: &[i64]) -> Vec<Question<'a>> {
    let percentiles = found.iter().filter(|found| PERCENTILES.contains(&found.quantity));
    percentiles
        .flat_map(|found| lengths.iter().map(move |period| Question { found, period: *period }))
        .collect()
}

/// Something to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Level(&'static Level),
    Windows,
}

/// What is asked for a job.
fn asked_for(found: &[Found], job: Job) -> Vec<Question<'_>> {
    match job {
        Job::Level(level) => questions(found, level),
        Job::Windows => window_questions(found, &WINDOWS[1..]),
    }
}

/// When each was done last.
#[derive(Debug, Default)]
struct Done {
    listed: Option<Timestamp>,
    levels: [Option<Timestamp>; LEVELS.len()],
    windows: Option<Timestamp>,
    /// Those that are to be filled from their beginning, whatever was asked for before: there are new metrics.
    fill: [bool; LEVELS.len()],
}

impl Done {
    /// How overdue each job is at `now`, those that are due: the minutes first, then what waits longest in proportion.
    fn due(&self, now: Timestamp, watched: bool) -> Vec<Job> {
        let mut due = Vec::new();
        for (level, done) in LEVELS.iter().zip(self.levels) {
            let late = done.map_or(i64::MAX, |done| now.since(done) - level.every(watched));
            if late >= 0 {
                due.push((level.period != MINUTE, std::cmp::Reverse(late), Job::Level(level)));
            }
        }
        let late = self.windows.map_or(i64::MAX, |done| now.since(done) - WINDOWS_EVERY);
        if late >= 0 {
            due.push((true, std::cmp::Reverse(late), Job::Windows));
        }
        due.sort_by_key(|(minutes, late, _)| (*minutes, *late));
        due.into_iter().map(|(_, _, job)| job).collect()
    }

    /// When the next is due.
    fn next(&self, watched: bool) -> Option<Timestamp> {
        let levels = LEVELS
            .iter()
            .zip(self.levels)
            .map(|(level, done)| Some(done?.plus(level.every(watched))));
        let all = levels.chain([self.windows.map(|done| done.plus(WINDOWS_EVERY))]);
        all.collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

impl CloudWatch {
    /// Asks until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let (mut done, mut failures) = (Done::default(), 0_u32);
        while !stop.is_cancelled() {
            let now = Timestamp::now();
            let outcome = self.round(&mut done, now).await;
            let failed = outcome.is_err();
            self.tell(outcome);
            failures = if failed { failures + 1 } else { 0 };
            let pause = if failed {
                let longest = MAX_PAUSE.min(1_000 << failures.min(6));
                rand::rng().random_range(longest / 2..=longest)
            } else {
                self.until_next(&done, Timestamp::now())
            };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(pause.max(0).unsigned_abs())) => {}
                () = self.wake.notified(), if !failed => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks for everything once, for who looks once.
    ///
    /// # Errors
    /// CloudWatch doesn't answer, or what it may cost today is spent.
    pub async fn read_once(&self) -> Result<(), StoreError> {
        let mut done = Done::default();
        while done.next(true).is_none() {
            self.round(&mut done, Timestamp::now()).await?;
        }
        Ok(())
    }

    /// How long until something is due, and may be paid.
    fn until_next(&self, done: &Done, now: Timestamp) -> i64 {
        let watched = self.watched(now);
        // What has never been done is not put off by what it costs.
        let Some(next) = done.next(watched) else { return 0 };
        let listing = done.listed.map_or(now, |listed| listed.plus(self.listed_for()));
        let wanted = next.min(listing).since(now).max(APART);
        let minutes = questions(&self.found(), &LEVELS[0]).len() as u64 * METRIC;
        let share = self.a_day(watched) * MINUTE.unsigned_abs() / DAY.unsigned_abs();
        self.book.spent().pause(minutes.max(share), self.ceiling, wanted, now)
    }

    /// How long a listing is good for.
    fn listed_for(&self) -> i64 {
        if self.found().is_empty() { NONE_FOR } else { LISTED_FOR }
    }

    /// One round: the minutes, and of what else is due as much as two calls hold. The rest is the next
    /// round's.
    async fn round(&self, done: &mut Done, now: Timestamp) -> Result<(), StoreError> {
        if done.listed.is_none_or(|listed| now.since(listed) >= self.listed_for()) {
            let found = discover(&self.client, &self.names, || self.pay(LISTING, now)).await?;
            let before = self.found();
            if *before != found {
                tracing::info!(metrics = found.len(), "CloudWatch's metrics were listed");
                if found.iter().any(|found| !self.book.knows(&found.key)) {
                    *done = Done {
                        fill: [true; LEVELS.len()],
                        ..Done::default()
                    };
                }
                *self.found.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
            }
            done.listed = Some(now);
        }
        let due = done.due(now, self.watched(now));
        let mut calls = 0;
        for job in due {
            let needed = asked_for(&self.found(), job).len().div_ceil(MOST).max(1);
            if calls > 0 && calls + needed > CALLS {
                break;
            }
            self.work(job, done, now).await?;
            calls += needed;
        }
        Ok(())
    }

    async fn work(&self, job: Job, done: &mut Done, now: Timestamp) -> Result<(), StoreError> {
        let found = self.found();
        let asked = asked_for(&found, job);
        let span = match job {
            Job::Level(level) => {
                let fill = LEVELS.iter().position(|known| known == level).is_some_and(|slot| done.fill[slot]);
                let until = self.book.asked(level.period).map(|asked| asked.to).filter(|_| !fill);
                level.span(until, now)
            }
            Job::Windows => Span::ending(minutes_end(now), DAY),
        };
        // Not begun, if it can't be ended.
        self.afford(asked.len() as u64 * METRIC, now)?;
        let answers = ask(&self.client, &asked, span, |metrics| self.pay(metrics as u64 * METRIC, now)).await?;
        match job {
            Job::Level(level) => {
                // The minute that has begun is known up to now.
                let known = Span { to: now, ..span };
                self.book.note(&answers, level.period, known, level.keep);
                if level.period == MINUTE {
                    self.book.note_windows(&answers, WINDOWS[0], span.to);
                }
                if let Some(slot) = LEVELS.iter().position(|known| known == level) {
                    done.levels[slot] = Some(now);
                    done.fill[slot] = false;
                }
            }
            Job::Windows => {
                for length in &WINDOWS[1..] {
                    self.book.note_windows(&answers, *length, span.to);
                }
                done.windows = Some(now);
            }
        }
        Ok(())
    }

    /// Whether `cost` may still be spent today.
    pub(super) fn afford(&self, cost: u64, now: Timestamp) -> Result<(), StoreError> {
        if self.book.spent().at(now).micros + cost <= self.ceiling {
            return Ok(());
        }
        Err(self.spent())
    }

    /// That the day's ceiling is reached.
    fn spent(&self) -> StoreError {
        #[allow(clippy::cast_precision_loss)] // dollars
        let dollars = self.ceiling as f64 / 1e6;
        StoreError::Unavailable {
            what: STORE,
            reason: format!("what may be spent on it today, ${dollars:.2}, is spent; aws.metrics.dollars_a_day is the ceiling"),
        }
    }

    /// Spends `cost`, if it may still be spent today.
    pub(super) fn pay(&self, cost: u64, now: Timestamp) -> Result<(), StoreError> {
        if self.book.spend(cost, self.ceiling, now) {
            return Ok(());
        }
        Err(self.spent())
    }

    /// Notes how it went; what is new about it is logged.
    fn tell(&self, outcome: Result<(), StoreError>) {
        let fault = outcome.err().map(|error| match error {
            StoreError::Unavailable { reason, .. } => reason,
            other => other.to_string(),
        });
        let mut known = self.fault.write().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &fault) {
            (None, Some(error)) => tracing::warn!(error, "metrics can't be read; what is known stays"),
            (Some(_), None) => tracing::info!("metrics are read again"),
            _ => {}
        }
        *known = fault;
        drop(known);
        self.rounds.send_replace(());
    }

    /// Waits for the first answers over a step, or for why there are none: who looks just after the start is not told that CloudWatch
    /// doesn't answer.
    pub(super) async fn begun(&self, step: i64) {
        let period = Level::for_step(step).period;
        let mut rounds = self.rounds.subscribe();
        let first = async {
            let faulty = || self.fault.read().unwrap_or_else(PoisonError::into_inner).is_some();
            while self.book.asked(period).is_none() && !faulty() && rounds.changed().await.is_ok() {}
        };
        // What takes longer is said to be missing.
        let _ = tokio::time::timeout(FIRST, first).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    #[test]
    fn minutes_go_first_and_nothing_starves() {
        let mut done = Done::default();
        let start = Timestamp(0);
        let first = done.due(start, true);
        assert_eq!(first[0], Job::Level(&LEVELS[0]));
        assert_eq!(
            (first.len(), done.next(true)),
            (LEVELS.len() + 1, None),
            "at the start everything is due"
        );
        done.levels = [Some(start); LEVELS.len()];
        done.windows = Some(start);
        assert!(done.due(Timestamp(MINUTE - 1), true).is_empty());
        assert_eq!(done.due(Timestamp(MINUTE), true), [Job::Level(&LEVELS[0])]);
        assert!(done.due(Timestamp(MINUTE), false).is_empty(), "nobody looks");
        let later = done.due(Timestamp(HOUR), true);
        assert_eq!(later[0], Job::Level(&LEVELS[0]));
        assert!(later.contains(&Job::Windows) && !later.contains(&Job::Level(&LEVELS[4])));
        assert_eq!(done.next(true), Some(Timestamp(MINUTE)));
    }
}
