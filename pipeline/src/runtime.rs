//! The embedded pipeline as one thing: the store, its consumers at work, and a way to stop them.

use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::consumers::{Analytics, Audit, Categorization, Consumer, Notification};
use crate::courier::{self, Channel, Log};
use crate::delivery::{self, DeliveryConfig};
use crate::demo::{Faults, Faulty};
use crate::ports::Ports;
use crate::publisher::{Paths, Publisher};
use crate::redrive;
use crate::retention::{self, Retention};
use crate::rule::Rules;
use crate::sqlite::{OpenError, Sqlite};
use crate::trigger::TriggerMaps;

/// How the embedded pipeline is run.
#[derive(Clone, Default)]
pub struct EmbeddedConfig {
    /// Which events go where.
    pub rules: Rules,
    /// What the two paths ask of analytics.
    pub maps: TriggerMaps,
    /// How consumers are run.
    pub delivery: DeliveryConfig,
    /// Where notifications go; the log, if nothing is said.
    pub channel: Option<Arc<dyn Channel>>,
    /// What is forgotten, and when.
    pub retention: Retention,
}

/// The embedded pipeline, running.
pub struct Embedded {
    /// The store.
    pub store: Sqlite,
    /// Everything the dashboard reads and does.
    pub ports: Ports,
    /// Publishes events.
    pub publisher: Publisher,
    /// An application's way down both paths.
    pub paths: Paths,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the store in `dir` and puts the consumers to work; `faults` are what the demo may do to them.
    ///
    /// # Errors
    /// The data directory can't be opened.
    pub fn start(dir: &Path, config: EmbeddedConfig, faults: &Faults) -> Result<Self, OpenError> {
        let store = Sqlite::open(dir, config.rules)?;
        let channel = config.channel.unwrap_or_else(|| Arc::new(Log));
        let shared = Arc::new(store.clone());
        let consumers: Vec<Arc<dyn Consumer>> = vec![
            Arc::new(Analytics::new(config.maps.event.clone())),
            Arc::new(Categorization::new(shared.clone())),
            Arc::new(Notification),
            Arc::new(Audit),
        ];
        let consumers: Vec<Arc<dyn Consumer>> = consumers
            .into_iter()
            .map(|c| Arc::new(Faulty::new(c, faults.clone())) as Arc<dyn Consumer>)
            .collect();
        let ports = store.ports(&consumers);
        let publisher = Publisher::new(shared.clone(), shared.clone());
        let paths = Paths::new(publisher.clone(), shared.clone(), shared.clone(), Arc::new(config.maps));
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(delivery::run(shared, consumers, config.delivery, stop.clone())),
            tokio::spawn(redrive::run(store.clone(), stop.clone())),
            tokio::spawn(courier::run(Arc::new(store.clone()), channel, stop.clone())),
            tokio::spawn(retention::run(store.clone(), config.retention, stop.clone())),
        ];
        Ok(Self {
            store,
            ports,
            publisher,
            paths,
            stop,
            tasks,
        })
    }

    /// Finishes what is in hand, writes what is pending, and closes.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(e) = task.await {
                tracing::error!(error = %e, "a part of the pipeline ended unexpectedly");
            }
        }
        self.store.close().await;
    }
}
