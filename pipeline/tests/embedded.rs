//! The embedded backend passes the conformance suite, and keeps more than that asks for.

mod conformance;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use conformance::parity::{created, direct, total};
use conformance::{Backend, Fresh, Running, Stopping, conformance, drained, updated};
use pipeline::demo::{Fault, Faults};
use pipeline::event::Draft;
use pipeline::metric::MINUTE_RETENTION;
use pipeline::publisher::Publisher;
use pipeline::runtime::{Embedded, EmbeddedConfig};
use pipeline::time::{MINUTE, Timestamp};

struct Sqlite;

struct Stop(Embedded);

#[async_trait]
impl Stopping for Stop {
    async fn stop(self: Box<Self>) {
        self.0.stop().await;
    }
}

impl Backend for Sqlite {
    const BY_TYPE: bool = true;
    const QUIET: Option<f64> = Some(0.0);
    const BY_THE_MINUTE: i64 = MINUTE_RETENTION;
    const OUTAGE: &str = "Outage";
    // A consumer's worker holds 4,096 in memory; the rest it has to read back.
    const BACKLOG: usize = 6_000;
    const SEARCHED: usize = 21_000;

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

/// A service that passes an event on may write its numbers anew; here nothing does.
#[tokio::test]
async fn no_number_is_rewritten() {
    let pipeline = Fresh::start::<Sqlite>();
    let text = r#"{"eventId":"odd","eventType":"odd.type","source":"odd.service","userId":"u","data":{"b":1.10,"a":123456789012345678901234567890,"e":1e400},"metadata":{"b":1.0},"ours":[1.0]}"#;
    let odd = Publisher::stamp(Draft::from_json(text).expect("a draft"), false).expect("an event");
    pipeline.accept(vec![odd.clone()], None).await;
    drained(&pipeline).await;
    let stored = pipeline.ports.events.get("odd").await.expect("a store").expect("the event");
    assert_eq!(stored.event, odd);
    pipeline.stop().await;
}

#[tokio::test]
async fn a_history_that_is_filled_in_is_compared_by_its_own_clock() {
    let pipeline = Fresh::start::<Sqlite>();
    let (event, at) = (created(), Timestamp::now().plus(-30 * MINUTE));
    direct(&pipeline, &event, at, true).await;
    pipeline.accept(vec![event], Some(at)).await;
    drained(&pipeline).await;
    let row = total(&pipeline).await;
    assert_eq!((row.matched, row.late), (1, 0), "both ran half an hour ago, not one of them now");
    pipeline.stop().await;
}

#[tokio::test]
async fn every_failed_attempt_is_told() {
    let pipeline = Fresh::start::<Sqlite>();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    pipeline.accept(vec![updated()], None).await;
    drained(&pipeline).await;
    let faults = pipeline.ports.consumers.faults("analytics", 10).await.expect("faults");
    assert_eq!(faults.iter().map(|f| f.attempt).collect::<Vec<_>>(), [3, 2, 1]);
    let newest = pipeline.ports.consumers.faults("analytics", 2).await.expect("faults");
    assert_eq!(newest, faults[..2], "the newest, if not all fit");
    pipeline.stop().await;
}
