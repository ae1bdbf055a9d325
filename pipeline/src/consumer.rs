//! Consumers as they are seen from outside: what they take, how they are.

use serde::{Deserialize, Serialize};

use crate::time::{MINUTE, Span, Timestamp};

/// Over how long a consumer's health is judged, milliseconds.
pub const HEALTH_WINDOW: i64 = 15 * MINUTE;

/// How a consumer is, by what it did in the last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Health {
    /// Works within its limits.
    Healthy,
    /// Works, but errors or latency are over their limits.
    Failing,
    /// Stopped by a person.
    Paused,
    /// Too little has happened to tell.
    Idle,
    /// What it did can't be read.
    Unknown,
}

impl Health {
    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Failing => "failing",
            Self::Paused => "paused",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
        }
    }

    /// Judges counts over the window: `processed` and `failed` attempts, and the 99th percentile in seconds.
    #[must_use]
    pub fn judge(paused: bool, processed: u64, failed: u64, p99: Option<f64>) -> Self {
        if paused {
            return Self::Paused;
        }
        let attempts = processed + failed;
        if attempts == 0 {
            return Self::Idle;
        }
        #[allow(clippy::cast_precision_loss)] // a rate
        let rate = failed as f64 / attempts as f64;
        if (rate >= crate::criteria::MAX_ERROR_RATE && failed > 1) || p99.is_some_and(|p| p >= crate::criteria::MAX_LATENCY_SECONDS) {
            Self::Failing
        } else {
            Self::Healthy
        }
    }
}

/// A consumer's counts over a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsumerCounts {
    /// Its name.
    pub name: String,
    /// Attempts that completed.
    pub processed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Published to processed, seconds.
    pub p50: Option<f64>,
    /// Published to processed, seconds.
    pub p95: Option<f64>,
    /// Published to processed, seconds.
    pub p99: Option<f64>,
}

impl ConsumerCounts {
    /// Completed a minute, over the span of the counts.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts far below 2^53
    pub fn per_minute(&self, span: Span) -> f64 {
        self.processed as f64 / (span.millis().max(1) as f64 / MINUTE as f64)
    }

    /// Failed ÷ (processed + failed), percent; `None` without attempts.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts far below 2^53
    pub fn error_rate(&self) -> Option<f64> {
        let attempts = self.processed + self.failed;
        (attempts > 0).then(|| self.failed as f64 / attempts as f64 * 100.0)
    }

    /// How a consumer is that did this in the last minutes.
    #[must_use]
    pub fn health(&self, paused: bool) -> Health {
        Health::judge(paused, self.processed, self.failed, self.p99)
    }
}

/// A consumer at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsumerStatus {
    /// Its name.
    pub name: String,
    /// What it does, in one sentence.
    pub does: String,
    /// Its rules: name and pattern, as JSON.
    pub rules: Vec<(String, String)>,
    /// How it is.
    pub health: Health,
    /// Whether a person stopped it; `None` where it isn't known.
    pub paused: Option<bool>,
    /// Over how long the counts below go, milliseconds.
    pub window: i64,
    /// Attempts that completed; `None` where it isn't known.
    pub processed: Option<u64>,
    /// Attempts that failed; `None` where it isn't known.
    pub failed: Option<u64>,
    /// Completed a minute; `None` where it isn't known.
    pub per_minute: Option<f64>,
    /// Failed ÷ (processed + failed), percent; `None` without attempts, and where they aren't known.
    pub error_rate: Option<f64>,
    /// Published to processed, seconds.
    pub p50: Option<f64>,
    /// Published to processed, seconds.
    pub p95: Option<f64>,
    /// Published to processed, seconds.
    pub p99: Option<f64>,
    /// Deliveries neither completed nor dead-lettered; `None` where it isn't known.
    pub in_flight: Option<u64>,
    /// Deliveries that wait for another attempt; `None` where it isn't known.
    pub retrying: Option<u64>,
    /// Open dead letters; `None` where it isn't known.
    pub dead_letters: Option<u64>,
    /// Completed a minute, for the last hour, oldest first; `None` where it isn't known.
    pub recent: Vec<Option<f64>>,
    /// The newest errors; `None` where they aren't known.
    pub last_errors: Option<Vec<ConsumerFault>>,
}

impl ConsumerStatus {
    /// Attempts that completed or failed; `None` where it isn't known.
    #[must_use]
    pub fn attempts(&self) -> Option<u64> {
        Some(self.processed? + self.failed?)
    }
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsumerFault {
    /// When.
    pub at: Timestamp,
    /// The event.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Which attempt.
    pub attempt: u32,
    /// What went wrong.
    pub error: String,
}
