//! Trying again when others were faster, or a table asks for patience.

use std::time::Duration;

use rand::RngExt;

use crate::ports::StoreError;

/// How often something is tried.
pub(super) const TRIES: u32 = 12;

/// A pause that grows, at random, so that those who are in each other's way get out of it.
pub(super) async fn wait(attempt: u32) {
    let most = 10_u64 << attempt.min(6);
    let pause = rand::rng().random_range(1..=most);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// All tries were in vain.
pub(super) fn overtaken(what: &'static str) -> StoreError {
    StoreError::Unavailable {
        what,
        reason: format!("{TRIES} changes in a row were overtaken by others"),
    }
}
