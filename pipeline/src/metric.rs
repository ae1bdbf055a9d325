//! What is measured, and how a reading of it looks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::event::InvalidField;
use crate::time::{DAY, HOUR, MINUTE, Span, Timestamp};

/// A measured quantity. [`Metric::definition`] is its one definition, shown wherever it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // `definition` says it
pub enum Metric {
    Throughput,
    LatencyP50,
    LatencyP95,
    LatencyP99,
    Errors,
    ErrorRate,
    DeadLetters,
    InFlight,
}

impl Metric {
    /// Every metric, in the order pages show them.
    pub const ALL: [Self; 8] = [
        Self::Throughput,
        Self::LatencyP50,
        Self::LatencyP95,
        Self::LatencyP99,
        Self::Errors,
        Self::ErrorRate,
        Self::DeadLetters,
        Self::InFlight,
    ];

    /// Its name in URLs and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP95 => "latency_p95",
            Self::LatencyP99 => "latency_p99",
            Self::Errors => "errors",
            Self::ErrorRate => "error_rate",
            Self::DeadLetters => "dead_letters",
            Self::InFlight => "in_flight",
        }
    }

    /// Its unit: of the values, not of an axis.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Throughput => Unit::PerMinute,
            Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 => Unit::Seconds,
            Self::ErrorRate => Unit::Percent,
            Self::Errors | Self::DeadLetters | Self::InFlight => Unit::Count,
        }
    }

    /// What the number is, in one sentence.
    #[must_use]
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Throughput => "Events a minute: accepted by the bus, or, by consumer, completed by it.",
            Self::LatencyP50 => "Time from published to processed that half of the deliveries stayed within, from merged histograms.",
            Self::LatencyP95 => "Time from published to processed that 95 % of the deliveries stayed within, from merged histograms.",
            Self::LatencyP99 => "Time from published to processed that 99 % of the deliveries stayed within, from merged histograms.",
            Self::Errors => "Attempts that failed, retried or not.",
            Self::ErrorRate => "Failed attempts as a share of all attempts: failed ÷ (processed + failed).",
            Self::DeadLetters => "Dead letters open at the end of each step.",
            Self::InFlight => "Deliveries accepted but neither completed nor dead-lettered, at the end of each step.",
        }
    }

    /// Whether a step in which nothing happened is a zero (`true`) or has no value at all (`false`).
    #[must_use]
    pub const fn absent_is_zero(self) -> bool {
        matches!(self, Self::Throughput | Self::Errors | Self::DeadLetters)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no metric's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no metric: use one of throughput, latency_p50, latency_p95, latency_p99, errors, error_rate, dead_letters, in_flight")]
pub struct UnknownMetric(String);

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|m| m.name() == name)
            .ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum Unit {
    PerMinute,
    Seconds,
    Percent,
    Count,
}

/// What the values are broken down by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum By {
    #[default]
    None,
    Consumer,
    Type,
}

/// A question to the metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeriesQuery {
    /// What.
    pub metric: Metric,
    /// Broken down by.
    pub by: By,
    /// First instant, milliseconds.
    pub from: i64,
    /// First instant after, milliseconds.
    pub to: i64,
    /// Width of one step, milliseconds: a multiple of a minute.
    pub step: i64,
    /// Only this consumer.
    pub consumer: Option<String>,
}

/// The most steps that one reading may have.
const MAX_STEPS: i64 = 2_000;

impl SeriesQuery {
    /// Whether it can be answered.
    ///
    /// # Errors
    /// The step is not one, or the span has too many of them, or ends before it begins.
    pub fn check(&self) -> Result<(), InvalidField> {
        if self.step < MINUTE || self.step % MINUTE != 0 {
            return Err(InvalidField::new("step", "must be a whole number of minutes, in milliseconds"));
        }
        if self.to <= self.from {
            return Err(InvalidField::new("to", "must be later than from"));
        }
        if (self.to - self.from) / self.step > MAX_STEPS {
            let reason = format!("gives more than {MAX_STEPS} steps; choose a longer step or a shorter span");
            return Err(InvalidField::new("step", reason));
        }
        Ok(())
    }
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// The consumer, the type, or `all`.
    pub label: String,
    /// One value a step, in order; `None` where nothing is known, which is not zero.
    pub values: Vec<Option<f64>>,
}

/// A reading: every series over the same steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reading {
    /// What was measured.
    pub metric: Metric,
    /// In what.
    pub unit: Unit,
    /// Start of the first step.
    pub from: Timestamp,
    /// Width of a step, milliseconds.
    pub step: i64,
    /// Up to when the data goes; the step that holds it is still filling.
    pub until: Timestamp,
    /// The lines.
    pub series: Vec<Series>,
}

impl Reading {
    /// The start of step `index`.
    #[must_use]
    pub fn step_start(&self, index: usize) -> Timestamp {
        self.from.plus(self.step * i64::try_from(index).unwrap_or(i64::MAX))
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.series.iter().map(|s| s.values.len()).max().unwrap_or(0)
    }

    /// The newest complete step's value of the series with `label`.
    #[must_use]
    pub fn latest(&self, label: &str) -> Option<f64> {
        let series = self.series.iter().find(|s| s.label == label)?;
        (0..series.values.len())
            .rev()
            .filter(|i| self.step_start(*i).plus(self.step) <= self.until)
            .find_map(|i| series.values[i])
    }
}

/// Where readings come from, when that is a service which has its own pace and its price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsSource {
    /// Its name.
    pub name: String,
    /// Up to when it was read; `None` if it never was.
    pub until: Option<Timestamp>,
    /// Why it can't be read now.
    pub fault: Option<String>,
    /// What reading it cost since the day began, in UTC; dollars.
    pub spent_today: f64,
    /// What it costs in a day at the present pace; dollars.
    pub a_day: f64,
    /// The most it may cost in a day; dollars.
    pub ceiling: f64,
    /// Whether it is read less often than it could be, to stay under the ceiling.
    pub slowed: bool,
}

/// Something that the platform under a consumer measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vital {
    /// What it is of: the function, the rule, the queue.
    pub part: String,
    /// What it is.
    pub title: String,
    /// In one sentence.
    pub definition: String,
    /// In what.
    pub unit: Unit,
    /// Whether values of several steps add up; of what doesn't, the largest counts.
    pub adds_up: bool,
    /// The last value that was reported; of what adds up, of a step that is complete.
    pub newest: Option<f64>,
    /// One value a step; `None` where nothing was reported.
    pub values: Vec<Option<f64>>,
}

impl Vital {
    /// All together: the sum, or the largest.
    #[must_use]
    pub fn overall(&self) -> Option<f64> {
        let together = |a: f64, b: f64| if self.adds_up { a + b } else { a.max(b) };
        self.values.iter().copied().flatten().reduce(together)
    }
}

/// What the platform under a consumer measures, over the same steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// Start of the first step.
    pub from: Timestamp,
    /// Width of a step, milliseconds.
    pub step: i64,
    /// Up to when the data goes.
    pub until: Timestamp,
    /// Each of them.
    pub items: Vec<Vital>,
}

/// The finest step that keeps `span` within about 360 points, from those that minutes and hours add up to.
#[must_use]
pub fn step_for(span: Span) -> i64 {
    const STEPS: [i64; 8] = [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY];
    let wanted = span.millis() / 360;
    STEPS.into_iter().find(|step| *step >= wanted).unwrap_or(DAY)
}

/// Where minutes end and hours begin: metrics are kept by the minute this long, milliseconds.
pub const MINUTE_RETENTION: i64 = 48 * HOUR;
/// How long metrics are kept by the hour, milliseconds.
pub const HOUR_RETENTION: i64 = 400 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse(), Ok(metric));
        }
        assert!("latency".parse::<Metric>().is_err());
    }

    #[test]
    fn steps_follow_the_span() {
        for (span, step) in [
            (15 * MINUTE, MINUTE),
            (HOUR, MINUTE),
            (6 * HOUR, MINUTE),
            (24 * HOUR, 5 * MINUTE),
            (7 * DAY, HOUR),
            (30 * DAY, 3 * HOUR),
        ] {
            assert_eq!(step_for(Span::ending(Timestamp(DAY * 365), span)), step, "{span}");
        }
    }
}
