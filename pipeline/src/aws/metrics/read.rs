//! The readings: out of memory, in the steps that CloudWatch was asked for.

use std::sync::Arc;

use async_trait::async_trait;

use super::quantity::{
    ALL, ERRORS, FAILED, IN_FLIGHT, INVOCATIONS, Key, MATCHED, OPEN, P50, P95, P99, PERCENTILES, PROCESSED, Part, Quantity,
};
use super::schedule::{Level, WINDOWS};
use super::{CloudWatch, STORE};
use crate::consumer::ConsumerCounts;
use crate::metric::{By, Metric, MetricsSource, Reading, Series, SeriesQuery, Vital, Vitals};
use crate::ports::{Metrics, StoreError};
use crate::time::{MINUTE, Span, Timestamp};

/// The consumer that gets every event: what it is sent is what the bus took.
const EVERYTHING: &str = "audit";
/// How old a percentile over a span that ends now may be.
const WINDOW_FOR: i64 = 15 * MINUTE;
/// How far the measurements may be behind the end of a span whose counts are told. They are read each minute, and each five while nobody
/// looks.
const BLIND_AFTER: i64 = 15 * MINUTE;
/// The finest that the platform is asked about its own measurements.
pub(super) const PLATFORM_STEP: i64 = 5 * MINUTE;

/// Steps of a reading.
struct Frame {
    level: &'static Level,
    from: Timestamp,
    steps: usize,
    until: Timestamp,
}

impl Frame {
    fn start(&self, index: usize) -> i64 {
        self.from.0 + self.level.period * i64::try_from(index).unwrap_or(0)
    }

    /// How much of a step is in, milliseconds.
    fn covered(&self, index: usize) -> i64 {
        (self.until.0 - self.start(index)).clamp(self.level.period / 6, self.level.period)
    }

    fn values(&self, value: impl Fn(usize, i64) -> Option<f64>) -> Vec<Option<f64>> {
        (0..self.steps).map(|index| value(index, self.start(index))).collect()
    }
}

impl CloudWatch {
    fn frame(&self, span: Span, step: i64) -> Result<Frame, StoreError> {
        let level = Level::for_step(step);
        let Some(asked) = self.book.asked(level.period) else {
            // Nothing is known yet; why, if it can't be.
            return Err(StoreError::Unavailable {
                what: STORE,
                reason: self
                    .source(span.to)
                    .fault
                    .unwrap_or_else(|| "it is being read for the first time".to_owned()),
            });
        };
        let from = span.from.floor(level.period);
        let steps = (span.to.since(from) + level.period - 1).max(0) / level.period;
        Ok(Frame {
            level,
            from,
            steps: usize::try_from(steps).unwrap_or(0),
            until: asked.to.min(span.to),
        })
    }

    /// What a consumer completed and failed at in a step. Of one that doesn't count itself, what its function's runs came to.
    fn attempts(&self, consumer: Option<&str>, period: i64, at: i64) -> (Option<f64>, Option<f64>) {
        let value = |quantity: &Quantity| self.book.value(&Key::new(consumer, quantity), period, at);
        if self.counts_itself(consumer) {
            return (value(&PROCESSED), value(&FAILED));
        }
        let errors = value(&ERRORS);
        (value(&INVOCATIONS).map(|all| (all - errors.unwrap_or(0.0)).max(0.0)), errors)
    }

    /// What the bus took in a step: what the rule for everything matched, or, where EventBridge says nothing, what its consumer did.
    fn published(&self, period: i64, at: i64) -> Option<f64> {
        let matched = Key::new(Some(EVERYTHING), &MATCHED);
        self.book
            .value(&matched, period, at)
            .or_else(|| self.attempts(Some(EVERYTHING), period, at).0)
    }

    fn consumers(&self, only: Option<&str>) -> Vec<&str> {
        let names = self.names.consumers.iter().map(|c| c.name.as_str());
        names.filter(|name| only.is_none_or(|only| only == *name)).collect()
    }

    fn line(&self, query: &SeriesQuery, frame: &Frame, consumer: Option<&str>) -> Vec<Option<f64>> {
        let period = frame.level.period;
        let value = |quantity: &Quantity| {
            let key = Key::new(consumer, quantity);
            frame.values(|_, at| self.book.value(&key, period, at))
        };
        #[allow(clippy::cast_precision_loss)] // minutes
        let a_minute = |index: usize, count: f64| count / (frame.covered(index) as f64 / MINUTE as f64);
        match query.metric {
            Metric::Throughput if consumer.is_none() => {
                frame.values(|index, at| self.published(period, at).map(|count| a_minute(index, count)))
            }
            Metric::Throughput => frame.values(|index, at| self.attempts(consumer, period, at).0.map(|count| a_minute(index, count))),
            Metric::Errors => frame.values(|_, at| self.attempts(consumer, period, at).1),
            Metric::ErrorRate => frame.values(|_, at| {
                let (processed, failed) = self.attempts(consumer, period, at);
                let all = processed? + failed.unwrap_or(0.0);
                (all > 0.0).then(|| failed.unwrap_or(0.0) / all * 100.0)
            }),
            Metric::LatencyP50 => value(&P50),
            Metric::LatencyP95 => value(&P95),
            Metric::LatencyP99 => value(&P99),
            Metric::DeadLetters => value(&OPEN),
            Metric::InFlight => value(&IN_FLIGHT),
        }
    }

    /// What a consumer completed and failed at over a span.
    fn sums(&self, consumer: &str, span: Span) -> (f64, f64) {
        let period = self.reaching(span.from).period;
        let span = Span {
            from: span.from.floor(period),
            to: span.to,
        };
        let sum = |quantity: &Quantity| {
            self.book
                .values(&Key::new(Some(consumer), quantity), period, span)
                .values()
                .sum::<f64>()
        };
        if self.counts_itself(Some(consumer)) {
            return (sum(&PROCESSED), sum(&FAILED));
        }
        let errors = sum(&ERRORS);
        ((sum(&INVOCATIONS) - errors).max(0.0), errors)
    }

    /// A consumer's percentiles over a span.
    async fn percentiles(&self, consumer: &str, span: Span, now: Timestamp) -> [Option<f64>; 3] {
        let keys = PERCENTILES.map(|quantity| Key::new(Some(consumer), &quantity));
        if WINDOWS.contains(&span.millis()) && now.since(span.to) < MINUTE {
            let window = |key: &Key| {
                self.book
                    .window(key, span.millis())
                    .filter(|(end, _)| now.since(*end) <= WINDOW_FOR)
            };
            return [window(&keys[0]), window(&keys[1]), window(&keys[2])].map(|found| found.map(|(_, value)| value));
        }
        if !keys.iter().any(|key| self.book.knows(key)) {
            return [None; 3];
        }
        match self.over(span, now).await {
            Ok(answers) => keys.map(|key| {
                let of = answers.iter().filter(|((known, _), _)| *known == key);
                of.flat_map(|(_, values)| values.values().copied()).reduce(f64::max)
            }),
            Err(error) => {
                tracing::debug!(%error, "percentiles of a span are not known");
                [None; 3]
            }
        }
    }

    /// Each consumer's counts.
    async fn counted(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError> {
        let now = Timestamp::now();
        let frame = self.frame(span, MINUTE)?;
        if span.to.min(now).since(frame.until) > BLIND_AFTER {
            // Nothing was heard of the end of the span: that is not as if nothing had happened in it.
            return Err(StoreError::Unavailable {
                what: STORE,
                reason: self.source(now).fault.unwrap_or_else(|| "it was not asked lately".to_owned()),
            });
        }
        let mut counts = Vec::with_capacity(self.names.consumers.len());
        for name in self.consumers(None) {
            let (processed, failed) = self.sums(name, span);
            // CloudWatch's steps may reach beyond the span: nothing in it has no percentile, whatever happened around it.
            let [p50, p95, p99] = if processed > 0.0 {
                self.percentiles(name, span, now).await
            } else {
                [None; 3]
            };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts
            counts.push(ConsumerCounts {
                name: name.to_owned(),
                processed: processed.round() as u64,
                failed: failed.round() as u64,
                p50,
                p95,
                p99,
            });
        }
        Ok(counts)
    }

    /// The most events in a whole step, a minute, and how many in all steps that the span reaches into.
    fn peaked(&self, span: Span) -> Result<(f64, u64), StoreError> {
        self.frame(span, MINUTE)?;
        let level = self.reaching(span.from);
        let from = span.from.floor(level.period);
        let steps = (from.0..span.to.0).step_by(usize::try_from(level.period).unwrap_or(1));
        let whole = |at: i64| at >= span.from.0 && at + level.period <= span.to.0;
        let counts = steps.filter_map(|at| Some((at, self.published(level.period, at)?)));
        let (most, all) = counts.fold((0.0_f64, 0.0), |(most, all), (at, count)| {
            (if whole(at) { most.max(count) } else { most }, all + count)
        });
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts
        Ok((most / (level.period as f64 / MINUTE as f64), all.round() as u64))
    }

    /// One metric over a span.
    fn series_of(&self, query: &SeriesQuery) -> Result<Reading, StoreError> {
        query.check()?;
        let now = Timestamp::now();
        let span = Span {
            from: Timestamp(query.from),
            to: Timestamp(query.to.min(now.0)),
        };
        let frame = self.frame(span, query.step)?;
        let only = query.consumer.as_deref();
        let series = match query.by {
            By::Type => {
                return Err(StoreError::NotOffered {
                    what: "measurements by event type".into(),
                });
            }
            By::Consumer => self
                .consumers(only)
                .into_iter()
                .map(|name| (name, self.line(query, &frame, Some(name))))
                .collect(),
            By::None => vec![("all", self.line(query, &frame, only))],
        };
        Ok(Reading {
            metric: query.metric,
            unit: query.metric.unit(),
            from: frame.from,
            step: frame.level.period,
            until: frame.until,
            series: series
                .into_iter()
                .map(|(label, values)| Series {
                    label: label.to_owned(),
                    values,
                })
                .collect(),
        })
    }

    /// What the platform measures of a consumer.
    pub(in crate::aws) fn vitals_of(&self, consumer: &str, span: Span, step: i64) -> Result<Vitals, StoreError> {
        let frame = self.frame(span, step.max(PLATFORM_STEP))?;
        let period = frame.level.period;
        let platform = ALL.iter().filter(|quantity| !matches!(quantity.part, Part::Own | Part::Sampled));
        let items = platform.filter_map(|quantity| {
            let key = Key::new(Some(consumer), quantity);
            // What the platform leaves out while it is zero is zero where the rule is known at all.
            let silent = quantity.absent_is_zero && self.book.knows(&Key::new(Some(consumer), &MATCHED));
            if !self.book.knows(&key) && !silent {
                return None;
            }
            let values = frame.values(|_, at| {
                let zero = (silent && at < frame.until.0).then_some(0.0);
                self.book.value(&key, period, at).or(zero)
            });
            let complete = |index: usize| !quantity.adds_up() || frame.start(index) + period <= frame.until.0;
            let newest = (0..values.len())
                .rev()
                .filter(|index| complete(*index))
                .find_map(|index| values[index]);
            Some(Vital {
                part: quantity.part.title().to_owned(),
                title: quantity.title.to_owned(),
                definition: quantity.definition.to_owned(),
                unit: quantity.unit,
                adds_up: quantity.adds_up(),
                newest,
                values,
            })
        });
        Ok(Vitals {
            from: frame.from,
            step: period,
            until: frame.until,
            items: items.collect(),
        })
    }
}

#[async_trait]
impl Metrics for CloudWatch {
    async fn series(&self, query: &SeriesQuery) -> Result<Reading, StoreError> {
        self.look(Timestamp::now());
        self.begun(query.step).await;
        self.series_of(query)
    }

    async fn counts(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError> {
        self.look(Timestamp::now());
        self.begun(MINUTE).await;
        self.counted(span).await
    }

    async fn peak(&self, span: Span) -> Result<(f64, u64), StoreError> {
        self.look(Timestamp::now());
        self.begun(MINUTE).await;
        self.peaked(span)
    }

    async fn vitals(&self, consumer: &str, span: Span, step: i64) -> Result<Vitals, StoreError> {
        self.look(Timestamp::now());
        self.begun(step.max(PLATFORM_STEP)).await;
        self.vitals_of(consumer, span, step)
    }

    fn source(&self) -> Option<MetricsSource> {
        Some(self.source(Timestamp::now()))
    }
}

/// The measurements for one who doesn't count as looking: nothing is asked for more often for their sake.
#[derive(Clone, Debug)]
pub struct Unwatched(pub Arc<CloudWatch>);

#[async_trait]
impl Metrics for Unwatched {
    async fn series(&self, query: &SeriesQuery) -> Result<Reading, StoreError> {
        self.0.series_of(query)
    }

    async fn counts(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError> {
        self.0.counted(span).await
    }

    async fn peak(&self, span: Span) -> Result<(f64, u64), StoreError> {
        self.0.peaked(span)
    }

    async fn vitals(&self, consumer: &str, span: Span, step: i64) -> Result<Vitals, StoreError> {
        self.0.vitals_of(consumer, span, step)
    }

    fn source(&self) -> Option<MetricsSource> {
        Some(self.0.source(Timestamp::now()))
    }
}
