//! The embedded backend passes the conformance suite.

mod conformance;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use conformance::{Backend, Running, Stopping, conformance};
use pipeline::demo::Faults;
use pipeline::runtime::{Embedded, EmbeddedConfig};

struct Sqlite;

struct Stop(Embedded);

#[async_trait]
impl Stopping for Stop {
    async fn stop(self: Box<Self>) {
        self.0.stop().await;
    }
}

impl Backend for Sqlite {
    fn start(dir: &Path, faults: &Faults) -> Running {
        let pipeline = Embedded::start(dir, EmbeddedConfig::default(), faults).expect("an open store");
        Running {
            ports: pipeline.ports.clone(),
            bus: Arc::new(pipeline.store.clone()),
            transactions: Arc::new(pipeline.store.clone()),
            analytics: Arc::new(pipeline.store.clone()),
            publisher: pipeline.publisher.clone(),
            stopping: Box::new(Stop(pipeline)),
        }
    }
}

conformance!(Sqlite);
