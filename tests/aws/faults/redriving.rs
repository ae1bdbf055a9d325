//! Working on letters while services fail: each outcome is written once, each event completed once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::between::{Between, Call, Fate};
use tests::deployment::{Account, PREFIX};
use tests::event;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use super::{TOO_LATE, first};
use crate::redrive::{ended, letters, start, there_are, updated};

/// How many letters each case has.
const EACH: usize = 3;

/// How many letters those have that are cancelled: more than are sent meanwhile.
const MANY: usize = 30;

/// Letters of a case, taken over while all is well; their ids.
async fn taken(account: &Account, server: &Cutover, case: &str) -> Vec<Value> {
    so_many_taken(account, server, case, EACH).await
}

async fn so_many_taken(account: &Account, server: &Cutover, case: &str, count: usize) -> Vec<Value> {
    let messages: Vec<String> = (0..count)
        .map(|n| json!({ "body": updated(&format!("{case}-{n}")) }).to_string())
        .collect();
    account.send_all("analytics-dlq", &messages.join("\n")).await;
    let all = there_are(server, &format!("q={case}-"), count).await;
    all.iter().map(|letter| letter["id"].clone()).collect()
}

/// An operation on letters comes to its end with each of them done, and says so once.
async fn all_succeed(server: &Cutover, kind: &str, ids: &[Value], case: &str) {
    let wish = json!({ "kind": kind, "select": { "ids": ids }, "reason": case });
    let ended = ended(server, &start(server, &wish).await).await;
    assert_eq!(
        (&ended["succeeded"], &ended["failed"], &ended["skipped"]),
        (&json!(EACH), &json!(0), &json!(0)),
        "{case}: {ended}"
    );
}

/// How often each letter's event was completed.
async fn completions(server: &Cutover, ids: &[Value]) -> Vec<usize> {
    let mut all = Vec::new();
    for id in ids {
        let detail = server
            .site
            .json(format!("/api/v1/dead-letters/{}", id.as_str().expect("an id")))
            .await;
        let history = detail["history"].as_array().cloned().unwrap_or_default();
        all.push(history.iter().filter(|attempt| attempt["error"].is_null()).count());
    }
    all
}

#[tokio::test]
async fn a_redrive_goes_on_and_is_counted_once_whatever_fails() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    // So many times that trying again by the SDK is not enough, but where an answer is lost once.
    for (n, (operation, fate, times)) in [
        ("SendMessage", Fate::Refused(503, "ServiceUnavailable"), 10),
        ("SendMessage", Fate::Refused(400, "ExpiredTokenException"), 5),
        ("SendMessage", Fate::Unheard, 5),
        ("SendMessage", Fate::Broken, 5),
        ("SendMessage", Fate::Refused(400, "RequestThrottled"), 5),
        ("SendMessage", TOO_LATE, 1),
        ("TransactWriteItems", Fate::Refused(500, "InternalServerError"), 5),
        ("TransactWriteItems", Fate::Unheard, 5),
        // Each try that the SDK makes by itself.
        (
            "TransactWriteItems",
            Fate::Disowned(400, "TransactionInProgressException"),
            3 * EACH,
        ),
        ("TransactWriteItems", Fate::Refused(400, "ThrottlingException"), 5),
        ("TransactWriteItems", TOO_LATE, 1),
        ("BatchGetItem", Fate::InPart, 2),
        ("UpdateItem", Fate::Unheard, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let case = format!("case-{n}");
        let ids = taken(&account, &server, &case).await;
        let of_worker = move |call: &Call, _: &str| call.operation == operation;
        between.set_by_body(first(times, of_worker, fate));
        let calls = between.calls(operation);
        all_succeed(&server, "redrive", &ids, &case).await;
        assert!(between.calls(operation) >= calls + times, "{operation} {fate:?} was not met");
        between.heal();
        let closed = letters(&server, &format!("status=redriven&q={case}-")).await;
        assert_eq!(closed.len(), EACH, "{operation} {fate:?}");
        assert_eq!(completions(&server, &ids).await, [1; EACH], "{operation} {fate:?}");
    }
}

/// The answer to what makes an operation is lost, and it is under way before it is asked for again.
#[tokio::test]
async fn an_operation_is_made_once_though_its_answer_is_lost() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let ids = taken(&account, &server, "made").await;
    let made = |call: &Call, body: &str| call.operation == "PutItem" && body.contains("-cutover-operations\"");
    between.set_by_body(first(1, made, Fate::Late(Duration::from_secs(10))));
    let wish = json!({ "kind": "redrive", "select": { "ids": ids }, "reason": "a test" });
    let id = start(&server, &wish).await;
    assert_eq!(ended(&server, &id).await["succeeded"], EACH);
    let all = server.site.json("/api/v1/operations").await;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
    assert_eq!(all["items"][0]["succeeded"], EACH, "{all}");
    assert_eq!(completions(&server, &ids).await, [1; EACH]);
    assert!(between.calls("PutItem") >= 2, "it was asked for again");
}

/// An update that counts is counted once, though its answer was lost: else the counts of a cancelled operation never add up.
#[tokio::test]
async fn an_operation_that_is_cancelled_ends_though_an_answer_was_lost() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    for (part, case) in [
        ("nothing", "heard"),
        ("ADD sent", "sent-unheard"),
        (":cancelled", "cancelled-unheard"),
    ] {
        let ids = so_many_taken(&account, &server, case, MANY).await;
        between.set_by_body(first(
            1,
            move |call, body| call.operation == "UpdateItem" && body.contains(part),
            Fate::Unheard,
        ));
        let wish = json!({ "kind": "redrive", "select": { "ids": ids }, "reason": case, "rate": 1 });
        let id = start(&server, &wish).await;
        eventually("one is sent", async || {
            let sent = ["redriving", "redriven"].map(async |status| letters(&server, &format!("status={status}&q={case}-")).await.len());
            futures::future::join_all(sent).await.iter().sum::<usize>() > 0
        })
        .await;
        let path = format!("/api/v1/operations/{id}");
        server.site.post(format!("{path}/cancel"), &json!({})).await.expect(200);
        eventually("each item has its outcome", async || {
            let operation = server.site.json(&path).await["operation"].clone();
            let of = |name: &str| operation[name].as_u64().unwrap_or_default();
            let done = of("succeeded") + of("failed") + of("skipped");
            if done == MANY as u64 {
                Ok(())
            } else {
                Err(format!("{case}: {operation}"))
            }
        })
        .await;
    }
}

#[tokio::test]
async fn letters_are_set_aside_and_opened_again_once_whatever_fails() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let ids = taken(&account, &server, "aside").await;
    for (operation, fate, times) in [
        ("TransactWriteItems", Fate::Refused(500, "InternalServerError"), 5),
        ("TransactWriteItems", Fate::Unheard, 5),
        ("BatchGetItem", Fate::InPart, 2),
        ("BatchWriteItem", Fate::InPart, 2),
    ] {
        for kind in ["discard", "restore"] {
            between.set_by_body(first(times, move |call, _| call.operation == operation, fate));
            all_succeed(&server, kind, &ids, &format!("{kind} {operation} {fate:?}")).await;
            between.heal();
            let status = if kind == "discard" { "discarded" } else { "open" };
            there_are(&server, &format!("status={status}"), EACH).await;
        }
    }
    let operations = server.site.json("/api/v1/operations").await;
    assert_eq!(operations["items"].as_array().map(Vec::len), Some(8), "{operations}");
}

/// A dashboard that knows analytics as a function that no queue feeds.
async fn without_a_queue(between: &Between) -> Cutover {
    let consumers = format!("[{{name=\"analytics\", function=\"{PREFIX}-analytics-consumer\", queue=\"{PREFIX}-nothing\"}}]");
    let setup = Setup::new().at(between.endpoint()).env("CUTOVER_AWS__CONSUMERS", consumers);
    setup.start().await
}

fn invokes(call: &Call, _: &str) -> bool {
    call.operation.starts_with("POST ") && call.operation.ends_with("/invocations")
}

/// By `Invoke`, where no queue feeds the function.
#[tokio::test]
async fn a_function_is_invoked_though_its_answers_are_lost() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = without_a_queue(&between).await;
    for (case, fate, times) in [("unheard", Fate::Unheard, 5), ("broken", Fate::Broken, 5), ("late", TOO_LATE, 1)] {
        let ids = taken(&account, &server, case).await;
        between.set_by_body(first(times, invokes, fate));
        all_succeed(&server, "redrive", &ids, case).await;
        between.heal();
        assert_eq!(completions(&server, &ids).await, [1; EACH], "{case}");
    }
}

/// What is throttled is tried less and less often, and done in the end.
#[tokio::test]
async fn what_is_throttled_is_tried_ever_more_slowly() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = without_a_queue(&between).await;
    account.send("analytics-dlq", &updated("slow-1")).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    let tried = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&tried);
    between.set_by_body(move |call, body| {
        let mut tried = noted.lock().expect("a lock");
        if invokes(call, body) && tried.len() < 12 {
            tried.push(Instant::now());
            Fate::Refused(429, "TooManyRequestsException")
        } else {
            Fate::Answered
        }
    });
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    let ended = ended(&server, &start(&server, &wish).await).await;
    assert_eq!(ended["succeeded"], 1, "{ended}");
    let tried = tried.lock().expect("a lock").clone();
    // The SDK tries thrice. What else takes time makes each pause longer, none shorter.
    let pauses = [3, 6, 9].map(|n| tried[n] - tried[n - 1]);
    let least = [500, 1_000, 2_000].map(Duration::from_millis);
    assert!(pauses.iter().zip(least).all(|(pause, least)| *pause >= least), "{pauses:?}");
}

/// What may not be sent is not tried for ever, and what can't be sent now is given back when nobody wants it any more.
#[tokio::test]
async fn what_can_not_be_sent_is_said_and_given_back() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let items = async |id: &str| server.site.json(format!("/api/v1/operations/{id}")).await["items"].clone();
    let sends = |call: &Call, _: &str| call.operation == "SendMessage";

    let ids = taken(&account, &server, "denied").await;
    between.set_by_body(first(100, sends, Fate::Refused(400, "AccessDeniedException")));
    let wish = json!({ "kind": "redrive", "select": { "ids": ids }, "reason": "denied" });
    let id = start(&server, &wish).await;
    let ended = ended(&server, &id).await;
    assert_eq!((&ended["failed"], &ended["succeeded"]), (&json!(EACH), &json!(0)), "{ended}");
    let note = items(&id).await[0]["note"].to_string();
    assert!(note.contains("SendMessage to t-1-analytics: AccessDenied"), "{note}");
    let open = letters(&server, "status=open&q=denied-").await;
    assert!(
        open.len() == EACH && open.iter().all(|letter| letter["error_code"] == "GaveUp"),
        "{open:#?}"
    );

    let ids = taken(&account, &server, "away").await;
    between.set_by_body(first(1_000, sends, Fate::Refused(503, "ServiceUnavailable")));
    let wish = json!({ "kind": "redrive", "select": { "ids": ids }, "reason": "away" });
    let (id, before) = (start(&server, &wish).await, between.calls("SendMessage"));
    eventually("it is tried", async || between.calls("SendMessage") > before + 3).await;
    server
        .site
        .post(format!("/api/v1/operations/{id}/cancel"), &json!({}))
        .await
        .expect(200);
    eventually("each is given back", async || {
        let detail = server.site.json(format!("/api/v1/operations/{id}")).await;
        let open = letters(&server, "status=open&q=away-").await.len();
        if detail["operation"]["skipped"] == EACH && open == EACH {
            Ok(())
        } else {
            Err(format!("{open} open: {detail}"))
        }
    })
    .await;
    between.heal();
    all_succeed(&server, "redrive", &ids, "once more").await;
    assert_eq!(completions(&server, &ids).await, [1; EACH]);
}

/// What was never published waits until the bus takes it: that is no failure of its own. That nothing may be published is one.
#[tokio::test]
async fn a_publishers_letter_waits_for_the_bus() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let message = json!({ "body": event::updated().to_string(), "attributes": { "Cutover.Consumer": text("publisher") } });
    account.send_all("event-dlq", &message.to_string()).await;
    let letter = there_are(&server, "consumer=publisher", 1).await.remove(0);
    let publishes = |call: &Call, _: &str| call.operation == "PutEvents";
    between.set_by_body(first(100, publishes, Fate::Refused(400, "AccessDeniedException")));
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "denied" });
    let denied = ended(&server, &start(&server, &wish).await).await;
    assert_eq!((&denied["succeeded"], &denied["failed"]), (&json!(0), &json!(1)), "{denied}");
    between.set_by_body(first(100, publishes, Fate::Refused(503, "ServiceUnavailable")));
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "the bus is back, almost" });
    let (id, before) = (start(&server, &wish).await, between.calls("PutEvents"));
    eventually("it is tried", async || between.calls("PutEvents") > before + 3).await;
    between.heal();
    let ended = ended(&server, &id).await;
    assert_eq!((&ended["succeeded"], &ended["failed"]), (&json!(1), &json!(0)), "{ended}");
    let letter = there_are(&server, "consumer=publisher", 1).await.remove(0);
    assert_eq!((&letter["status"], &letter["failed_redrives"]), (&json!("redriven"), &json!(1)));
}

/// Looking what became of letters fails: none of them is sent once more for that.
#[tokio::test]
async fn what_was_sent_is_not_sent_again_because_looking_fails() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let ids = taken(&account, &server, "looked").await;
    let stop = |paused: bool| json!({ "paused": paused, "reason": "a test" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop(true)).await.expect(200);
    let wish = json!({ "kind": "redrive", "select": { "ids": ids }, "reason": "a test" });
    let id = start(&server, &wish).await;
    there_are(&server, "status=redriving&q=looked-", EACH).await;
    eventually("they are sent", async || between.asked("SendMessage") == EACH).await;
    let looks = |call: &Call, body: &str| call.operation == "BatchGetItem" && body.contains("-cutover-letters\"");
    let before = between.calls("BatchGetItem");
    between.set_by_body(first(12, looks, Fate::Refused(500, "InternalServerError")));
    eventually("looking has failed, and works again", async || {
        between.calls("BatchGetItem") > before + 16
    })
    .await;
    assert_eq!(between.asked("SendMessage"), EACH);
    server
        .site
        .put("/api/v1/consumers/analytics/paused", &stop(false))
        .await
        .expect(200);
    assert_eq!(ended(&server, &id).await["succeeded"], EACH);
    assert_eq!(between.asked("SendMessage"), EACH);
}
