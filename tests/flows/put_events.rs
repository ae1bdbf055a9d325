//! `PutEvents` on the ingest listener, as EventBridge answers it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::account::{outcome, settled, stored};
use tests::data::{self, PUT_EVENTS};
use tests::endpoint::Reply;
use tests::event::{self, entry, updated};
use tests::sdk;
use tests::server::Setup;

#[tokio::test]
async fn entries_are_answered_one_by_one() {
    let server = Setup::new().start().await;
    let (good, also_good) = (updated(), updated());
    let mut without_source = entry(&updated());
    without_source["Source"] = Value::Null;
    let broken = json!({ "Source": "s", "DetailType": "t", "Detail": "{not json" });
    let reply = server
        .ingest
        .put_events(&json!([entry(&good), without_source, broken, entry(&also_good)]))
        .await
        .expect(200);
    assert_eq!(reply.header("content-type"), "application/x-amz-json-1.1");
    let answer = reply.json();
    assert_eq!(answer["FailedEntryCount"], 2, "{answer}");
    let codes: Vec<_> = (0..4).map(|i| answer["Entries"][i]["ErrorCode"].as_str()).collect();
    assert_eq!(codes, [None, Some("InvalidArgument"), Some("MalformedDetail"), None]);
    assert!(
        answer["Entries"][1]["ErrorMessage"].as_str().is_some_and(|m| m.contains("Source")),
        "{answer}"
    );
    assert_eq!(answer["Entries"][0]["EventId"], good["eventId"]);
    assert_eq!(answer["Entries"][3]["EventId"], also_good["eventId"]);
    settled(&server, 2).await;
}

#[tokio::test]
async fn a_call_has_limits() {
    let server = Setup::new().start().await;
    let entries = |n: usize| Value::Array((0..n).map(|_| entry(&updated())).collect());
    let fault = |reply: Reply| {
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.header("content-type"), "application/x-amz-json-1.1");
        (
            reply.json()["__type"].as_str().unwrap_or_default().to_owned(),
            reply.json()["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for n in [0, 11] {
        let (kind, message) = fault(server.ingest.put_events(&entries(n)).await);
        assert_eq!(kind, "ValidationException");
        assert!(message.contains("entries") && message.contains("10"), "{message}");
    }
    let big = event::of("loan.requested", "loan.service", &json!({ "text": "x".repeat(130 * 1024) }));
    let mut other = big.clone();
    other["eventId"] = json!(event::id());
    let (kind, message) = fault(server.ingest.put_events(&json!([entry(&big), entry(&other)])).await);
    assert_eq!(kind, "ValidationException", "256 KB is the limit of the whole call");
    assert!(message.contains("size"), "{message}");
    assert_eq!(server.metric("cutover_events_published_total").await, 0.0);
    server.ingest.put_events(&entries(10)).await.expect(200);
    settled(&server, 10).await;
}

#[tokio::test]
async fn other_operations_are_not_offered() {
    let server = Setup::new().start().await;
    let send = async |target: Option<&str>, body: &'static str| {
        let mut request = server.ingest.request(Method::POST, "/").body(body);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let reply = Reply::of(request).await.expect(400);
        reply.json()["__type"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(send(Some("AWSEvents.ListRules"), "{}").await, "UnknownOperationException");
    assert_eq!(send(None, "{}").await, "MissingAction");
    assert_eq!(send(Some("AWSEvents.PutEvents"), "{").await, "SerializationException");
}

#[tokio::test]
async fn an_aws_sdk_publishes_real_traffic() {
    let server = Setup::new().start().await;
    let sent = data::sent();
    let answered = sdk::put_events(server.ingest.base(), PUT_EVENTS, None).await;
    assert_eq!((answered.failed, answered.calls), (0, 12));
    let ids: Vec<&str> = sent.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(answered.ids, ids, "in the order they were sent");
    settled(&server, 120).await;

    let stored: BTreeSet<String> = stored(&server).await.iter().map(ToString::to_string).collect();
    let expected: BTreeSet<String> = sent.iter().map(|event| event.body.to_string()).collect();
    assert_eq!(stored, expected, "every field of every event");
    for event in &sent {
        let outcome = outcome(&server, &event.id).await;
        assert_eq!(
            outcome.keys().map(String::as_str).collect::<Vec<_>>(),
            event.consumers(),
            "{}",
            event.body
        );
        assert!(
            outcome.values().all(|delivery| *delivery == ("completed".to_owned(), 1)),
            "{outcome:?} of {}",
            event.body
        );
    }

    // Again: acknowledged, and nothing happens twice.
    let again = sdk::put_events(server.ingest.base(), PUT_EVENTS, None).await;
    assert_eq!((again.failed, again.ids.len()), (0, 120));
    settled(&server, 120).await;
}
