//! The measurements, out of CloudWatch.
//!
//! | module | has |
//! |---|---|
//! | [`quantity`] | what is asked for, and what the numbers are |
//! | [`discover`] | which metrics there are (`ListMetrics`) |
//! | [`ask`] | their values (`GetMetricData`) |
//! | [`schedule`] | how wide, how often, how far back |
//! | [`budget`] | what it costs |
//! | [`book`], [`cache`] | what was answered, in memory and on disk |
//! | [`poll`] | the one that asks, for all viewers |
//! | [`sample`] | what is looked at each minute, because CloudWatch doesn't have it |
//! | [`read`] | the readings |
//! | [`tell`] | how the criteria stand, for alarms |
//!
//! Whoever reads is answered from memory: what it costs does not depend on how many look.

mod ask;
mod book;
mod budget;
mod cache;
mod charge;
mod discover;
mod poll;
mod quantity;
mod read;
mod sample;
mod schedule;
mod signs;
mod tell;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Builder;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use tokio::sync::{Mutex, Notify, watch};

use super::{Connection, Names};
use crate::metric::MetricsSource;
use crate::ports::StoreError;
use crate::time::{DAY, MINUTE, Span, Timestamp};
use ask::Answers;
use book::Book;

use budget::{LISTING, METRIC, SIGNS};
pub use cache::CacheError;
pub(in crate::aws) use charge::unpaid;
use discover::Found;
pub(in crate::aws) use quantity::{DELIVERED_WITHIN, LETTERS_AGE, QUEUE_AGE};
pub use read::Unwatched;
pub use sample::Sampler;
use schedule::{LEVELS, Level, WINDOWS, WINDOWS_EVERY};
pub(in crate::aws) use signs::Runs;
pub use tell::{CRITERION_FAILING, Teller};

/// The source's name in errors.
pub(super) const STORE: &str = "CloudWatch";
/// How long after the last reading somebody counts as looking.
const WATCHED_FOR: i64 = 2 * MINUTE;
/// How many spans that only one viewer asked for are kept.
const SPANS: usize = 32;

/// How CloudWatch is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsConfig {
    /// The most that asking may cost, dollars a day, in UTC.
    pub dollars_a_day: f64,
    /// Where answers are kept for the next start; in memory if nothing is said.
    pub cache: Option<PathBuf>,
}

impl Default for MetricsConfig {
    /// Two dollars; four consumers that somebody always looks at cost about one and a quarter.
    fn default() -> Self {
        Self {
            dollars_a_day: 2.0,
            cache: None,
        }
    }
}

/// The measurements of a deployment.
#[derive(Debug)]
pub struct CloudWatch {
    client: Client,
    names: Names,
    book: Book,
    /// Millionths of a dollar a day.
    ceiling: u64,
    found: RwLock<Arc<Vec<Found>>>,
    fault: RwLock<Option<String>>,
    /// When somebody last asked for a reading.
    seen: AtomicI64,
    /// Somebody looks, where nobody did.
    wake: Notify,
    /// Moves with each round that ended, well or not.
    rounds: watch::Sender<()>,
    /// Percentiles over spans that are asked for one by one.
    spans: Mutex<VecDeque<(Span, Arc<Answers>)>>,
}

impl CloudWatch {
    /// Opens the cache; nothing is called yet. `endpoint` is where all services are, if not where AWS has them.
    ///
    /// # Errors
    /// The cache can't be opened.
    pub fn open(connection: &Connection, names: &Names, endpoint: Option<&str>, config: &MetricsConfig) -> Result<Arc<Self>, CacheError> {
        let region = connection.sdk.region().map_or("", |region| region.as_ref());
        let deployment = format!("{}/{region}/{}", endpoint.unwrap_or("aws"), names.prefix);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates, and negative is none
        let ceiling = (config.dollars_a_day * 1e6) as u64;
        Ok(Arc::new(Self {
            // Each attempt may be charged: whoever asks again pays again, and pauses by itself.
            client: Client::from_conf(Builder::from(&connection.sdk).retry_config(RetryConfig::disabled()).build()),
            names: names.clone(),
            book: Book::open(config.cache.as_deref(), &deployment)?,
            ceiling,
            found: RwLock::default(),
            fault: RwLock::default(),
            seen: AtomicI64::new(0),
            wake: Notify::new(),
            rounds: watch::Sender::new(()),
            spans: Mutex::default(),
        }))
    }

    fn found(&self) -> Arc<Vec<Found>> {
        Arc::clone(&self.found.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody looks.
    fn look(&self, now: Timestamp) {
        let before = self.seen.swap(now.0, Ordering::Relaxed);
        if now.0 - before > WATCHED_FOR {
            self.wake.notify_one();
        }
    }

    fn watched(&self, now: Timestamp) -> bool {
        now.0 - self.seen.load(Ordering::Relaxed) <= WATCHED_FOR
    }

    /// What asking costs in a day in which somebody always looks, or nobody does, millionths of a dollar.
    fn a_day(&self, watched: bool) -> u64 {
        let found = self.found();
        let rounds = |every: i64| u64::try_from(DAY / every).unwrap_or(0);
        let levels = LEVELS
            .iter()
            .map(|level| poll::questions(&found, level).len() as u64 * rounds(level.every(watched)));
        let windows = poll::window_questions(&found, &WINDOWS[1..]).len() as u64 * rounds(WINDOWS_EVERY);
        (levels.sum::<u64>() + windows) * METRIC
    }

    /// Whether it may be asked, just to see that it answers: where that costs no reading.
    pub(in crate::aws) fn may_be_asked(&self, now: Timestamp) -> bool {
        self.affords_signs() && self.afford(LISTING, now).is_ok()
    }

    fn affords_signs(&self) -> bool {
        self.a_day(true) + SIGNS <= self.ceiling
    }

    /// How the source is, for people.
    fn source(&self, now: Timestamp) -> MetricsSource {
        #[allow(clippy::cast_precision_loss)] // dollars
        let dollars = |micros: u64| micros as f64 / 1e6;
        let watched = self.watched(now);
        let signs = if watched && self.affords_signs() { SIGNS } else { 0 };
        let cost = self.a_day(watched) + signs;
        MetricsSource {
            name: STORE.to_owned(),
            until: self.book.asked(MINUTE).map(|asked| asked.to),
            fault: self.fault.read().unwrap_or_else(PoisonError::into_inner).clone(),
            spent_today: dollars(self.book.spent().at(now).micros),
            a_day: dollars(cost.min(self.ceiling)),
            ceiling: dollars(self.ceiling),
            slowed: cost > self.ceiling,
        }
    }

    /// Percentiles over a span that isn't one of the usual ones, asked for once for all who want the same.
    async fn over(&self, span: Span, now: Timestamp) -> Result<Arc<Answers>, StoreError> {
        let length = span.millis();
        let grain = if now.since(span.from) > 63 * DAY {
            LEVELS[2].period
        } else {
            LEVELS[1].period
        };
        // A span that ends now moves on: by a hundredth of itself at a time.
        let from = span.from.floor((length / 100).max(MINUTE)).floor(MINUTE);
        let period = (length + grain - 1) / grain * grain;
        let span = Span {
            from,
            to: from.plus(period),
        };
        let mut spans = self.spans.lock().await;
        if let Some((_, answers)) = spans.iter().find(|(known, _)| *known == span) {
            return Ok(Arc::clone(answers));
        }
        let found = self.found();
        let questions = poll::window_questions(&found, &[period]);
        self.afford(questions.len() as u64 * METRIC, now)?;
        let answers = ask::ask(&self.client, &questions, span, |metrics| self.pay(metrics as u64 * METRIC, now)).await?;
        let answers = Arc::new(answers);
        if spans.len() == SPANS {
            spans.pop_front();
        }
        spans.push_back((span, Arc::clone(&answers)));
        Ok(answers)
    }

    /// The finest steps that reach back to `from`.
    fn reaching(&self, from: Timestamp) -> &'static Level {
        let reaches = |level: &&Level| {
            self.book
                .asked(level.period)
                .is_some_and(|asked| asked.from <= from.floor(level.period))
        };
        LEVELS.iter().find(reaches).unwrap_or_else(|| {
            let farthest = LEVELS.iter().filter_map(|level| Some((self.book.asked(level.period)?.from, level)));
            farthest.min_by_key(|(from, _)| *from).map_or(&LEVELS[0], |(_, level)| level)
        })
    }
}
