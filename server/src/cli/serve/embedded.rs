//! `cutover serve` with the pipeline in this process.

use std::time::Duration;

use app::context::{DemoSwitch, Desk};
use pipeline::demo::{Demo, Faults};
use pipeline::runtime::Embedded;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, address, bind, drain, serve};
use crate::config::{Config, DemoConfig};
use crate::live::Hub;
use crate::{http, shutdown};

/// How long the pipeline may take to finish what is in hand. Nothing is lost when it takes longer: an attempt counts only
/// once it is settled.
const FINISH: Duration = Duration::from_secs(5);

#[allow(clippy::print_stdout, reason = "the address to open is for whoever started it")]
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    // Before anything is opened: a port in use is the most likely trouble, and the cheapest to find.
    let dashboard = bind("listen", config.server.listen).await?;
    let ingest = bind("ingest", config.server.ingest).await?;
    let (at, ingest_at) = (address(&dashboard)?, address(&ingest)?);

    let faults = Faults::default();
    let settings = config.pipeline()?;
    let pipeline = Embedded::start(&config.embedded.data, settings, &faults).map_err(|e| Failure::new(e.to_string()))?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let demo = (config.demo.events_per_minute > 0).then(|| DemoSwitch { faults: faults.clone() });
    if demo.is_some() {
        let application = Demo::new(pipeline.paths.clone(), pipeline.store.clone(), faults);
        // Before anything is taken: an event that came first would pass for a past.
        let new = application
            .is_new()
            .await
            .map_err(|e| Failure::because("the store can't be read", e))?;
        let config = DemoConfig {
            history_days: if new { config.demo.history_days } else { 0 },
            ..config.demo
        };
        tasks.spawn(play(application, config, stop.clone()));
    }
    // Marked as the demo's for as long as there is anything of it, whether it still runs or not.
    let demo_data = demo.is_some()
        || pipeline
            .store
            .has_demo()
            .await
            .map_err(|e| Failure::because("the store can't be read", e))?;
    let desk = Desk::new(pipeline.ports.clone(), "embedded", demo, demo_data);
    let hub = Hub::start(desk.clone(), stop.clone());
    let state = http::AppState::new(desk, hub, Some(pipeline.store.clone()), stop.clone(), &config.server.hosts);
    tasks.spawn(serve(dashboard, http::router(state), stop.clone()));
    tasks.spawn(serve(ingest, http::ingest::router(pipeline.store.clone()), stop.clone()));
    println!("Cutover is at http://{at}");
    println!("Events are taken at http://{ingest_at}");
    tracing::info!(address = %at, ingest = %ingest_at, data = %config.embedded.data.display(), "serving");

    shutdown::requested().await;
    tracing::info!("stopping: finishing what is in hand");
    drain(&stop, &tasks).await;
    if tokio::time::timeout(FINISH, pipeline.stop()).await.is_err() {
        tracing::warn!("a consumer did not finish in time; its event is delivered again after the restart");
    }
    tracing::info!("stopped");
    Ok(())
}

/// The demo: its past first, in the background, while the present already runs.
async fn play(demo: Demo, config: DemoConfig, stop: CancellationToken) {
    if let Err(e) = demo.prepare().await {
        tracing::error!(error = %e, "the demo could not be prepared");
        return;
    }
    let past = async {
        if config.history_days == 0 {
            return;
        }
        if let Err(e) = demo.backfill(config.history_days, &stop).await {
            tracing::error!(error = %e, "the demo's past could not be filled in");
        }
    };
    tokio::join!(past, demo.run(config.events_per_minute, stop.clone()));
}
