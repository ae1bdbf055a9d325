//! The ledger: for each event, what became of it with each consumer that expected it.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Where one delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeliveryState {
    /// Waiting, being processed, or waiting for its next attempt.
    Open,
    /// Processed; its effects are durable.
    Completed,
    /// Given up: its dead letter is open or was dealt with.
    DeadLettered,
}

impl DeliveryState {
    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "in flight",
            Self::Completed => "completed",
            Self::DeadLettered => "dead-lettered",
        }
    }
}

/// One attempt of a consumer at an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// How long the consumer worked on it, microseconds.
    pub duration_us: u64,
    /// What went wrong; `None` when it completed.
    pub error: Option<String>,
}

/// One event's delivery to one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// The consumer.
    pub consumer: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Every attempt so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the next attempt is due, if one is scheduled.
    pub next_at: Option<Timestamp>,
}

/// The ledger's account of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerEntry {
    /// The event.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// When the bus accepted it.
    pub published_at: Timestamp,
    /// One for each consumer that a rule sent it to.
    pub deliveries: Vec<Delivery>,
}

/// The ledger's totals: `published = completed + dead_lettered + in_flight`, unless something is unaccounted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerSummary {
    /// Events that the bus accepted.
    pub published: u64,
    /// Events that every expected consumer completed.
    pub completed: u64,
    /// Events with a delivery given up on, and none still open.
    pub dead_lettered: u64,
    /// Events with a delivery still open.
    pub in_flight: u64,
    /// Events with an open delivery that nothing is going to attempt: overdue, not scheduled, its consumer not paused.
    pub unaccounted: u64,
}
