//! The pipeline in process: how much it takes, and how soon it is done.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use pipeline::demo::Faults;
use pipeline::event::{Draft, Event};
use pipeline::ports::{Bus, Ledger, Metrics};
use pipeline::publisher::Publisher;
use pipeline::runtime::{Embedded, EmbeddedConfig};
use pipeline::time::{HOUR, Span, Timestamp};

use crate::report::Report;

/// Events of the throughput run.
const EVENTS: usize = 150_000;
/// Events handed to the bus in one call.
const CALL: usize = 100;
/// Calls under way at once.
const CALLS: usize = 16;
/// How many events the paced run keeps in flight.
const IN_FLIGHT: u64 = 2_500;

/// The types and payloads of the traffic, by weight.
const MIX: [(&str, &str, &str, usize); 5] = [
    (
        "transaction.updated",
        "transaction.service",
        r#"{"transactionId":"dfe01893-f3ae-40b6-87ac-1491def88334","accountId":"ae2eb154-7f15-4524-b4b9-b5df9e7769b1","changes":[{"field":"description","oldValue":"TESCO STORES 2041","newValue":"Groceries"}]}"#,
        5,
    ),
    (
        "file.uploaded",
        "file.service",
        r#"{"fileId":"51bcd77a-1751-4579-8e4d-c3a3578a60d8","fileName":"statement-31.ofx","fileSize":387096,"s3Key":"d23f0824/33bf9157","accountId":"95e60af5"}"#,
        2,
    ),
    (
        "account.updated",
        "account.service",
        r#"{"accountId":"3898d190-f9eb-4acc-8cb1-e29c658cda14","changes":[]}"#,
        1,
    ),
    (
        "file.processed",
        "transaction.service",
        r#"{"fileId":"f646e1f4","accountId":"ae2eb154","transactionCount":2,"duplicateCount":0,"processingStatus":"success","transactionIds":["ca02135e-92b1-43f2-8ede-0d7ac3baea9e","57124242-5051-41cc-917f-9acae01f5057"]}"#,
        2,
    ),
    (
        "account.deleted",
        "account.service",
        r#"{"accountId":"e00902c7-7ebf-4206-8673-47214cdd2055","transactionCount":41}"#,
        1,
    ),
];

/// `n` events of the mix, of a thousand users.
pub(crate) fn events(n: usize) -> Vec<Event> {
    let cycle: Vec<_> = MIX
        .iter()
        .flat_map(|(event_type, source, data, weight)| std::iter::repeat_n((event_type, source, data), *weight))
        .collect();
    (0..n)
        .map(|i| {
            let (event_type, source, data) = cycle[i % cycle.len()];
            let text = format!(r#"{{"eventType":"{event_type}","source":"{source}","userId":"user-{}","correlationId":"c-{i}","data":{data},"metadata":{{}}}}"#, i % 1000);
            let draft = Draft::from_json(&text).unwrap_or_else(|e| unreachable!("the mix is valid: {e}"));
            Publisher::stamp(draft, true).unwrap_or_else(|e| unreachable!("the mix is valid: {e}"))
        })
        .collect()
}

fn open(dir: &Path) -> Result<Embedded, Box<dyn Error>> {
    Ok(Embedded::start(dir, EmbeddedConfig::default(), &Faults::default())?)
}

async fn drained(pipeline: &Embedded) -> Result<(), Box<dyn Error>> {
    while pipeline.store.summary().await?.in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Everything at once, and at a pace that consumers keep up with: accepted, routed, all consumers done, audited, durable.
pub(crate) async fn throughput(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let burst = run(None).await?;
    report.add("pipeline_accepted", burst.accepted, "events/s", "");
    report.add("pipeline_burst", burst.done, "events/s", "");
    let sustained = run(Some(IN_FLIGHT)).await?;
    report.add("pipeline_sustained", sustained.done, "events/s", "10,000");
    Ok(())
}

/// Events a second: taken by the bus, and done by every consumer.
struct Rates {
    accepted: f64,
    done: f64,
}

/// Publishes all events; with a bound, no faster than keeps so many in flight. Without one, most of the backlog goes
/// through the disk, because lanes in memory are bounded.
async fn run(bound: Option<u64>) -> Result<Rates, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let pipeline = open(dir.path())?;
    let mut calls: Vec<Vec<Event>> = Vec::new();
    let mut all = events(EVENTS).into_iter().peekable();
    while all.peek().is_some() {
        calls.push(all.by_ref().take(CALL).collect());
    }
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for (n, call) in calls.into_iter().enumerate() {
        if running.len() >= CALLS {
            running.join_next().await;
        }
        if let Some(bound) = bound
            && n % 5 == 0
        {
            while pipeline.store.summary().await?.in_flight > bound {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let store = pipeline.store.clone();
        running.spawn(async move { store.put(call, None).await.into_iter().filter(Result::is_ok).count() });
    }
    while running.join_next().await.is_some() {}
    let accepted = began.elapsed();
    drained(&pipeline).await?;
    let done = began.elapsed();
    pipeline.stop().await;
    #[allow(clippy::cast_precision_loss)]
    let rate = |took: Duration| EVENTS as f64 / took.as_secs_f64();
    Ok(Rates {
        accepted: rate(accepted),
        done: rate(done),
    })
}

/// Published to processed at 2,000 events a second, ten seconds long.
pub(crate) async fn latency(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let pipeline = open(dir.path())?;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let mut all = events(20_000).into_iter().peekable();
    while all.peek().is_some() {
        tick.tick().await;
        let batch: Vec<Event> = all.by_ref().take(20).collect();
        let store = pipeline.store.clone();
        tokio::spawn(async move { store.put(batch, None).await });
    }
    drained(&pipeline).await?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let counts = pipeline.store.counts(Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR)).await?;
    let worst = |f: fn(&pipeline::consumer::ConsumerCounts) -> Option<f64>| counts.iter().filter_map(f).fold(0.0, f64::max) * 1000.0;
    report.add("pipeline_latency_p50", worst(|c| c.p50), "ms", "");
    report.add("pipeline_latency_p99", worst(|c| c.p99), "ms", "250 at 2,000 events/s");
    pipeline.stop().await;
    Ok(())
}
