//! What is forgotten, and when. Events, dead letters, flags and what people did are not among it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::sqlite::Sqlite;
use crate::time::Timestamp;

/// How long things are kept, milliseconds; `None` is for ever. (Metrics have their own periods: see [`crate::metric`].)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Attempts of completed events, and notifications that were sent or given up.
    pub attempts: Option<i64>,
    /// What both paths asked of analytics.
    pub triggers: Option<i64>,
}

/// How often what is too old is looked for.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// How much is forgotten in one transaction: others wait for it.
pub(crate) const AT_ONCE: usize = 2_000;

/// Forgets what is too old, a little at a time, until `stop`.
pub async fn run(store: Sqlite, retention: Retention, stop: CancellationToken) {
    loop {
        let mut wait = EVERY;
        match store.forget(retention, Timestamp::now()).await {
            // There is more: go on soon, but let others write in between.
            Ok(gone) if gone >= AT_ONCE => wait = Duration::from_millis(50),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what is too old could not be forgotten; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}
