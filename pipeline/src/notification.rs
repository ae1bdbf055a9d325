//! Notifications: what users should hear of.

use serde::Serialize;

use crate::time::Timestamp;

/// Something that a user should hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its position in the outbox.
    #[serde(skip)]
    pub id: i64,
    /// The event that it tells of.
    pub event_id: String,
    /// Whom.
    pub user_id: String,
    /// What, in one line.
    pub text: String,
    /// Since when.
    pub at: Timestamp,
    /// How often sending it was tried before.
    #[serde(skip)]
    pub attempts: u32,
}
