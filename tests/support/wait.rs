//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: far more than it takes, since the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// What a look at a condition found: the value waited for, or what there was instead.
pub trait Look {
    /// What is waited for.
    type Value;
    /// The value, or what was seen in its place.
    ///
    /// # Errors
    /// What was seen, for the message of a test that gives up.
    fn seen(self) -> Result<Self::Value, String>;
}

impl Look for bool {
    type Value = ();
    fn seen(self) -> Result<(), String> {
        self.then_some(()).ok_or_else(|| "it was not so".to_owned())
    }
}

impl<T> Look for Option<T> {
    type Value = T;
    fn seen(self) -> Result<T, String> {
        self.ok_or_else(|| "there was none".to_owned())
    }
}

impl<T> Look for Result<T, String> {
    type Value = T;
    fn seen(self) -> Self {
        self
    }
}

/// Looks until `condition` gives what is waited for.
///
/// # Panics
/// After [`PATIENCE`], with `what` was waited for and what was seen last.
pub async fn eventually<L: Look>(what: &str, condition: impl AsyncFnMut() -> L) -> L::Value {
    within(PATIENCE, what, condition).await
}

/// Looks for at most `limit`.
///
/// # Panics
/// After `limit`, with `what` was waited for and what was seen last.
pub async fn within<L: Look>(limit: Duration, what: &str, mut condition: impl AsyncFnMut() -> L) -> L::Value {
    let began = Instant::now();
    loop {
        match condition().await.seen() {
            Ok(value) => return value,
            Err(seen) => assert!(began.elapsed() < limit, "{what}: not within {limit:?}; the last look: {seen}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}
