//! `cutover serve` over a deployment on AWS. Nothing is created there, and there is no listener for events: publishers use the
//! deployment's own bus.

use app::context::Desk;
use pipeline::aws::metrics::{CloudWatch, Sampler};
use pipeline::aws::takeover::Takeover;
use pipeline::aws::{connect, ports};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, address, bind, drain, serve};
use crate::config::Config;
use crate::live::Hub;
use crate::{http, shutdown};

#[allow(clippy::print_stdout, reason = "the address to open is for whoever started it")]
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let dashboard = bind("listen", config.server.listen).await?;
    let at = address(&dashboard)?;
    let names = config.aws.names()?;
    let connection = connect(config.aws.region.as_deref(), config.aws.endpoint()?).await;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let metrics = CloudWatch::open(
        &connection,
        &names,
        config.aws.endpoint()?,
        &config.aws.metrics(&config.embedded.data)?,
    )
    .map_err(|e| Failure::new(e.to_string()))?;
    let (ports, worker) = ports(&connection, &names, metrics.clone());
    let desk = Desk::new(ports, "aws", None, false);
    let hub = Hub::start(desk.clone(), stop.clone());
    let state = http::AppState::new(desk, hub, None, stop.clone());
    tasks.spawn(Sampler::new(&connection, &names, metrics.clone()).run(stop.clone()));
    tasks.spawn(metrics.run(stop.clone()));
    tasks.spawn(worker.run(stop.clone()));
    if config.dead_letters.takeover {
        tasks.spawn(Takeover::new(&connection, &names).run(stop.clone()));
    }
    tasks.spawn(serve(dashboard, http::router(state), stop.clone()));
    println!("Cutover is at http://{at}");
    tracing::info!(address = %at, event_store = names.event_store_table, "serving");

    shutdown::requested().await;
    tracing::info!("stopping");
    drain(&stop, &tasks).await;
    tracing::info!("stopped");
    Ok(())
}
