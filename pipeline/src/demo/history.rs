//! Filling in a past, so that a first look at the charts shows more than the last minute.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Demo, traffic};
use crate::ports::{Ledger, StoreError};
use crate::time::{DAY, MINUTE, Timestamp};

/// Operations a minute in the past: thinner than the present, so that days take seconds.
const PER_MINUTE: f64 = 6.0;
/// Operations on their way at once.
const AT_ONCE: usize = 64;
/// Beyond this many events in flight the past waits: it must not hold up the present.
const MAX_IN_FLIGHT: u64 = 400;

/// Goes through the same code as the present, with the time it is told.
pub(super) async fn backfill(demo: &Demo, days: u32, stop: &CancellationToken) -> Result<(), StoreError> {
    let mut rng = SmallRng::seed_from_u64(20_260_921);
    let now = Timestamp::now();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // days of milliseconds
    let mut at = now.0 - i64::from(days) * DAY;
    // An afternoon on which a publisher sent payloads that no consumer could use.
    let incident = now.0 - DAY - 5 * 60 * MINUTE..now.0 - DAY - 4 * 60 * MINUTE;
    let mut running = JoinSet::new();
    let mut count = 0_u32;
    while at < now.0 - MINUTE {
        if stop.is_cancelled() {
            break;
        }
        #[allow(clippy::cast_possible_truncation)]
        {
            at += (traffic::gap(&mut rng, PER_MINUTE * traffic::rhythm(Timestamp(at))) * 1000.0) as i64;
        }
        let operation = traffic::next(&mut rng, &demo.households, Timestamp(at), incident.contains(&at));
        let worker = demo.clone();
        running.spawn(async move { worker.perform(operation, Some(Timestamp(at))).await });
        if running.len() >= AT_ONCE
            && let Some(ended) = running.join_next().await
            && let Ok(result) = ended
        {
            result?;
        }
        count += 1;
        if count.is_multiple_of(200) {
            while demo.store.summary().await?.in_flight > MAX_IN_FLIGHT && !stop.is_cancelled() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        if let Ok(result) = ended {
            result?;
        }
    }
    tracing::info!(operations = count, days, "the demo's past is filled in");
    Ok(())
}
