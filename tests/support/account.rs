//! What the product says became of events, asked over its API.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::server::Cutover;
use crate::wait::eventually;

/// What became of one event: each consumer's state, and how many of its attempts succeeded.
pub type Outcome = BTreeMap<String, (String, usize)>;

/// Waits until this many events were published and nothing is in flight.
pub async fn settled(server: &Cutover, published: usize) {
    eventually("everything is delivered", async || {
        let (seen, open) = (
            server.metric("cutover_events_published_total").await,
            server.metric("cutover_events_in_flight").await,
        );
        #[allow(clippy::cast_precision_loss)] // small counts
        let done = seen == published as f64 && open == 0.0;
        done.then_some(()).ok_or_else(|| format!("{seen} published, {open} in flight"))
    })
    .await;
}

/// What became of an event, by consumer.
///
/// # Panics
/// The event is not there.
pub async fn outcome(server: &Cutover, id: &str) -> Outcome {
    let answer = server.site.json(format!("/api/v1/events/{id}")).await;
    of_ledger(&answer["ledger"])
}

/// A ledger entry's deliveries, by consumer.
///
/// # Panics
/// `entry` has another shape.
#[must_use]
pub fn of_ledger(entry: &Value) -> Outcome {
    let deliveries = entry["deliveries"].as_array().unwrap_or_else(|| panic!("no deliveries: {entry}"));
    let one = |delivery: &Value| {
        let succeeded = delivery["attempts"]
            .as_array()
            .map_or(0, |attempts| attempts.iter().filter(|a| a["error"].is_null()).count());
        (text(&delivery["consumer"]), (text(&delivery["state"]), succeeded))
    };
    deliveries.iter().map(one).collect()
}

/// Every event in the store, page by page.
pub async fn stored(server: &Cutover) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.site.json(format!("/api/v1/events?limit=500{cursor}")).await;
        events.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return events,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Waits until a consumer has nothing in hand and nothing to try again.
pub async fn consumer_idle(server: &Cutover, name: &str) {
    eventually(&format!("{name} has nothing to try again"), async || {
        let answer = server.site.json(format!("/api/v1/consumers/{name}")).await;
        let retrying = &answer["consumer"]["retrying"];
        if *retrying == 0 {
            Ok(())
        } else {
            Err(format!("{retrying} wait to be tried again"))
        }
    })
    .await;
}
