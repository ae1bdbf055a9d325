//! What the measurements say beside readings: what findings and the ledger rest on.

use std::time::Duration;

use super::CloudWatch;
use super::quantity::{ERRORS, FAILED, INVOCATIONS, Key, MATCHED, PROCESSED, Quantity};
use super::read::PLATFORM_STEP;
use crate::time::{MINUTE, Span, Timestamp};

/// How old the age of the oldest message may be: it moves on by itself, so that its message is what counts.
const AGE_FOR: i64 = 30 * MINUTE;

/// What a consumer was run for and came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::aws) struct Runs {
    /// Runs of its function.
    pub(in crate::aws) invocations: f64,
    /// Those that ended in an error.
    pub(in crate::aws) errors: f64,
    /// Events that it says it completed or failed for, if it says anything.
    pub(in crate::aws) counted: Option<f64>,
    /// Events that its rule matched.
    pub(in crate::aws) matched: f64,
}

impl CloudWatch {
    /// Whether a consumer is known to be one of ours, which count what they do, and write it down.
    pub(in crate::aws) fn counts_itself(&self, consumer: Option<&str>) -> bool {
        consumer.is_none() || self.book.knows(&Key::new(consumer, &PROCESSED))
    }

    /// What a consumer was run for and came to over a span; `None` where nothing is known of its function.
    pub(in crate::aws) fn runs(&self, consumer: &str, span: Span) -> Option<Runs> {
        if !self.book.knows(&Key::new(Some(consumer), &INVOCATIONS)) {
            return None;
        }
        let sum = |quantity: &Quantity| {
            let key = Key::new(Some(consumer), quantity);
            self.book.values(&key, MINUTE, span).values().sum::<f64>()
        };
        let counted = self.counts_itself(Some(consumer)).then(|| sum(&PROCESSED) + sum(&FAILED));
        Some(Runs {
            invocations: sum(&INVOCATIONS),
            errors: sum(&ERRORS),
            counted,
            matched: sum(&MATCHED),
        })
    }

    /// About when the oldest message in a consumer's queue, or dead-letter queue, was sent, by what was measured of its age; without a
    /// consumer, of the deployment's dead-letter queue. It may have gone since; `None` if nothing was measured lately.
    pub(in crate::aws) fn oldest(&self, age: &Quantity, consumer: Option<&str>) -> Option<Timestamp> {
        let now = Timestamp::now();
        let line = self
            .book
            .values(&Key::new(consumer, age), PLATFORM_STEP, Span::ending(now, AGE_FOR));
        let (at, age) = line.last_key_value()?;
        let age = i64::try_from(Duration::try_from_secs_f64(*age).ok()?.as_millis()).ok()?;
        // The step's maximum, which an age has at the step's end.
        Some(Timestamp(now.0.min(at + PLATFORM_STEP) - age))
    }
}
