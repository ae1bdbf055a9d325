//! Changes that people make while a service fails: made once or not at all, and on the record as what they were.

use serde_json::{Value, json};
use tests::between::{Between, Call, Fate};
use tests::deployment::Account;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use super::first;
use crate::redrive::{there_are, updated};

async fn deeds(server: &Cutover) -> Vec<Value> {
    let activity = server.site.json("/api/v1/activity").await;
    activity["items"].as_array().expect("items").clone()
}

async fn changes(server: &Cutover) -> usize {
    let flags = server.site.json("/api/v1/flags").await;
    flags["history"].as_array().unwrap_or_else(|| panic!("no history: {flags}")).len()
}

async fn version(server: &Cutover) -> u64 {
    let flags = server.site.json("/api/v1/flags").await;
    flags["items"][0]["version"]
        .as_u64()
        .unwrap_or_else(|| panic!("no version: {flags}"))
}

fn wish(version: u64) -> Value {
    json!({ "publishing": true, "direct": version % 2 == 1, "reason": "a test", "expected_version": version })
}

fn transacts(call: &Call, body: &str) -> bool {
    call.operation == "TransactWriteItems" && body.contains("-cutover-flags\"")
}

#[tokio::test]
async fn a_change_of_the_flags_is_made_once_or_not_at_all() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    // The answer is lost: asked again, it is the same change.
    between.set_by_body(first(1, transacts, Fate::Unheard));
    server.site.put("/api/v1/flags", &wish(0)).await.expect(200);
    assert_eq!(
        (version(&server).await, changes(&server).await, deeds(&server).await.len()),
        (1, 1, 1)
    );
    between.set_by_body(first(1, transacts, Fate::Torn));
    server.site.put("/api/v1/flags", &wish(1)).await.expect(200);
    assert_eq!(
        (version(&server).await, changes(&server).await, deeds(&server).await.len()),
        (2, 2, 2)
    );
    // It never gets there: nothing is changed, and the record says that it was not.
    for (n, fate) in [
        Fate::Refused(500, "InternalServerError"),
        Fate::Refused(400, "ThrottlingException"),
        Fate::Refused(400, "ExpiredTokenException"),
        Fate::Broken,
    ]
    .into_iter()
    .enumerate()
    {
        between.set_by_body(first(10, transacts, fate));
        server.site.put("/api/v1/flags", &wish(2)).await.error(503, "unavailable");
        between.heal();
        assert_eq!((version(&server).await, changes(&server).await), (2, 2), "{fate:?}");
        let deeds = deeds(&server).await;
        assert_eq!((deeds.len(), deeds[0]["outcome"] == "done"), (3 + n, false), "{fate:?}: {deeds:#?}");
    }
    server.site.put("/api/v1/flags", &wish(2)).await.expect(200);
    assert_eq!(
        (version(&server).await, changes(&server).await, deeds(&server).await.len()),
        (3, 3, 7)
    );
}

/// The change is made, and none of the answers to any of the tries is heard.
#[tokio::test]
async fn a_change_whose_answers_are_all_lost_is_not_on_the_record_as_refused() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    between.set_by_body(first(10, transacts, Fate::Unheard));
    let reply = server.site.put("/api/v1/flags", &wish(0)).await;
    between.heal();
    assert_eq!((version(&server).await, changes(&server).await), (1, 1), "{}", reply.text());
    let deeds = deeds(&server).await;
    let said = deeds[0]["outcome"].to_string();
    assert!(
        deeds.len() == 1 && !said.contains("refused"),
        "{} {}: {deeds:#?}",
        reply.status,
        reply.text()
    );
}

/// What is changed is on the record: if it can't be written, the change is not made, or the record has it as soon as it can.
#[tokio::test]
async fn nothing_is_changed_that_is_not_on_the_record() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    between.set_by_body(|call, body| {
        if call.operation == "PutItem" && body.contains("-cutover-activity\"") {
            Fate::Refused(500, "InternalServerError")
        } else {
            Fate::Answered
        }
    });
    let stop = json!({ "paused": true, "reason": "a test" });
    let reply = server.site.put("/api/v1/consumers/analytics/paused", &stop).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    between.heal();
    let paused = async || server.site.json("/api/v1/consumers/analytics").await["consumer"]["paused"] == true;
    eventually("the consumer runs, or the record says who stopped it", async || {
        let (paused, deeds) = (paused().await, deeds(&server).await);
        if !paused || !deeds.is_empty() {
            Ok(())
        } else {
            Err(format!("paused, and the record is {deeds:?}"))
        }
    })
    .await;
}

/// The record's own entry, once, though the answer to it was lost.
#[tokio::test]
async fn a_deed_is_on_the_record_once_though_the_answer_is_lost() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    for (n, fate) in [Fate::Unheard, Fate::Torn, Fate::Refused(500, "InternalServerError")]
        .into_iter()
        .enumerate()
    {
        between.set_by_body(first(
            1,
            |call, body| call.operation == "PutItem" && body.contains("-cutover-activity\""),
            fate,
        ));
        server.site.put("/api/v1/flags", &wish(n as u64)).await.expect(200);
        assert_eq!(deeds(&server).await.len(), n + 1, "{fate:?}");
    }
    let all = deeds(&server).await;
    assert!(all.iter().all(|deed| deed["outcome"] == "done"), "{all:#?}");
}

#[tokio::test]
async fn a_consumer_is_stopped_once_or_it_is_said_that_it_was_not() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    server.measured().await;
    let feeds = |call: &Call, _: &str| call.operation.starts_with("PUT ") && call.operation.contains("/event-source-mappings/");
    let paused = async || server.site.json("/api/v1/consumers/audit").await["consumer"]["paused"].clone();
    let stop = |paused: bool| json!({ "paused": paused, "reason": "a test" });
    let path = "/api/v1/consumers/audit/paused";
    between.set_by_body(first(10, feeds, Fate::Refused(429, "TooManyRequestsException")));
    server.site.put(path, &stop(true)).await.error(503, "unavailable");
    between.heal();
    assert_eq!(paused().await, false);
    between.set_by_body(first(1, feeds, Fate::Unheard));
    server.site.put(path, &stop(true)).await.expect(200);
    assert_eq!(paused().await, true);
    server.site.put(path, &stop(false)).await.expect(200);
    assert_eq!(paused().await, false);
    let outcomes: Vec<bool> = deeds(&server).await.iter().map(|deed| deed["outcome"] == "done").collect();
    assert_eq!(outcomes, [true, true, false]);
}

/// An operation is there with all its letters, or not at all.
#[tokio::test]
async fn an_operation_is_started_once_or_not_at_all() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    account.send("analytics-dlq", &updated("e-1")).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    let count = async || server.site.json("/api/v1/operations").await["items"].as_array().map(Vec::len);
    let wish = json!({ "kind": "discard", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    for (operation, table) in [("BatchWriteItem", "operation-items"), ("PutItem", "operations")] {
        let table = format!("-cutover-{table}\"");
        between.set_by_body(first(
            10,
            move |call, body| call.operation == operation && body.contains(&table),
            Fate::Refused(500, "InternalServerError"),
        ));
        server.site.post("/api/v1/operations", &wish).await.error(503, "unavailable");
        between.heal();
        assert_eq!(count().await, Some(0), "{operation}");
    }
    between.set_by_body(first(
        1,
        |call, body| call.operation == "PutItem" && body.contains("-cutover-operations\""),
        Fate::Unheard,
    ));
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    there_are(&server, "status=discarded", 1).await;
    assert_eq!(count().await, Some(1));
    let outcomes: Vec<bool> = deeds(&server).await.iter().map(|deed| deed["outcome"] == "done").collect();
    assert_eq!(outcomes, [true, false, false]);
}
