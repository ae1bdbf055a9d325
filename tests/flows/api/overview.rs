//! `/api/v1/overview` and `/api/v1/series`.

use serde_json::{Value, json};
use tests::account::settled;
use tests::event::{now, updated};
use tests::server::Setup;
use tests::wait::eventually;

use super::{is_time, text};

#[tokio::test]
async fn the_overview_has_stage_verdict_and_six_criteria() {
    let server = Setup::new().start().await;
    let overview = server.site.json("/api/v1/overview").await;
    assert_eq!((&overview["stage"], &overview["backend"]), (&json!("shadow"), &json!("embedded")));
    assert!(!text(&overview["verdict"]).is_empty());
    assert_eq!(overview["dead_letters"]["open"], 0);
    let criteria = overview["criteria"].as_array().expect("criteria");
    assert_eq!(criteria.len(), 6);
    for criterion in criteria {
        for key in ["id", "unit", "target", "evidence"] {
            assert!(!text(&criterion[key]).is_empty(), "{key} of {criterion}");
        }
        assert!(
            criterion["samples"].is_u64() && criterion["window"].is_i64() && criterion.get("value").is_some(),
            "{criterion}"
        );
        // Nothing has happened yet: nothing can be known to pass, but for what is counted and not sampled.
        let status = text(&criterion["status"]);
        assert!(["passing", "failing", "unknown"].contains(&status.as_str()), "{criterion}");
        assert!(
            criterion["samples"] != 0 || status == "unknown",
            "without a sample nothing passes: {criterion}"
        );
    }
}

#[tokio::test]
async fn every_metric_can_be_read_by_everything() {
    let server = Setup::new().start().await;
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    for metric in [
        "throughput",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "errors",
        "error_rate",
        "dead_letters",
        "in_flight",
    ] {
        for by in ["", "&by=none", "&by=consumer", "&by=type"] {
            let path = format!("/api/v1/series?metric={metric}{by}");
            if metric == "in_flight" && by == "&by=type" {
                assert!(
                    server.site.get(path).await.error(422, "invalid").contains("by consumer"),
                    "not known by type, and it says so"
                );
                continue;
            }
            let reading = server.site.json(path).await;
            assert_eq!(reading["metric"], metric);
            assert!(is_time(&reading["from"]) && is_time(&reading["until"]), "{reading}");
            let lengths: Vec<_> = reading["series"]
                .as_array()
                .expect("series")
                .iter()
                .map(|s| s["values"].as_array().map(Vec::len))
                .collect();
            assert!(
                lengths.windows(2).all(|two| two[0] == two[1]),
                "all over the same steps: {lengths:?}"
            );
        }
    }
    let reading = server.site.json("/api/v1/series?metric=throughput&by=consumer").await;
    let mut labels: Vec<String> = reading["series"]
        .as_array()
        .expect("series")
        .iter()
        .map(|s| text(&s["label"]))
        .collect();
    labels.sort();
    assert!(
        ["analytics", "audit"].iter().all(|name| labels.contains(&(*name).to_owned())),
        "{labels:?}"
    );
}

/// A percentile is a time that something took: no shorter than the disk allows, no longer than the test.
#[tokio::test]
async fn latency_is_published_to_processed_in_seconds() {
    let server = Setup::new().start().await;
    let began = now();
    let events: Vec<Value> = (0..50).map(|_| updated()).collect();
    server.ingest.post("/api/v1/events", &json!(events)).await.expect(200);
    settled(&server, 50).await;
    #[allow(clippy::cast_precision_loss)] // seconds
    let longest = (now() - began) as f64 / 1e3;
    let latencies = eventually("a latency", async || {
        let mut latencies = Vec::new();
        for metric in ["latency_p50", "latency_p95", "latency_p99"] {
            let reading = server.site.json(format!("/api/v1/series?metric={metric}")).await;
            let values = reading["series"][0]["values"].as_array().cloned().unwrap_or_default();
            latencies.extend(values.iter().rev().find_map(Value::as_f64));
        }
        if latencies.len() == 3 {
            Ok(latencies)
        } else {
            Err(format!("{latencies:?}"))
        }
    })
    .await;
    assert!(latencies.is_sorted(), "{latencies:?}");
    // The histogram rounds to two figures.
    assert!(
        latencies.iter().all(|seconds| (0.000_1..=longest * 1.1).contains(seconds)),
        "{latencies:?} s, within {longest} s"
    );
}

#[tokio::test]
async fn times_are_rfc_3339_or_milliseconds() {
    let server = Setup::new().start().await;
    let hour = 3_600_000;
    let to = now() / hour * hour;
    let millis = server
        .site
        .json(format!("/api/v1/series?metric=errors&from={}&to={to}&step=60000", to - hour))
        .await;
    assert_eq!(millis["series"][0]["values"].as_array().map(Vec::len), Some(60), "{millis}");
    let from = text(&millis["from"]);
    let written = server
        .site
        .json(format!("/api/v1/series?metric=errors&from={from}&to={to}&step=60000"))
        .await;
    assert_eq!(written["from"], from.as_str());
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_told_which_part() {
    let server = Setup::new().start().await;
    for (query, field) in [
        ("metric=latency", "metric"),
        ("metric=errors&from=yesterday", "from"),
        ("metric=errors&to=1e3", "to"),
        ("metric=errors&step=7", "step"),
        ("metric=errors&step=-60000", "step"),
        ("metric=errors&from=2000&to=1000", "to"),
        ("metric=errors&by=colour", "colour"),
        ("metric=errors&colour=red", "colour"),
        ("", "metric"),
    ] {
        let reply = server.site.get(format!("/api/v1/series?{query}")).await;
        assert!([400, 422].contains(&reply.status), "{query}: {} {}", reply.status, reply.text());
        let error: Value = reply.json();
        assert_eq!(error["error"]["code"], "invalid", "{error}");
        assert!(text(&error["error"]["message"]).contains(field), "{query}: {error}");
    }
}
