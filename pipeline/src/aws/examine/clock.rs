//! How far this machine's clock is from that of the services: they say what time it is with every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use chrono::DateTime;

use crate::finding::Finding;
use crate::finding::Severity::{Error, Warning};
use crate::time::Timestamp;

/// Nothing was heard yet.
const UNKNOWN: i64 = i64::MIN;
/// Services say the time in whole seconds, and answers are under way for a while.
const BLURRED: i64 = 5_000;
/// AWS refuses requests whose signature is older, or further ahead.
const REFUSED: i64 = 300_000;

/// Hears what time the services say it is.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Ours less theirs, milliseconds.
    ahead: Arc<AtomicI64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            ahead: Arc::new(AtomicI64::new(UNKNOWN)),
        }
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let said = context.response().headers().get("date");
        if let Some(said) = said.and_then(|said| DateTime::parse_from_rfc2822(said).ok()) {
            self.ahead.store(Timestamp::now().0 - said.timestamp_millis(), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Clock {
    /// What is wrong with this machine's clock.
    pub(super) fn judge(&self) -> Vec<Finding> {
        judge(self.ahead.load(Ordering::Relaxed)).into_iter().collect()
    }
}

fn judge(ahead: i64) -> Option<Finding> {
    if ahead == UNKNOWN || ahead.abs() < BLURRED {
        return None;
    }
    let (seconds, which) = (ahead.abs() / 1_000, if ahead > 0 { "ahead of" } else { "behind" });
    Some(Finding::new(
        if ahead.abs() < REFUSED { Warning } else { Error },
        "clock.own",
        "this machine",
        "This machine's clock is wrong: what is said to be of now is not.",
        format!("It is {seconds} s {which} that of AWS."),
        "Have it set by NTP. AWS refuses requests that are five minutes off.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_seconds_are_nothing() {
        let severity = |ahead| judge(ahead).map(|finding| finding.severity);
        assert_eq!((severity(UNKNOWN), severity(-4_000)), (None, None));
        assert_eq!((severity(6_000), severity(-400_000)), (Some(Warning), Some(Error)));
    }
}
