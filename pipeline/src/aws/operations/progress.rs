//! What the driver of an operation knows of its sending, beside what is written down.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Some can't be sent now: then no more are to be.
    held: AtomicBool,
    /// The items whose sending was answered.
    sent: Mutex<HashSet<i64>>,
}

impl Progress {
    pub(super) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// An item is on its way.
    pub(super) fn note_sent(&self, n: i64) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(n);
    }

    /// Whether an item is known to be on its way; of what another sent nothing is known.
    pub(super) fn is_sent(&self, n: i64) -> bool {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).contains(&n)
    }
}
