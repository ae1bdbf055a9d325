//! `POST /api/v1/events` on the ingest listener.

use reqwest::Method;
use serde_json::{Value, json};
use tests::account::{outcome, settled, stored};
use tests::endpoint::Reply;
use tests::event::{self, now, updated};
use tests::server::{Cutover, Setup};

const EVENTS: &str = "/api/v1/events";
const DAY: i64 = 24 * 60 * 60 * 1000;

async fn post(server: &Cutover, body: &Value) -> Reply {
    server.ingest.post(EVENTS, body).await
}

/// The statuses of a call that was taken.
async fn statuses(server: &Cutover, body: &Value) -> Vec<String> {
    let answer = post(server, body).await.expect(200).json();
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items: {answer}"));
    items
        .iter()
        .map(|item| item["status"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn one_event_or_an_array_is_stored_and_delivered() {
    let server = Setup::new().start().await;
    let (one, two, three) = (updated(), event::account_deleted(), updated());
    let answer = post(&server, &one).await.expect(200).json();
    assert_eq!(answer, json!({ "items": [{ "eventId": one["eventId"], "status": "accepted" }] }));
    assert_eq!(statuses(&server, &json!([two, three])).await, ["accepted", "accepted"]);
    settled(&server, 3).await;
    let consumers: Vec<String> = outcome(&server, two["eventId"].as_str().expect("an id"))
        .await
        .into_keys()
        .collect();
    assert_eq!(consumers, ["analytics", "audit", "notification"]);
}

#[tokio::test]
async fn what_a_publisher_may_leave_out_is_filled_in() {
    let server = Setup::new().start().await;
    let before = now();
    let bare = json!({ "eventType": "loan.requested", "source": "loan.service", "userId": "u", "data": {} });
    let answer = post(&server, &bare).await.expect(200).json();
    let id = answer["items"][0]["eventId"].as_str().expect("an id of the server's").to_owned();
    settled(&server, 1).await;
    let event = server.site.json(format!("{EVENTS}/{id}")).await["event"].clone();
    assert_eq!(event["eventVersion"], "1.0");
    assert!((before..=now()).contains(&event["timestamp"].as_i64().expect("a time")), "{event}");
}

#[tokio::test]
async fn a_fault_names_entry_and_field_and_nothing_is_taken() {
    let server = Setup::new().start().await;
    let with = |change: fn(&mut Value)| {
        let mut event = updated();
        change(&mut event);
        event
    };
    let cases: [(Value, &str); 8] = [
        (with(|e| e["userId"] = json!("")), "userId"),
        (with(|e| e["userId"] = json!(7)), "userId"),
        (with(|e| e["timestamp"] = json!("yesterday")), "timestamp"),
        (with(|e| e["timestamp"] = json!(-1)), "timestamp"),
        (with(|e| e["timestamp"] = json!(now() + 2 * DAY)), "timestamp"),
        (with(|e| e["data"] = json!([])), "data"),
        (with(|e| e["data"]["changes"] = json!("none")), "data.changes"),
        (with(|e| e.as_object_mut().map_or((), |e| drop(e.remove("source")))), "source"),
    ];
    for (wrong, field) in cases {
        let reply = post(&server, &json!([updated(), wrong, updated()])).await;
        let message = reply.error(400, "invalid_event");
        assert!(message.contains("entry 1") && message.contains(field), "{field}: {message}");
        let detail = &reply.json()["error"]["detail"];
        assert_eq!((&detail["entry"], &detail["field"]), (&json!(1), &json!(field)));
    }
    assert_eq!(
        server.metric("cutover_events_published_total").await,
        0.0,
        "the good ones beside a bad one neither"
    );
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let server = Setup::new().start().await;
    for body in ["", "{", "[{}", "hello", "{} {}", "\u{feff}{}", "[1,]"] {
        let reply = Reply::of(server.ingest.request(Method::POST, EVENTS).body(body)).await;
        reply.error(400, "not_json");
    }
    for body in ["7", "\"text\"", "null", "[7]"] {
        let reply = Reply::of(server.ingest.request(Method::POST, EVENTS).body(body)).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
    let wrong = |method, path| Reply::of(server.ingest.request(method, path));
    assert!(wrong(Method::GET, EVENTS).await.error(405, "method_not_allowed").contains("POST"));
    assert!(wrong(Method::POST, "/events").await.error(404, "not_found").contains(EVENTS));
    assert_eq!(server.metric("cutover_events_published_total").await, 0.0);
}

#[tokio::test]
async fn size_has_limits() {
    let server = Setup::new().start().await;
    let padded = |bytes: usize| {
        let mut event = event::of("loan.requested", "loan.service", &json!({ "text": "" }));
        let rest = bytes - event.to_string().len();
        event["data"]["text"] = json!("x".repeat(rest));
        assert_eq!(event.to_string().len(), bytes);
        event
    };
    assert_eq!(statuses(&server, &padded(256 * 1024)).await, ["accepted"]);
    let reply = post(&server, &padded(256 * 1024 + 1)).await;
    assert!(reply.error(400, "invalid_event").contains("262144"));
    let crowd: Vec<Value> = (0..1_001).map(|_| updated()).collect();
    post(&server, &json!(crowd)).await.error(400, "too_many");
    let flood = "x".repeat(9 * 1024 * 1024);
    // The server may answer before it has read everything, so the client may see the connection close instead.
    if let Ok(reply) = Reply::try_of(server.ingest.request(Method::POST, EVENTS).body(flood)).await {
        assert!(reply.error(413, "too_large").contains("several calls"));
    }
    settled(&server, 1).await;
}

#[tokio::test]
async fn a_duplicate_is_acknowledged_and_not_delivered_again() {
    let server = Setup::new().start().await;
    let event = event::account_deleted();
    let id = event["eventId"].as_str().expect("an id").to_owned();
    assert_eq!(statuses(&server, &event).await, ["accepted"]);
    settled(&server, 1).await;
    let before = outcome(&server, &id).await;
    assert_eq!(statuses(&server, &json!([event, event])).await, ["duplicate", "duplicate"]);
    // An event sent after the duplicates has been delivered, so they would have been by now.
    assert_eq!(statuses(&server, &updated()).await, ["accepted"]);
    settled(&server, 2).await;
    assert_eq!(outcome(&server, &id).await, before);
    assert!(
        before.values().all(|delivery| *delivery == ("completed".to_owned(), 1)),
        "{before:?}"
    );
    assert_eq!(stored(&server).await.len(), 2);
}

#[tokio::test]
async fn another_event_under_a_known_id_is_refused() {
    let server = Setup::new().start().await;
    let event = updated();
    let mut other = event.clone();
    other["userId"] = json!("someone-else");
    assert_eq!(statuses(&server, &event).await, ["accepted"]);
    let answer = post(&server, &other).await.expect(200).json();
    assert_eq!(answer["items"][0]["status"], "refused", "{answer}");
    let message = answer["items"][0]["error"]["message"].as_str().expect("a message");
    assert!(message.contains(event["eventId"].as_str().expect("an id")), "{message}");
    settled(&server, 1).await;
    assert_eq!(stored(&server).await, [event]);
}

#[tokio::test]
async fn late_events_are_taken_and_shown_in_the_order_they_happened() {
    let server = Setup::new().start().await;
    let at = |ago: i64| {
        let mut event = updated();
        event["timestamp"] = json!(now() - ago);
        event
    };
    let (old, new, middle) = (at(300 * DAY), at(0), at(DAY));
    for event in [&new, &old, &middle] {
        assert_eq!(statuses(&server, event).await, ["accepted"]);
    }
    settled(&server, 3).await;
    assert_eq!(stored(&server).await, [new, middle, old]);
}

#[tokio::test]
async fn a_type_that_nobody_knows_is_stored_whole() {
    let server = Setup::new().start().await;
    let event = event::of(
        "loan.requested",
        "loan.service",
        &json!({ "amount": 12.5, "terms": [1, 2], "nested": { "deep": true } }),
    );
    assert_eq!(statuses(&server, &event).await, ["accepted"]);
    settled(&server, 1).await;
    assert_eq!(stored(&server).await, std::slice::from_ref(&event));
    let consumers: Vec<String> = outcome(&server, event["eventId"].as_str().expect("an id"))
        .await
        .into_keys()
        .collect();
    assert_eq!(consumers, ["audit"]);
}

#[tokio::test]
async fn other_sites_can_not_send_events() {
    let server = Setup::new().start().await;
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
    ] {
        let request = server.ingest.request(Method::POST, EVENTS).header(name, value).json(&updated());
        Reply::of(request).await.error(403, "cross_site");
    }
    assert_eq!(server.metric("cutover_events_published_total").await, 0.0);
}

/// What nobody can read can't be routed by its content: it is refused, not quietly sent to some of its consumers.
#[tokio::test]
async fn a_payload_that_cannot_be_read_is_refused() {
    let server = Setup::new().start().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for odd in [r#""\ud83d""#, "1e400", deep.as_str()] {
        let data = format!(r#"{{"fileId":"f","transactionCount":1,"transactionIds":["t"],"processingStatus":"success","odd":{odd}}}"#);
        let detail = format!(r#"{{"userId":"u","data":{data}}}"#);
        let entry = json!({ "Source": "transaction.service", "DetailType": "file.processed", "Detail": detail });
        let answer = server.ingest.put_events(&json!([entry])).await.expect(200).json();
        assert_eq!(answer["FailedEntryCount"], 1, "{odd:.20}: {answer}");
        assert!(
            answer["Entries"][0]["ErrorMessage"].as_str().is_some_and(|m| m.contains("data")),
            "{answer}"
        );
    }
    assert_eq!(server.metric("cutover_events_published_total").await, 0.0);
}
