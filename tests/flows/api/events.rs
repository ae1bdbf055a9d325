//! `/api/v1/events`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::account::settled;
use tests::data;
use tests::event::{self, now};
use tests::server::{Cutover, Setup};

use super::{is_time, items, text};

async fn with_traffic() -> Cutover {
    let server = Setup::new().start().await;
    let events: Vec<Value> = data::sent().into_iter().map(|event| event.body).collect();
    server.ingest.post("/api/v1/events", &json!(events)).await.expect(200);
    settled(&server, events.len()).await;
    server
}

/// The ids that a query finds, over all its pages of `limit`, in order.
async fn found(server: &Cutover, query: &str, limit: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.site.json(format!("/api/v1/events?{query}&limit={limit}{cursor}")).await;
        let page_ids: Vec<String> = items(&page).iter().map(|event| text(&event["eventId"])).collect();
        assert!(page_ids.len() <= limit);
        ids.extend(page_ids);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn each_filter_finds_what_fits_page_by_page() {
    let server = with_traffic().await;
    let sent = data::sent();
    let middle = sent[60].body["timestamp"].as_i64().expect("a time");
    let user = text(&sent[0].body["userId"]);
    let correlation = text(&sent[0].body["correlationId"]);
    type Fits<'a> = Box<dyn Fn(&data::Sent) -> bool + 'a>;
    let cases: [(String, Fits); 8] = [
        ("".to_owned(), Box::new(|_| true)),
        ("type=file.processed".to_owned(), Box::new(|e| e.event_type == "file.processed")),
        ("source=account.service".to_owned(), Box::new(|e| e.source == "account.service")),
        (format!("user={user}"), Box::new(|e| e.body["userId"] == user.as_str())),
        (
            format!("correlation={correlation}"),
            Box::new(|e| e.body["correlationId"] == correlation.as_str()),
        ),
        (
            format!("q={}", sent[7].id.to_uppercase()),
            Box::new(|e| e.body.to_string().contains(&sent[7].id)),
        ),
        (format!("from={middle}"), Box::new(|e| e.body["timestamp"].as_i64() >= Some(middle))),
        (format!("to={middle}"), Box::new(|e| e.body["timestamp"].as_i64() < Some(middle))),
    ];
    for (query, fits) in &cases {
        let expected: BTreeSet<String> = sent.iter().filter(|e| fits(e)).map(|e| e.id.clone()).collect();
        assert!(!expected.is_empty(), "{query} finds something");
        for limit in [7, 500] {
            let ids = found(&server, query, limit).await;
            assert_eq!(ids.len(), expected.len(), "{query}: each once");
            assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected, "{query}");
        }
    }
    let times: Vec<i64> = items(&server.site.json("/api/v1/events?limit=500").await)
        .iter()
        .filter_map(|e| e["timestamp"].as_i64())
        .collect();
    assert!(times.len() == 120 && times.is_sorted_by(|a, b| a >= b), "newest first");
}

#[tokio::test]
async fn one_event_with_its_deliveries() {
    let server = Setup::new().start().await;
    let event = event::account_deleted();
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    settled(&server, 1).await;
    let answer = server.site.json(format!("/api/v1/events/{}", text(&event["eventId"]))).await;
    assert_eq!(answer["event"], event);
    assert!(
        is_time(&answer["stored_at"]) && is_time(&answer["ledger"]["published_at"]),
        "{answer}"
    );
    for delivery in answer["ledger"]["deliveries"].as_array().expect("deliveries") {
        assert_eq!(
            (&delivery["state"], &delivery["attempts"][0]["number"]),
            (&json!("completed"), &json!(1))
        );
        assert!(
            is_time(&delivery["attempts"][0]["at"]) && delivery["next_at"].is_null(),
            "{delivery}"
        );
    }
    for path in ["/api/v1/events/no-such-event", "/api/v1/events/no-such-event/chain"] {
        assert!(server.site.get(path).await.error(404, "not_found").contains("no-such-event"));
    }
}

#[tokio::test]
async fn causes_and_effects_both_ways() {
    let server = Setup::new().start().await;
    let caused = |cause: &Value| {
        let mut event = event::updated();
        event["causationId"] = cause.clone();
        event
    };
    let root = caused(&json!("never-seen"));
    let (child, other) = (caused(&root["eventId"]), caused(&root["eventId"]));
    let grandchild = caused(&child["eventId"]);
    server
        .ingest
        .post("/api/v1/events", &json!([root, child, other, grandchild]))
        .await
        .expect(200);
    settled(&server, 4).await;
    let chain = server.site.json(format!("/api/v1/events/{}/chain", text(&child["eventId"]))).await;
    let ids = |links: &Value| {
        links
            .as_array()
            .expect("links")
            .iter()
            .map(|l| l["event"]["eventId"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&chain["causes"]), [root["eventId"].clone()]);
    assert_eq!(ids(&chain["effects"]), [grandchild["eventId"].clone()]);
    assert_eq!(chain["event"]["event"], child);
    assert_eq!(chain["orphan_of"], "never-seen");
    assert!(chain["event"]["ledger"]["deliveries"].is_array(), "{chain}");
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_told_which_part() {
    let server = Setup::new().start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("from=tomorrow", "from"),
        ("to=32.13.2026", "to"),
        ("colour=red", "colour"),
    ] {
        let reply = server.site.get(format!("/api/v1/events?{query}")).await;
        assert!([400, 422].contains(&reply.status), "{query}: {} {}", reply.status, reply.text());
        let error = reply.json();
        assert!(text(&error["error"]["message"]).contains(field), "{query}: {error}");
    }
    // A span that holds nothing is empty, not wrong.
    let nothing = server.site.json(format!("/api/v1/events?from={}", now() + 1_000_000)).await;
    assert!(items(&nothing).is_empty());
}

/// What is open is listed, and an event that nobody has audited yet is known all the same.
#[tokio::test]
async fn what_is_still_open_is_listed_oldest_first() {
    let server = Setup::new().start().await;
    let pause = json!({ "paused": true, "reason": "a test says so" });
    server.site.put("/api/v1/consumers/audit/paused", &pause).await.expect(200);
    let events = [tests::event::updated(), tests::event::updated()];
    server.ingest.post("/api/v1/events", &json!(events)).await.expect(200);
    let open = server.site.json("/api/v1/ledger/open").await;
    let ids: Vec<&Value> = open["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|entry| &entry["event_id"])
        .collect();
    assert_eq!(ids, [&events[0]["eventId"], &events[1]["eventId"]]);
    let one = server
        .site
        .json(format!("/api/v1/events/{}", events[0]["eventId"].as_str().expect("an id")))
        .await;
    assert!(
        one["event"].is_null() && one["stored_at"].is_null() && one["ledger"].is_object(),
        "{one}"
    );
}

#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_refused() {
    let server = Setup::new().start().await;
    for path in ["events", "dead-letters", "parity", "consumers", "series?metric=errors"] {
        let query = if path.contains('?') { '&' } else { '?' };
        let reply = server.site.get(format!("/api/v1/{path}{query}from=2026-02-01&to=2026-01-01")).await;
        assert_eq!(reply.status, 422, "{path}: {}", reply.text());
    }
}
