//! Drives operations: a paced loop over the items of every operation that has not ended.
//!
//! Where an operation stands is in the store, item by item, so a restart goes on where the last run stopped.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::sqlite::Sqlite;

/// How often items are acted on: a tenth of a second's worth at a time.
const TICK: Duration = Duration::from_millis(100);

/// Runs until `stop`.
pub async fn run(store: Sqlite, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks: u32 = 0;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        ticks = ticks.wrapping_add(1);
        let running = match store.running().await {
            Ok(running) => running,
            Err(e) => {
                tracing::error!(error = %e, "could not read the running operations");
                continue;
            }
        };
        for operation in running {
            if let Err(e) = store.drive(&operation.id, share(operation.rate, ticks)).await {
                tracing::error!(operation = %operation.id, error = %e, "could not drive an operation; trying again");
            }
        }
    }
}

/// How many of `rate` items a second fall on this tick of a tenth of a second: exactly `rate` in any ten ticks.
pub(crate) const fn share(rate: u32, tick: u32) -> u32 {
    let n = tick % 10;
    rate * (n + 1) / 10 - rate * n / 10
}

#[cfg(test)]
mod tests {
    use super::share;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ten_ticks_make_a_second(rate in 0u32..10_000, start in 0u32..1000) {
            prop_assert_eq!((start..start + 10).map(|tick| share(rate, tick)).sum::<u32>(), rate);
        }
    }
}
