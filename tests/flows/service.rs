//! What every service has: health, metrics, security headers, assets.

use std::collections::BTreeSet;

use reqwest::Method;
use tests::account::settled;
use tests::endpoint::Reply;
use tests::event::updated;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

#[tokio::test]
async fn alive_and_ready() {
    let server = Setup::new().start().await;
    assert_eq!(server.site.get("/healthz").await.expect(200).text(), "ok\n");
    let ready = server.site.json("/readyz").await;
    assert_eq!(
        (&ready["ready"], &ready["dependencies"]["store"]["status"]),
        (&true.into(), &"up".into())
    );
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let server = Setup::new().start().await;
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    let reply = server.site.get("/metrics").await.expect(200);
    assert!(
        reply.header("content-type").starts_with("text/plain; version=0.0.4"),
        "{}",
        reply.header("content-type")
    );
    let text = reply.text();
    let (mut typed, mut sampled) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert!(typed.insert(name.to_owned()), "{name} is declared twice");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').expect(line);
            value.parse::<f64>().expect(line);
            let name = series.split('{').next().unwrap_or_default();
            assert!(typed.contains(name), "{line} comes before its type");
            assert!(series == name || series.ends_with("\"}"), "{line}");
            assert!(sampled.insert(series.to_owned()), "{series} is there twice");
        }
    }
    for name in [
        "cutover_events_published_total",
        "cutover_events_completed_total",
        "cutover_events_in_flight",
        "cutover_events_unaccounted",
        "cutover_dead_letters_open",
        "cutover_consumer_in_flight{consumer=\"audit\"}",
    ] {
        assert!(sampled.contains(name), "no {name} in {text}");
    }
    assert_eq!(server.metric("cutover_events_completed_total").await, 1.0);
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let server = Setup::new().start().await;
    for path in [
        "/",
        "/events",
        "/healthz",
        "/metrics",
        "/api/v1/overview",
        "/api/v1/nothing",
        "/no-such-page",
    ] {
        let reply = server.site.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), value, "{name} of {path}");
        }
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{path}: {policy}"
        );
    }
    // A nonce is for one rendering, which those who ask in the same moment share.
    let nonce = async |path: &str| {
        let reply = server.site.get(path).await;
        let policy = reply.header("content-security-policy").to_owned();
        let rest = policy.split("'nonce-").nth(1).unwrap_or_else(|| panic!("{path}: {policy}"));
        rest.split('\'').next().unwrap_or_default().to_owned()
    };
    let first = nonce("/").await;
    assert!(first.len() >= 16 && first != nonce("/events").await, "{first}");
    eventually("another nonce for another rendering", async || nonce("/").await != first).await;
}

/// Every asset that the overview names.
async fn assets(server: &Cutover) -> Vec<String> {
    let page = server.site.get("/").await.expect(200).text();
    let rest = page.split("/assets/").skip(1);
    let names: BTreeSet<&str> = rest.filter_map(|rest| rest.split(['"', '\'', ' ', '>']).next()).collect();
    names.into_iter().map(|name| format!("/assets/{name}")).collect()
}

#[tokio::test]
async fn assets_are_small_and_kept_for_good() {
    let server = Setup::new().start().await;
    let assets = assets(&server).await;
    for extension in [".js", ".wasm", ".css", ".svg"] {
        assert!(
            assets.iter().any(|path| path.ends_with(extension)),
            "no {extension} in {assets:?}: was the site built?"
        );
    }
    for path in &assets {
        let plain = server.site.get(path).await.expect(200);
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        for (coding, at_most) in [("br", 0.95), ("gzip", 0.98)] {
            let small = Reply::of(server.site.request(Method::GET, path).header("accept-encoding", coding))
                .await
                .expect(200);
            assert_eq!(small.header("content-encoding"), coding, "{path}");
            assert_eq!(small.header("content-type"), plain.header("content-type"), "{path}");
            #[allow(clippy::cast_precision_loss)] // sizes of files
            let share = small.bytes.len() as f64 / plain.bytes.len() as f64;
            assert!(share < at_most, "{path}: {coding} is {share:.2} of it");
        }
        let tag = plain.header("etag").to_owned();
        Reply::of(server.site.request(Method::GET, path).header("if-none-match", tag))
            .await
            .expect(304);
    }
    server.site.get("/assets/cutover.000000000000.js").await.expect(404);
}

#[tokio::test]
async fn a_page_that_is_not_there_is_404() {
    let server = Setup::new().start().await;
    for path in [
        "/no-such-page",
        "/events/no-such-event",
        "/consumers/nobody",
        "/dead-letters/no-such-letter",
    ] {
        let reply = server.site.get(path).await.expect(404);
        assert!(reply.header("content-type").starts_with("text/html"), "{path}");
    }
}

/// Behind a proxy it is reached under a name of its own, and a load balancer asks by number whether it is alive.
#[tokio::test]
async fn it_answers_to_the_names_it_was_given() {
    let server = Setup::new().env("CUTOVER_SERVER__HOSTS", "[\"cutover.example.com\"]").start().await;
    let ask = async |path: &str, host: &str| {
        let request = server.site.request(Method::GET, path).header("host", host);
        Reply::try_of(request).await.expect("an answer").status
    };
    for (path, host, status) in [
        ("/", "cutover.example.com", 200),
        ("/", "other.example.com", 403),
        ("/healthz", "10.0.3.7:3000", 200),
        ("/readyz", "10.0.3.7:3000", 403),
    ] {
        assert_eq!(ask(path, host).await, status, "{path} at {host}");
    }
}
