//! From a publisher's `PutEvents` through the bus, the queue and the function to the event store, and from there to the pages.

use serde_json::{Value, json};
use tests::account::{outcome, settled};
use tests::browser::Browser;
use tests::data::{PUT_EVENTS, sent};
use tests::deployment::{Account, PREFIX, REGION};
use tests::server::Setup;
use tests::wait::eventually;

use crate::every_page;

/// How many events are too few to keep a machine busy.
const SOME: usize = 5;

#[tokio::test]
async fn events_travel_from_the_bus_to_the_browser() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main", "No events yet").await;

    // Twice, as a publisher does that didn't hear the answer: each is stored once.
    for _ in 0..2 {
        assert_eq!(account.put_events(PUT_EVENTS).await.failed, 0);
    }
    let expected = sent();
    eventually("all events are stored", async || {
        let stored = every_page(&server, "", 50).await.len();
        if stored == expected.len() {
            Ok(())
        } else {
            Err(format!("{stored}; {}", account.output()))
        }
    })
    .await;

    // And counted, in the words of CloudWatch.
    eventually("the function measures", async || {
        let output = account.output();
        ["\"Namespace\":\"Cutover\"", "\"Processed\":", "\"Latency\":["]
            .iter()
            .all(|part| output.contains(part))
    })
    .await;

    // Whole, each of them, and newest first.
    let listed = every_page(&server, "", 7).await;
    let mut order: Vec<(i64, &str)> = expected
        .iter()
        .map(|event| (event.body["timestamp"].as_i64().expect("a time"), event.id.as_str()))
        .collect();
    order.sort_by(|a, b| b.cmp(a));
    let ids: Vec<&str> = listed.iter().map(|event| event["eventId"].as_str().expect("an id")).collect();
    assert_eq!(ids, order.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    for event in &expected {
        let found = listed
            .iter()
            .find(|found| found["eventId"] == event.id.as_str())
            .expect("it is listed");
        // An absent metadata and one that is null say the same.
        for (key, value) in event.body.as_object().expect("an object") {
            assert_eq!(&found[key], value, "{key} of {}", event.id);
        }
    }

    // They appear on the page that was open all the time, and on their own.
    browser.says("main table", "file.processed").await;
    browser.choose("select[name=type]", "account.deleted").await;
    browser.press("form.tools", "Filter").await;
    eventually("only those are listed", async || {
        let rows = browser.texts("main table tbody tr").await;
        let all = !rows.is_empty() && rows.iter().all(|row| row.contains("account.deleted"));
        if all {
            Ok(())
        } else {
            Err(format!("{}: {rows:?}", browser.address().await))
        }
    })
    .await;
    browser.click("main table tbody a[href^='/events/']").await;
    browser.says("section[aria-labelledby=deliveries-title]", "completed").await;
    browser.says("main", "account.deleted").await;
    browser.close().await;
}

/// As in the design's deployment: the rule invokes the function itself, without a queue between them.
#[tokio::test]
async fn a_rule_that_invokes_a_function_delivers_each_event_once() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let rule = json!({ "Rule": format!("{PREFIX}-audit"), "EventBusName": format!("{PREFIX}-events") });
    let targets = account.call("events", "list_targets_by_rule", &rule).await;
    let ids: Vec<&Value> = targets["Targets"]
        .as_array()
        .expect("targets")
        .iter()
        .map(|target| &target["Id"])
        .collect();
    let with = |key: &str, value: Value| {
        let mut asked = rule.clone();
        asked[key] = value;
        asked
    };
    account.call("events", "remove_targets", &with("Ids", json!(ids))).await;
    let arn = format!("arn:aws:lambda:{REGION}:000000000000:function:{PREFIX}-audit-consumer");
    account
        .call("events", "put_targets", &with("Targets", json!([{ "Id": "direct", "Arn": arn }])))
        .await;
    // A few, for each is a run of its own, all at once.
    let some: Vec<&str> = PUT_EVENTS.lines().take(SOME).collect();
    for _ in 0..2 {
        assert_eq!(account.put_events(&some.join("\n")).await.failed, 0);
    }
    let expected = some.len();
    eventually("all events are stored", async || {
        let stored = every_page(&server, "", 50).await.len();
        if stored == expected {
            Ok(())
        } else {
            Err(format!("{stored} of {expected}"))
        }
    })
    .await;
    settled(&server, expected).await;
    for event in sent().into_iter().take(SOME) {
        let outcome = outcome(&server, &event.id).await;
        assert_eq!(outcome["audit"], ("completed".to_owned(), 1), "{}: {outcome:?}", event.id);
    }
}

/// A type that nobody knows is carried whole, listed, and offered as a choice; what DynamoDB would write differently is not rewritten.
#[tokio::test]
async fn what_nobody_knows_is_carried_to_the_digit() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let detail = r#"{"eventId":"odd-1","eventVersion":"1.0","timestamp":1790000000000,"userId":"u-1","data":{"amount":12.50,"big":12345678901234567890123456789012345678901234567890,"e":1e3,"empty":"","tags":[]},"ttl":1999999999,"traceparent":{"id":7.0}}"#;
    // As the rule's target gets it: the emulator's own bus reads numbers and writes them anew.
    let delivered = format!(r#"{{"version":"0","id":"7","detail-type":"weather.changed","source":"weather.service","detail":{detail}}}"#);
    account.send("audit", &delivered).await;
    eventually("it is listed", async || every_page(&server, "", 10).await.len() == 1).await;
    let found = server.site.get("/api/v1/events/odd-1").await.expect(200);
    let text = found.text();
    for exact in [
        "12.50",
        "12345678901234567890123456789012345678901234567890",
        "1e3",
        r#""ttl":1999999999"#,
        r#""traceparent":{"id":7.0}"#,
    ] {
        assert!(text.contains(exact), "{exact} in {text}");
    }
    for query in ["type=weather.changed", "source=weather.service", "user=u-1", "q=EMPTY"] {
        let ids: Vec<Value> = every_page(&server, query, 10)
            .await
            .into_iter()
            .map(|event| event["eventId"].clone())
            .collect();
        assert_eq!(ids, [json!("odd-1")], "{query}");
    }
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.choose("select[name=type]", "weather.changed").await;
    browser.close().await;
}

/// What no index takes as a key, and a time that no calendar has, are stored and shown all the same.
#[tokio::test]
async fn what_is_odd_is_not_lost() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    for (id, timestamp, correlation) in [
        ("micro", 1_790_000_000_000_000_i64, "c-1"),
        ("past", -5, "c-1"),
        ("empty", 1_790_000_000_000, ""),
    ] {
        let detail = json!({ "eventId": id, "eventVersion": "1.0", "timestamp": timestamp, "userId": "u-1", "correlationId": correlation, "data": {} });
        let delivered = json!({ "detail-type": "file.processed", "source": "file.service", "detail": detail });
        account.send("audit", &delivered.to_string()).await;
    }
    eventually("all are listed", async || every_page(&server, "", 10).await.len() == 3).await;
    let ids: Vec<Value> = every_page(&server, "", 2)
        .await
        .into_iter()
        .map(|event| event["eventId"].clone())
        .collect();
    assert_eq!(ids, [json!("micro"), json!("empty"), json!("past")]);
    assert_eq!(server.site.json("/api/v1/events/empty").await["event"]["correlationId"], "");
    assert_eq!(every_page(&server, "correlation=c-1", 10).await.len(), 2);
    let browser = Browser::open(&server.site).await;
    for path in ["/events", "/events/micro", "/events/empty"] {
        browser.visit(path).await;
        browser.says("main", "file.processed").await;
    }
    browser.close().await;
}

/// The flags are changed in the browser, on the record, by everyone who looks at the same account.
#[tokio::test]
async fn a_flag_is_changed_for_every_instance() {
    let account = Account::deployed().await;
    let (server, other) = (Setup::new().over(&account).start().await, Setup::new().over(&account).start().await);
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    browser.says("[aria-label=Stage]", "Shadow").await;
    let row = "table.flags tbody tr:first-child";
    browser.click(&format!("{row} summary")).await;
    browser
        .click(&format!("{row} label.choice:has(input[value=\"direct only\"])"))
        .await;
    browser.type_into("#flag-reason-global", "rehearsing the rollback").await;
    browser.click(&format!("{row} label.choice:has(input[name=confirmed])")).await;
    browser.click(&format!("{row} button.main")).await;
    browser.says(".said-done", "“direct only”").await;
    browser
        .says("section[aria-labelledby=history-title]", "rehearsing the rollback")
        .await;

    let flags = other.site.json("/api/v1/flags").await;
    assert_eq!(
        flags["items"][0]["flags"],
        json!({ "publishing": false, "direct": true }),
        "{flags}"
    );
    let stale = json!({ "publishing": true, "direct": true, "reason": "an old page", "expected_version": 0 });
    other.site.put("/api/v1/flags", &stale).await.error(409, "conflict");
    let activity = server.site.json("/api/v1/activity").await;
    let deeds = activity["items"].as_array().expect("items");
    assert_eq!(deeds.len(), 2, "what was done and what was refused: {activity}");
    browser.visit("/activity").await;
    browser.says("table", "rehearsing the rollback").await;

    // The overview shows what it can, and says what it can't.
    browser.visit("/").await;
    browser.says("section[aria-label=Verdict]", "direct only").await;
    browser.says("section[aria-label=Charts]", "direct only").await;
    browser.close().await;
}
