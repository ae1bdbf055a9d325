//! Events over HTTP, into the real binary.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::pages::Server;
use crate::pipeline::events;
use crate::report::Report;

/// Events of the run.
const EVENTS: usize = 50_000;
/// Connections.
const CONNECTIONS: usize = 16;

/// `PutEvents`, ten entries a call, until all consumers are done.
pub(crate) async fn put_events(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path()).await?;
    let bodies: Vec<String> = events(EVENTS)
        .chunks(10)
        .map(|chunk| {
            let entries: Vec<Value> = chunk
                .iter()
                .map(|e| json!({ "Source": e.source, "DetailType": e.event_type, "Detail": e.detail_json(), "EventBusName": "bus" }))
                .collect();
            json!({ "Entries": entries }).to_string()
        })
        .collect();
    let shares: Vec<Vec<String>> = (0..CONNECTIONS)
        .map(|n| bodies.iter().skip(n).step_by(CONNECTIONS).cloned().collect())
        .collect();
    let client = reqwest::Client::new();
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for share in shares {
        let (client, url) = (client.clone(), server.ingest.clone());
        senders.spawn(async move {
            for body in share {
                client
                    .post(&url)
                    .header("x-amz-target", "AWSEvents.PutEvents")
                    .header("content-type", "application/x-amz-json-1.1")
                    .body(body)
                    .send()
                    .await?
                    .error_for_status()?
                    .bytes()
                    .await?;
            }
            Ok::<_, reqwest::Error>(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    loop {
        let metrics = client.get(format!("{}/metrics", server.dashboard)).send().await?.text().await?;
        if metrics.contains("cutover_events_in_flight 0\n") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    #[allow(clippy::cast_precision_loss)]
    report.add(
        "put_events_sustained",
        EVENTS as f64 / began.elapsed().as_secs_f64(),
        "events/s",
        "5,000",
    );
    server.stop().await;
    Ok(())
}
