//! The consumers: what each does with an event.
//!
//! A consumer reads through ports and answers with [`Effect`]s; it writes nothing itself. Whoever delivered the
//! event applies the effects and marks the delivery as done in one transaction, so that a crash between the two
//! can't happen and a second delivery changes nothing.

mod analytics;
mod audit;
mod categorization;
mod notification;

use async_trait::async_trait;

pub use analytics::Analytics;
pub use audit::Audit;
pub use categorization::Categorization;
pub use notification::Notification;

use crate::event::{Event, InvalidField};
use crate::ports::StoreError;
use crate::trigger::Trigger;

/// A consumer of events.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Its name, as in the rules.
    fn name(&self) -> &str;
    /// What it does, in one sentence.
    fn does(&self) -> &str;
    /// Works out what `event` calls for.
    ///
    /// # Errors
    /// See [`ConsumerError`]: a permanent one is not retried.
    async fn handle(&self, event: &Event) -> Result<Vec<Effect>, ConsumerError>;
}

/// Something a consumer wants done, in the transaction that marks its delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Mark analytics for recomputation, and record in the trigger ledger that the event path did.
    MarkAnalytics {
        /// Whose analytics.
        user_id: String,
        /// What, and how urgently.
        trigger: Trigger,
    },
    /// Give a transaction a category, unless it has it already.
    SetCategory {
        /// Which.
        transaction_id: String,
        /// To what.
        category_id: String,
    },
    /// Record a notification.
    Notify {
        /// To whom.
        user_id: String,
        /// What it says, in one line.
        text: String,
    },
    /// Write the event to the event store, once.
    Store,
    /// Publish another event.
    Publish(Box<Event>),
}

/// A consumer could not handle an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ConsumerError {
    /// Whether trying the same event again can't help.
    pub permanent: bool,
    /// A short, stable name of the kind of error.
    pub code: String,
    /// What went wrong.
    pub message: String,
}

impl ConsumerError {
    /// Bad data: goes to the dead letters at once.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            permanent: true,
            code: code.into(),
            message: message.into(),
        }
    }

    /// May pass: tried again, with backoff.
    pub fn transient(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            permanent: false,
            code: code.into(),
            message: message.into(),
        }
    }
}

impl From<InvalidField> for ConsumerError {
    fn from(fault: InvalidField) -> Self {
        Self::permanent("InvalidPayload", fault.to_string())
    }
}

impl From<StoreError> for ConsumerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::transient("StoreUnavailable", error.to_string()),
            StoreError::NotOffered { .. } | StoreError::Corrupt { .. } | StoreError::Invalid(_) => {
                Self::permanent("StoreRefused", error.to_string())
            }
        }
    }
}
