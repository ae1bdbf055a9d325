//! What can go wrong at a port.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::InvalidField;
use crate::flag::{FlagChange, FlagState, GLOBAL_SCOPE};

/// A store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It is not there, or doesn't answer; trying later may help.
    #[error("{what} is unavailable: {reason}")]
    Unavailable {
        /// Which store.
        what: &'static str,
        /// In the store's own words.
        reason: String,
    },
    /// The backend has no such thing; trying later doesn't help.
    #[error("this backend does not offer {what}")]
    NotOffered {
        /// What, and what would change that, if anything can.
        what: Cow<'static, str>,
    },
    /// What it holds can't be read.
    #[error("{what} holds something unreadable: {reason}")]
    Corrupt {
        /// Which store.
        what: &'static str,
        /// What and where.
        reason: String,
    },
    /// The question makes no sense.
    #[error("{0}")]
    Invalid(#[from] InvalidField),
}

/// How long the log says nothing of a failure that it has said, while that goes on.
const SILENCE: Duration = Duration::from_secs(60);
/// The failures that the log has said, and when.
static SAID: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// Whether a failure is to be said at `now`, after all that were.
fn news(said: &mut HashMap<String, Instant>, failure: String, now: Instant) -> bool {
    said.retain(|_, at| now.duration_since(*at) < SILENCE);
    let new = !said.contains_key(&failure);
    said.entry(failure).or_insert(now);
    new
}

impl StoreError {
    /// Says it in the log, with what it means: at once, and once a minute while it goes on, for who asks a store that is away asks again
    /// and again.
    pub fn log(&self, means: &'static str) {
        let failure = format!("{means}: {self}");
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if news(&mut said, failure, Instant::now()) {
            tracing::error!(error = %self, "{means}");
        }
    }

    /// A question that makes no sense.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(InvalidField::new(field, reason))
    }
}

/// An event was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// It is not a valid event.
    #[error("invalid event: {0}")]
    Invalid(#[from] InvalidField),
    /// It is larger than the bus takes.
    #[error("the event is {size} bytes long; at most {max} are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Another event with the same id was accepted before.
    #[error("eventId {event_id} was used before for a different event")]
    Conflict {
        /// The id.
        event_id: String,
    },
    /// The bus could not take it now.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
}

impl PublishError {
    /// Whether the same event may be accepted later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// A short, stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "InvalidEvent",
            Self::TooLarge { .. } => "EventTooLarge",
            Self::Conflict { .. } => "EventIdConflict",
            Self::Unavailable(_) => "BusUnavailable",
        }
    }
}

/// Flags were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Someone else changed them first.
    #[error("the flags of {} are at version {} now", .0.scope, .0.version)]
    VersionMoved(FlagState),
    /// Both off: nothing would trigger analytics.
    #[error("both flags off would leave analytics stale: keep event publishing or direct triggers on")]
    BothOff,
    /// A field makes no sense.
    #[error("{0}")]
    Invalid(#[from] InvalidField),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FlagChange {
    /// Whether it can be made at all.
    ///
    /// # Errors
    /// Both off, nothing to inherit from, or a reason or scope that is empty or too long.
    pub(crate) fn check(&self) -> Result<(), FlagError> {
        if self.to.is_some_and(|flags| flags.stage().is_none()) {
            return Err(FlagError::BothOff);
        }
        if self.to.is_none() && self.scope == GLOBAL_SCOPE {
            return Err(InvalidField::new("inherit", "makes no sense for the global flags: they are what is inherited").into());
        }
        for (field, value, max) in [("reason", &self.reason, 500), ("scope", &self.scope, 128)] {
            if value.trim().is_empty() {
                return Err(InvalidField::new(field, "is empty").into());
            }
            if value.len() > max {
                return Err(InvalidField::new(field, format!("is longer than {max} bytes")).into());
            }
        }
        Ok(())
    }
}

/// An operation was not started or stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// A field makes no sense.
    #[error("{0}")]
    Invalid(#[from] InvalidField),
    /// There is no such operation.
    #[error("there is no operation {0}")]
    Unknown(String),
    /// It has ended already.
    #[error("operation {0} has ended already")]
    Ended(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_once_a_minute() {
        let (mut said, start) = (HashMap::new(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut heard = Vec::new();
        for (failure, seconds) in [("a", 0), ("a", 2), ("b", 3), ("a", 59), ("a", 61), ("b", 62), ("a", 62), ("b", 64)] {
            if news(&mut said, failure.to_owned(), at(seconds)) {
                heard.push((failure, seconds));
            }
        }
        assert_eq!(heard, [("a", 0), ("b", 3), ("a", 61), ("b", 64)]);
        news(&mut said, "c".to_owned(), at(1_000));
        assert_eq!(said.len(), 1, "what is over is forgotten");
    }
}
