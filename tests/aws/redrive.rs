//! Redriving: to the queue that feeds a consumer, or to its function; failing again; and the death of the instance that does it.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::data::DELIVERED_EVENTS;
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

pub(crate) async fn letters(server: &Cutover, query: &str) -> Vec<Value> {
    let page = server.site.json(format!("/api/v1/dead-letters?limit=500&{query}")).await;
    page["items"].as_array().expect("items").clone()
}

pub(crate) async fn there_are(server: &Cutover, query: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} letters with {query}"), async || {
        let found = letters(server, query).await;
        if found.len() == count {
            Ok(found)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
}

pub(crate) async fn start(server: &Cutover, wish: &Value) -> String {
    let reply = server.site.post("/api/v1/operations", wish).await;
    let operation = reply.json()["operation"].clone();
    let operation = if operation.is_null() { reply.json() } else { operation };
    operation["id"].as_str().unwrap_or_else(|| panic!("{}", reply.text())).to_owned()
}

pub(crate) async fn operation(server: &Cutover, id: &str) -> Value {
    let detail = server.site.json(format!("/api/v1/operations/{id}")).await;
    if detail["operation"].is_null() {
        detail
    } else {
        detail["operation"].clone()
    }
}

pub(crate) async fn ended(server: &Cutover, id: &str) -> Value {
    eventually("the operation ends", async || {
        let operation = operation(server, id).await;
        if operation["status"] == "done" {
            Ok(operation)
        } else {
            Err(operation.to_string())
        }
    })
    .await
}

/// As EventBridge delivers it, with an id of its own.
pub(crate) fn delivered(id: &str, event_type: &str, data: &Value) -> String {
    let detail = json!({ "eventId": id, "eventVersion": "1.0", "timestamp": 1_790_000_000_000_i64, "userId": "u-1", "data": data });
    json!({ "version": "0", "id": id, "detail-type": event_type, "source": "transaction.service", "time": "2026-09-21T14:13:22Z", "detail": detail })
        .to_string()
}

pub(crate) fn updated(id: &str) -> String {
    delivered(
        id,
        "transaction.updated",
        &json!({ "transactionId": "t", "accountId": "a", "changes": [] }),
    )
}

#[tokio::test]
async fn what_a_queue_gave_up_on_is_redriven_in_the_browser() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    // Moved away by the queue's own policy, as when the function was killed.
    account.send("analytics-dlq", &updated("moved-1")).await;
    // And one that can't be helped: the function says so at once, with the reason.
    let poison = json!({ "fileId": "f", "transactionCount": 2, "processingStatus": "success" });
    account
        .send("categorization", &delivered("poison-1", "file.processed", &poison))
        .await;
    let open = there_are(&server, "status=open", 2).await;
    let of = |consumer: &str| open.iter().find(|letter| letter["consumer"] == consumer).expect(consumer).clone();
    assert_eq!(of("analytics")["error_code"], "GaveUp");
    let poisoned = of("categorization");
    assert_eq!(
        (&poisoned["error_code"], &poisoned["permanent"], &poisoned["attempts"]),
        (&json!("InvalidPayload"), &json!(true), &json!(1))
    );

    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.says("table.letters", "transactionIds").await;
    browser.press("#letters-work", "…").await;
    browser.click("#letters-work input[name=all][value=true]").await;
    browser.click("#letters-work input[name=kind][value=redrive]").await;
    browser.type_into("#work-reason", "the function is back").await;
    browser.press("#letters-work details[open]", "Do it").await;
    browser.says(".said-done", "started").await;
    browser.says(".op", "1 verified, 1 failed, 0 passed over, of 2").await;
    let redriven = there_are(&server, "status=redriven", 1).await;
    assert_eq!(
        (&redriven[0]["consumer"], &redriven[0]["event_id"]),
        (&json!("analytics"), &json!("moved-1"))
    );
    let again = there_are(&server, "status=open", 1).await.remove(0);
    assert_eq!(
        (&again["id"], &again["failed_redrives"], &again["attempts"]),
        (&poisoned["id"], &json!(1), &json!(2))
    );
    // Its page tells each attempt, and who tried again and why.
    browser
        .visit(&format!("/dead-letters/{}", again["id"].as_str().expect("an id")))
        .await;
    eventually("two attempts", async || browser.texts("ol.attempts li").await.len() == 2).await;
    browser.says("section[aria-labelledby=deeds-title]", "the function is back").await;
    browser.close().await;
}

#[tokio::test]
async fn two_letters_of_one_event_are_sent_back_together() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    // Both give up on it, and say so in the ledger's one account of it.
    let poison = delivered("poison-2", "transaction.updated", &json!({ "transactionId": 7 }));
    for consumer in ["analytics", "categorization"] {
        account.send(consumer, &poison).await;
    }
    there_are(&server, "status=open", 2).await;
    let wish = json!({ "kind": "redrive", "select": { "filter": {} }, "reason": "once more", "rate": 20 });
    let id = start(&server, &wish).await;
    let operation = ended(&server, &id).await;
    assert_eq!((&operation["failed"], &operation["total"]), (&json!(2), &json!(2)), "{operation}");
    for letter in there_are(&server, "status=open", 2).await {
        assert_eq!(letter["failed_redrives"], 1, "{letter}");
    }
    // The one that was overtaken by the other was not put off.
    let said = server.stderr();
    assert!(!said.contains("can't be sent now"), "{said}");
}

/// A deployment whose rules invoke the functions themselves, as the design's do.
#[tokio::test]
async fn a_function_that_no_queue_feeds_is_invoked() {
    let account = Account::deployed().await;
    let consumers = format!("[{{name=\"audit\", function=\"{PREFIX}-audit-consumer\", queue=\"{PREFIX}-nothing\"}}]");
    let server = Setup::new().over(&account).env("CUTOVER_AWS__CONSUMERS", consumers).start().await;
    let event = DELIVERED_EVENTS.lines().next().expect("an event");
    account.send("audit-dlq", event).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    let ended = ended(&server, &start(&server, &wish).await).await;
    assert_eq!((&ended["succeeded"], &ended["failed"]), (&json!(1), &json!(0)), "{ended}");
    there_are(&server, "status=redriven", 1).await;
    let id = letter["event_id"].as_str().expect("an event");
    server.site.get(format!("/api/v1/events/{id}")).await.expect(200);
}

#[tokio::test]
async fn another_instance_goes_on_when_one_is_killed() {
    let account = Account::deployed().await;
    let (doomed, other) = (Setup::new().over(&account).start().await, Setup::new().over(&account).start().await);
    let messages: Vec<String> = (0..24).map(|n| json!({ "body": updated(&format!("e-{n}")) }).to_string()).collect();
    account.send_all("analytics-dlq", &messages.join("\n")).await;
    there_are(&doomed, "status=open", 24).await;
    // Slowly enough that it is under way, whoever drives it.
    let wish = json!({ "kind": "redrive", "select": { "filter": { "status": "open" } }, "reason": "a test", "rate": 4 });
    let id = start(&doomed, &wish).await;
    eventually("some of it is done", async || {
        operation(&doomed, &id).await["succeeded"].as_u64() >= Some(2)
    })
    .await;
    doomed.kill().await;
    let ended = ended(&other, &id).await;
    assert_eq!(
        (&ended["succeeded"], &ended["failed"], &ended["skipped"], &ended["total"]),
        (&json!(24), &json!(0), &json!(0), &json!(24)),
        "{ended}"
    );
    assert_eq!(letters(&other, "status=redriven").await.len(), 24);
    // Each was completed once, though some may have been sent twice.
    for n in 0..24 {
        let letter = &letters(&other, &format!("q=e-{n}")).await[0];
        let detail = other
            .site
            .json(format!("/api/v1/dead-letters/{}", letter["id"].as_str().expect("an id")))
            .await;
        let completed = detail["history"]
            .as_array()
            .map(|all| all.iter().filter(|a| a["error"].is_null()).count());
        assert_eq!(completed, Some(1), "{detail}");
    }
}

/// What an operation says of its one item.
async fn note(server: &Cutover, operation: &str) -> String {
    let detail = server.site.json(format!("/api/v1/operations/{operation}")).await;
    detail["items"][0]["note"].as_str().unwrap_or_default().to_owned()
}

/// Functions that are not ours keep no ledger: that they are done is seen in the event store, or from a letter's not coming back.
#[tokio::test]
async fn what_a_function_without_a_ledger_was_sent_is_verified_elsewhere() {
    let account = Account::deployed().await;
    account.function("theirs", &json!({ "A": "b" })).await;
    let theirs = |name: &str| {
        format!("{{name=\"{name}\", function=\"{PREFIX}-theirs\", queue=\"{PREFIX}-nothing\", dead_letter_queue=\"{PREFIX}-{name}-dlq\"}}")
    };
    let setup = |takeover: bool| {
        Setup::new()
            .over(&account)
            .env("CUTOVER_AWS__CONSUMERS", format!("[{}, {}]", theirs("audit"), theirs("analytics")))
            .env("CUTOVER_DEAD_LETTERS__BACK_WITHIN_SECONDS", "4")
            .env("CUTOVER_DEAD_LETTERS__TAKEOVER", takeover.to_string())
    };
    let redrive = async |server: &Cutover, letter: &Value| {
        let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
        let id = start(server, &wish).await;
        let ended = ended(server, &id).await;
        assert_eq!(ended["succeeded"], 1, "{ended}");
        note(server, &id).await
    };
    let server = setup(true).start().await;
    for (queue, id) in [
        ("audit-dlq", "a-1"),
        ("analytics-dlq", "b-1"),
        ("analytics-dlq", "b-2"),
        ("analytics-dlq", "b-3"),
    ] {
        account.send(queue, &updated(id)).await;
    }
    let open = there_are(&server, "status=open", 4).await;
    let of = |id: &str| open.iter().find(|letter| letter["event_id"] == id).expect(id);
    assert_eq!(redrive(&server, of("b-1")).await, "it has not come back");

    // What its function would have stored.
    let stored = json!({
        "eventId": "a-1", "eventType": "transaction.updated", "eventVersion": "1.0", "source": "transaction.service",
        "userId": "u-1", "timestamp": 1_790_000_000_000_i64, "eventData": {},
    });
    account.put_items(&stored.to_string()).await;
    assert_eq!(redrive(&server, of("a-1")).await, "it is in the event store");
    server.terminate().await;

    // Nobody would see it come back, unless there is nothing that it could have come back as.
    let aside = setup(false).start().await;
    assert_eq!(
        redrive(&aside, of("b-2")).await,
        "it has not come back: no dead letter waits in a queue"
    );
    account.send("event-dlq", &updated("c-1")).await;
    let note = redrive(&aside, of("b-3")).await;
    assert!(note.starts_with("not verified: 1 dead letters wait"), "{note}");
}
