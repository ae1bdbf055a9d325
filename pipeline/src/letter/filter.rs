//! Which dead letters.

use serde::{Deserialize, Serialize};

use super::LetterStatus;
use crate::event::InvalidField;
use crate::time::{Timestamp, check_range};

/// Which letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterFilter {
    /// Only with this status.
    pub status: Option<LetterStatus>,
    /// Only of this consumer.
    pub consumer: Option<String>,
    /// Only with this error code.
    pub error: Option<String>,
    /// Only of this event type.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Only those whose event id, user, message or body contain this text, case aside.
    pub q: Option<String>,
    /// Only failed at or after.
    pub from: Option<Timestamp>,
    /// Only failed before.
    pub to: Option<Timestamp>,
}

impl LetterFilter {
    /// Whether anything can match.
    ///
    /// # Errors
    /// The range ends before it begins.
    pub fn check(&self) -> Result<(), InvalidField> {
        check_range(self.from, self.to)
    }
}
