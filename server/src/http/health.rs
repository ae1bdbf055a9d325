//! Alive, ready, and what Cutover and the pipeline measure of themselves.

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use pipeline::consumer::HEALTH_WINDOW;
use pipeline::ledger::LedgerSummary;
use pipeline::time::{HOUR, Span, Timestamp};
use serde_json::json;

use super::AppState;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Each dependency; 503 if one that is needed is down.
pub(super) async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    // What neither backend can do without; asking for one event costs next to nothing.
    let store = state.desk.ports.events.get("readyz").await.map(drop);
    let stopping = state.stop.is_cancelled();
    let status = if store.is_ok() && !stopping {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let store = match store {
        Ok(()) => json!({ "status": "up" }),
        Err(e) => json!({ "status": "down", "reason": e.to_string() }),
    };
    (
        status,
        Json(json!({ "ready": status == StatusCode::OK, "stopping": stopping, "dependencies": { "store": store } })),
    )
}

/// Prometheus' text format, version 0.0.4. Of a source that doesn't answer there are no samples.
pub(super) async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    let ports = &state.desk.ports;
    let ledger = ports.ledger.summary().await.ok();
    let depth = ports.letters.depth().await.ok();
    let consumers = ports
        .consumers
        .list(Span::ending(Timestamp::now(), HEALTH_WINDOW))
        .await
        .unwrap_or_default()
        .items;
    let counts = ports.metrics.counts(Span::ending(Timestamp::now(), HOUR)).await.unwrap_or_default();
    let plain = |value: Option<f64>| value.map(|value| (String::new(), value)).into_iter().collect::<Vec<_>>();
    let of_ledger = |f: fn(&LedgerSummary) -> u64| plain(ledger.as_ref().map(|ledger| f(ledger) as f64));
    let mut text = String::new();
    family(
        &mut text,
        "cutover_events_published_total",
        "counter",
        "Events that the bus accepted",
        &of_ledger(|ledger| ledger.published),
    );
    family(
        &mut text,
        "cutover_events_completed_total",
        "counter",
        "Events that every expected consumer completed",
        &of_ledger(|ledger| ledger.completed),
    );
    family(
        &mut text,
        "cutover_events_in_flight",
        "gauge",
        "Events with an open delivery",
        &of_ledger(|ledger| ledger.in_flight),
    );
    family(
        &mut text,
        "cutover_events_unaccounted",
        "gauge",
        "Events with an open delivery that nothing is going to attempt",
        &of_ledger(|ledger| ledger.unaccounted),
    );
    family(
        &mut text,
        "cutover_dead_letters_open",
        "gauge",
        "Open dead letters",
        &plain(depth.map(|depth| depth.open as f64)),
    );
    let by = |f: &dyn Fn(&pipeline::consumer::ConsumerStatus) -> Option<f64>| {
        consumers.iter().filter_map(|c| Some((label(&c.name), f(c)?))).collect::<Vec<_>>()
    };
    family(
        &mut text,
        "cutover_consumer_in_flight",
        "gauge",
        "Deliveries neither completed nor dead-lettered",
        &by(&|c| Some(c.in_flight? as f64)),
    );
    family(
        &mut text,
        "cutover_consumer_dead_letters",
        "gauge",
        "Open dead letters of a consumer",
        &by(&|c| Some(c.dead_letters? as f64)),
    );
    family(
        &mut text,
        "cutover_consumer_paused",
        "gauge",
        "1 while a person has stopped the consumer",
        &by(&|c| Some(f64::from(u8::from(c.paused?)))),
    );
    let hour = |f: &dyn Fn(&pipeline::consumer::ConsumerCounts) -> Option<f64>| {
        counts.iter().filter_map(|c| Some((label(&c.name), f(c)?))).collect::<Vec<_>>()
    };
    family(
        &mut text,
        "cutover_consumer_attempts_hour",
        "gauge",
        "Attempts in the last hour",
        &hour(&|c| Some((c.processed + c.failed) as f64)),
    );
    family(
        &mut text,
        "cutover_consumer_failures_hour",
        "gauge",
        "Failed attempts in the last hour",
        &hour(&|c| Some(c.failed as f64)),
    );
    family(
        &mut text,
        "cutover_consumer_latency_p99_seconds",
        "gauge",
        "Published to processed in the last hour, 99th percentile",
        &hour(&|c| c.p99),
    );
    family(
        &mut text,
        "cutover_live_viewers",
        "gauge",
        "Open live connections",
        &[(String::new(), state.hub.viewers() as f64)],
    );
    family(
        &mut text,
        "cutover_store_write_queue",
        "gauge",
        "Jobs that wait for the store's writer",
        &plain(state.store.as_ref().map(|store| store.write_queue() as f64)),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn label(consumer: &str) -> String {
    format!(
        "{{consumer=\"{}\"}}",
        consumer.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    )
}

fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
