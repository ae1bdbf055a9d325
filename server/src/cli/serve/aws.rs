//! `cutover serve` over a deployment on AWS. Nothing is created there, and there is no listener for events: publishers use the
//! deployment's own bus.

use std::sync::Arc;
use std::time::Duration;

use app::context::Desk;
use app::pages::overview::api::criteria_of;
use pipeline::aws::metrics::{CloudWatch, Sampler, Teller, Unwatched};
use pipeline::aws::ports;
use pipeline::aws::takeover::Takeover;
use pipeline::finding::Finding;
use pipeline::ports::Ports;
use pipeline::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Failure, address, bind, drain, serve};
use crate::config::Config;
use crate::live::Hub;
use crate::{http, shutdown};

/// How often CloudWatch is told how the criteria stand: an alarm is of minutes.
const TOLD_EVERY: Duration = Duration::from_secs(60);

#[allow(clippy::print_stdout, reason = "the address to open is for whoever started it")]
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let dashboard = bind("listen", config.server.listen).await?;
    let at = address(&dashboard)?;
    let names = config.aws.names()?;
    let connection = config.aws.connect().await?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let metrics = CloudWatch::open(
        &connection,
        &names,
        config.aws.endpoint()?,
        &config.aws.metrics(&config.embedded.data)?,
    )
    .map_err(|e| Failure::new(e.to_string()))?;
    let read_only = config.aws.read_only;
    let (ports, worker) = ports(&connection, &names, metrics.clone(), config.dashboard()?);
    let unwatched = Desk::new(
        Ports {
            metrics: Arc::new(Unwatched(metrics.clone())),
            ..ports.clone()
        },
        "aws",
        None,
        false,
    );
    let mut desk = Desk::new(ports, "aws", None, false);
    if read_only {
        desk = desk.read_only();
    }
    let hub = Hub::start(desk.clone(), stop.clone());
    let state = http::AppState::new(desk, hub, None, stop.clone(), &config.server.hosts);
    tasks.spawn(tell(state.desk.ports.clone()));
    tasks.spawn(Sampler::new(&connection, &names, metrics.clone(), state.desk.ports.letters.clone()).run(stop.clone()));
    tasks.spawn(metrics.run(stop.clone()));
    if !read_only {
        tasks.spawn(worker.run(stop.clone()));
        if config.dead_letters.takeover {
            tasks.spawn(Takeover::new(&connection, &names).run(stop.clone()));
        }
        if config.aws.metrics.alarms {
            tasks.spawn(alarm(unwatched, Teller::new(&connection, &names), stop.clone()));
        }
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

/// Says in the log why nothing can be read, if so; the pages say it among the findings. It may be mended while this runs.
async fn tell(ports: Ports) {
    if let Some(deployment) = ports.deployment
        && let Some(Finding {
            what, evidence, remedy, ..
        }) = deployment.access().await
    {
        tracing::error!(shows = evidence, to_do = remedy, "{what}");
    }
}

/// Tells CloudWatch how the criteria stand, until `stop`. Nobody looks at a page for that.
async fn alarm(desk: Desk, teller: Teller, stop: CancellationToken) {
    let mut beat = tokio::time::interval(TOLD_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = stop.cancelled() => return,
        }
        // What isn't known is not told; an alarm's data is missing then.
        let told = match criteria_of(&desk, Timestamp::now()).await {
            Ok((criteria, _)) => teller.tell(&criteria).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = told {
            tracing::warn!(error, "CloudWatch was not told how the criteria stand");
        }
    }
}
