//! `/api/openapi.json`.

use std::collections::BTreeSet;

use reqwest::Method;
use tests::endpoint::Reply;
use tests::server::Setup;

/// What INTERFACE.md promises, as far as the document describes it.
const PROMISED: [(&str, &str); 19] = [
    ("get", "/api/v1/overview"),
    ("get", "/api/v1/series"),
    ("get", "/api/v1/consumers"),
    ("get", "/api/v1/consumers/{name}"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/events/{event_id}"),
    ("get", "/api/v1/events/{event_id}/chain"),
    ("get", "/api/v1/dead-letters"),
    ("get", "/api/v1/dead-letters/groups"),
    ("get", "/api/v1/dead-letters/{id}"),
    ("post", "/api/v1/operations"),
    ("get", "/api/v1/operations"),
    ("get", "/api/v1/operations/{id}"),
    ("post", "/api/v1/operations/{id}/cancel"),
    ("get", "/api/v1/flags"),
    ("put", "/api/v1/flags"),
    ("get", "/api/v1/parity"),
    ("get", "/api/v1/activity"),
    ("get", "/api/v1/live"),
];

/// An answer that never ends; its own tests read it.
const STREAM: &str = "/api/v1/live";

#[tokio::test]
async fn every_route_is_described_and_every_description_answers() {
    let server = Setup::new().start().await;
    let document = server.site.json("/api/openapi.json").await;
    assert!(
        document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")),
        "{}",
        document["openapi"]
    );
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<(&str, &str)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .into_iter()
                .flatten()
                .map(move |(method, _)| (method.as_str(), path.as_str()))
        })
        .collect();
    for route in PROMISED {
        assert!(described.contains(&route), "{route:?} is not described");
    }
    for (method, path) in described.into_iter().filter(|(_, path)| *path != STREAM) {
        let filled = path.replace("{name}", "x").replace("{event_id}", "x").replace("{id}", "x");
        assert!(!filled.contains('{'), "{path}");
        let method: Method = method.to_uppercase().parse().expect("a method");
        let reply = Reply::of(server.site.request(method, &filled)).await;
        assert!(
            reply.status != 405 && !reply.text().contains("there is nothing at"),
            "{path}: {}",
            reply.text()
        );
        assert!(
            reply.header("content-type").starts_with("application/json"),
            "{path}: {}",
            reply.header("content-type")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_says_so_in_the_api_s_own_shape() {
    let server = Setup::new().start().await;
    for path in ["/api/v1/nothing", "/api/v2/events", "/api/x"] {
        assert!(server.site.get(path).await.error(404, "not_found").contains(path));
    }
    let wrong = server.site.post("/api/v1/overview", &serde_json::json!({})).await;
    assert!(wrong.error(405, "method_not_allowed").contains("POST"));
    server.site.get("/api/v1/events/%FF").await.error(400, "invalid");
}
