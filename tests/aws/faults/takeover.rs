//! Taking letters over while queues and tables fail: none is lost, none is there twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::between::{Between, Call, Fate};
use tests::deployment::Account;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use super::{TOO_LATE, first};
use crate::redrive::{letters, there_are, updated};

/// The queue that fails; what is received from it and not deleted comes again soon.
const QUEUE: &str = "audit-dlq";
/// How many letters each case has.
const EACH: usize = 3;

async fn ready(between: &Between, account: &Account) -> Cutover {
    for queue in [QUEUE, "analytics-dlq"] {
        account.comes_again_after(queue, 2).await;
    }
    Setup::new().at(between.endpoint()).start().await
}

#[tokio::test]
async fn each_letter_is_taken_over_once_whatever_fails() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = ready(&between, &account).await;
    let mut sent = BTreeSet::new();
    // So many times that trying again by the SDK is not enough, but where an answer is lost once.
    for (n, (operation, fate, times)) in [
        ("PutItem", Fate::Refused(500, "InternalServerError"), 5),
        ("PutItem", Fate::Unheard, 5),
        ("PutItem", Fate::Broken, 5),
        ("PutItem", Fate::Refused(400, "ProvisionedThroughputExceededException"), 5),
        ("PutItem", TOO_LATE, 1),
        ("DeleteMessageBatch", Fate::Refused(503, "ServiceUnavailable"), 5),
        // What was deleted doesn't come again.
        ("DeleteMessageBatch", Fate::Unheard, 2),
        ("DeleteMessageBatch", Fate::InPart, 2),
        ("DeleteMessageBatch", TOO_LATE, 1),
        ("ReceiveMessage", Fate::Refused(400, "ExpiredTokenException"), 3),
        ("ReceiveMessage", Fate::Unheard, 1),
        ("ReceiveMessage", Fate::Torn, 1),
        ("ReceiveMessage", Fate::Broken, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let of_queue = move |call: &Call, body: &str| {
            let own = call.service != "sqs" || body.contains(QUEUE);
            // An empty receive is not what this is about.
            call.operation == operation && own
        };
        between.set_by_body(first(times, of_queue, fate));
        let calls = between.calls(operation);
        for m in 0..EACH {
            let id = format!("case-{n}-{m}");
            account.send(QUEUE, &updated(&id)).await;
            sent.insert(id);
        }
        eventually(&format!("{operation} {fate:?}: all are taken over"), async || {
            let there = letters(&server, &format!("q=case-{n}-")).await.len();
            let waiting = account.messages(QUEUE).await;
            if there == EACH && waiting == 0 && between.calls(operation) >= calls + times {
                Ok(())
            } else {
                Err(format!("{there} letters, {waiting} in the queue"))
            }
        })
        .await;
    }
    let all = letters(&server, "").await;
    let ids: BTreeSet<String> = all
        .iter()
        .filter_map(|letter| letter["event_id"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!((ids, all.len()), (sent.clone(), sent.len()), "each once");
}

/// What was sent back and has failed again comes by the queue once more; the message may come twice.
#[tokio::test]
async fn a_letter_that_comes_back_twice_is_one_letter() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = ready(&between, &account).await;
    account.send("analytics-dlq", &updated("back-1")).await;
    let letter = there_are(&server, "", 1).await.remove(0);
    // While the consumer is stopped the letter is on its way, and the test is the queue that moves it on.
    let stop = json!({ "paused": true, "reason": "a test" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop).await.expect(200);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    there_are(&server, "status=redriving", 1).await;
    eventually("it was sent", async || account.messages("analytics").await == 1).await;
    let calls = between.calls("DeleteMessageBatch");
    between.set_by_body(first(
        3,
        |call, body| call.operation == "DeleteMessageBatch" && body.contains("analytics-dlq"),
        Fate::Refused(503, "ServiceUnavailable"),
    ));
    account.send("analytics-dlq", &updated("back-1")).await;
    eventually("it is taken over, and deleted at last", async || {
        between.calls("DeleteMessageBatch") > calls + 3 && account.messages("analytics-dlq").await == 0
    })
    .await;
    let all = letters(&server, "q=back-1").await;
    let ids: Vec<&Value> = all.iter().map(|found| &found["id"]).collect();
    assert_eq!(ids, [&letter["id"]], "{all:#?}");
    assert_eq!(
        (&all[0]["status"], &all[0]["failed_redrives"]),
        (&json!("open"), &json!(1)),
        "{all:#?}"
    );
}

/// It was kept, and redriven by somebody, and its message has not been deleted: it is not its own return.
#[tokio::test]
async fn a_letter_whose_message_outlives_its_redrive_is_not_taken_for_its_return() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = ready(&between, &account).await;
    between.set_by_body(|call, body| {
        if call.operation == "DeleteMessageBatch" && body.contains("analytics-dlq") {
            Fate::Refused(503, "ServiceUnavailable")
        } else {
            Fate::Answered
        }
    });
    account.send("analytics-dlq", &updated("still-1")).await;
    let letter = there_are(&server, "", 1).await.remove(0);
    let stop = |paused: bool| json!({ "paused": paused, "reason": "a test" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop(true)).await.expect(200);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    there_are(&server, "status=redriving", 1).await;
    let tried = between.calls("DeleteMessageBatch");
    eventually("the message comes again", async || between.calls("DeleteMessageBatch") > tried + 3).await;
    there_are(&server, "status=redriving", 1).await;
    between.heal();
    eventually("its message is gone", async || account.messages("analytics-dlq").await == 0).await;
    server
        .site
        .put("/api/v1/consumers/analytics/paused", &stop(false))
        .await
        .expect(200);
    let done = there_are(&server, "status=redriven", 1).await.remove(0);
    assert_eq!((&done["id"], &done["failed_redrives"]), (&letter["id"], &json!(0)));
    assert_eq!(letters(&server, "").await.len(), 1);
}
