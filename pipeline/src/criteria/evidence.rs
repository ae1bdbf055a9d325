//! What the criteria are judged on.

use serde::{Deserialize, Serialize};

use crate::ledger::LedgerSummary;
use crate::parity::ParityRow;

/// What one consumer did in the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsumerEvidence {
    /// Its name.
    pub name: String,
    /// Attempts that completed.
    pub processed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Published to processed, 99th percentile, seconds.
    pub p99: Option<f64>,
}

/// What the criteria are judged on. `None`: the source did not answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The ledger's totals.
    pub ledger: Option<LedgerSummary>,
    /// Parity over operations that ran both paths.
    pub parity: Option<ParityRow>,
    /// The most events published in one whole minute of the window, and how many events the window holds.
    pub peak: Option<(f64, u64)>,
    /// Each consumer's counts.
    pub consumers: Option<Vec<ConsumerEvidence>>,
    /// Events that are neither in the event store nor on their way there, and how many there are in all.
    pub audit: Option<AuditEvidence>,
    /// The window of the evidence, milliseconds.
    pub window: i64,
}

/// How complete the audit trail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvidence {
    /// Events published.
    pub published: u64,
    /// Events in the event store.
    pub stored: u64,
    /// Events whose audit delivery is still open.
    pub on_the_way: u64,
    /// Stored events whose `causationId` names an event that was never seen.
    pub orphaned: u64,
}

impl AuditEvidence {
    /// Events that should be in the store and aren't.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.published.saturating_sub(self.stored + self.on_the_way)
    }
}
