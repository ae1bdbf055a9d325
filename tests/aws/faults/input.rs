//! Bad input: a wrong region, an endpoint that speaks something else, the largest letter, and what lacks attributes. Each is named, or shown
//! as far as it goes; the rest goes on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::data::{DLQ_MESSAGES, EVENT_STORE_ITEMS};
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use crate::every_page;
use crate::redrive::{delivered, ended, letters, start, there_are, updated};

/// What SQS took at most for many years, bytes.
const LARGEST: usize = 256 * 1024;

#[tokio::test]
async fn a_wrong_region_is_named_and_the_pages_say_what_is_missing() {
    let account = Account::deployed().await;
    let setup = || Setup::new().over(&account).env("CUTOVER_AWS__REGION", "eu-central-1");
    let check = setup().check().await;
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(
        check.stdout.contains("there is no table t-1-event-store in eu-central-1"),
        "{check:?}"
    );
    let server = setup().start().await;
    nothing_is_read(&server).await;
}

#[tokio::test]
async fn an_endpoint_that_speaks_something_else_is_named_on_the_pages() {
    let other = Setup::new().start().await;
    let server = Setup::new().at(other.ingest.base()).start().await;
    nothing_is_read(&server).await;
    let findings = server.site.json("/api/v1/findings").await.to_string();
    assert!(findings.contains("What answers is not the service"), "{findings}");
}

/// A list that no index serves is put together of those that there are; where none would do, that is named, and the rest goes on.
#[tokio::test]
async fn an_index_that_is_missing_is_named_and_the_rest_goes_on() {
    let account = Account::deployed().await;
    account.put_items(EVENT_STORE_ITEMS).await;
    let remove = async |index: &str| {
        let deleted = json!({
            "TableName": format!("{PREFIX}-event-store"),
            "GlobalSecondaryIndexUpdates": [{ "Delete": { "IndexName": index } }],
        });
        account.call("dynamodb", "update_table", &deleted).await;
    };
    let first: Value = serde_json::from_str(EVENT_STORE_ITEMS.lines().next().expect("an item")).expect("JSON");
    let of_user = format!("user={}", first["userId"].as_str().expect("a user"));
    let server = Setup::new().over(&account).start().await;
    let whole = every_page(&server, &of_user, 100).await;
    server.terminate().await;
    remove("UserIdTimestampIndex").await;
    let server = Setup::new().over(&account).start().await;
    assert!(!whole.is_empty());
    assert_eq!(every_page(&server, &of_user, 100).await, whole, "by types instead");
    server.terminate().await;

    remove("EventTypeTimestampIndex").await;
    let server = Setup::new().over(&account).start().await;
    let id = first["eventId"].as_str().expect("an id");
    server.site.get(format!("/api/v1/events/{id}")).await.expect(200);
    let by_source = format!("source={}", first["source"].as_str().expect("a source"));
    assert!(!every_page(&server, &by_source, 100).await.is_empty(), "another index serves it");
    let browser = Browser::open(&server.site).await;
    browser.open_path("/events").await;
    browser
        .says("main", "t-1-event-store has no global index over eventType and timestamp")
        .await;
    let alone = EVENT_STORE_ITEMS
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let alone = alone
        .into_iter()
        .find(|item| !item["correlationId"].is_string())
        .expect("one without a correlation");
    browser
        .visit(&format!("/events/{}", alone["eventId"].as_str().expect("an id")))
        .await;
    browser
        .says("section[aria-labelledby=chain-title]", "has no global index over userId")
        .await;
    browser.visit("/").await;
    browser.says("main", "criteria pass").await;
    browser.open_path("/findings").await;
    browser
        .says("main", "No global index of the table is over eventType and timestamp")
        .await;
    browser
        .says("main", "No global index of the table is over userId and timestamp")
        .await;
    browser
        .close_but_for(|complaint| complaint.contains("501") || complaint.contains("503"))
        .await;
}

/// Every page is there, and says that its store isn't.
async fn nothing_is_read(server: &Cutover) {
    server.site.get("/healthz").await.expect(200);
    server.site.get("/readyz").await.expect(503);
    server.site.get("/api/v1/events").await.error(503, "unavailable");
    let browser = Browser::open(&server.site).await;
    for path in ["/", "/events", "/dead-letters", "/operations", "/cutover", "/activity"] {
        browser.open_path(path).await;
        eventually(&format!("{path} says what is missing"), async || {
            let said = browser.text("main").await;
            let named = ["does not answer", "does not offer", "not known"];
            if named.iter().any(|words| said.to_lowercase().contains(words)) {
                Ok(())
            } else {
                Err(said)
            }
        })
        .await;
    }
    browser.open_path("/findings").await;
    browser.present("section.findings").await;
    browser
        .close_but_for(|complaint| complaint.contains("503") || complaint.contains("501"))
        .await;
}

#[tokio::test]
async fn the_largest_letter_is_taken_over_shown_and_redriven() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let of = |text: &str| {
        let data = json!({ "transactionId": "t", "accountId": "a", "changes": [], "note": text });
        delivered("large-1", "transaction.updated", &data)
    };
    let body = of(&"x".repeat(LARGEST - of("").len()));
    assert_eq!(body.len(), LARGEST);
    account.send_all("audit-dlq", &json!({ "body": body }).to_string()).await;
    let letter = there_are(&server, "", 1).await.remove(0);
    let id = letter["id"].as_str().expect("an id");
    let whole = server.site.json(format!("/api/v1/dead-letters/{id}")).await["body"].clone();
    assert_eq!(whole.as_str().map(str::len), Some(LARGEST));
    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.says("table.letters", "transaction.updated").await;
    browser.visit(&format!("/dead-letters/{id}")).await;
    browser.says(".kv", "Failed in").await;
    browser.says("main", "xxxxxxxx").await;
    let wish = json!({ "kind": "redrive", "select": { "ids": [id] }, "reason": "a test" });
    let ended = ended(&server, &start(&server, &wish).await).await;
    assert_eq!(ended["succeeded"], 1, "{ended}");
    browser.visit("/events/large-1").await;
    browser.says("main", "transaction.updated").await;
    browser.close().await;
    let stored = server.site.json("/api/v1/events/large-1").await;
    assert_eq!(
        stored["event"]["data"]["note"].as_str().map(str::len),
        Some(LARGEST - of("").len()),
        "whole"
    );
}

/// A letter of a function's own is the event without an envelope, which it needs again to be sent back.
#[tokio::test]
async fn the_largest_event_without_an_envelope_is_sent_back_or_said_to_be_too_large() {
    let account = Account::deployed().await;
    account.takes("audit", LARGEST).await;
    let server = Setup::new().over(&account).start().await;
    let of = |text: &str| {
        let mut event = tests::event::of(
            "transaction.updated",
            "transaction.service",
            &json!({ "changes": [], "note": text }),
        );
        event["eventId"] = json!("bare-1");
        event.to_string()
    };
    let body = of(&"x".repeat(LARGEST - of("").len()));
    account.send_all("audit-dlq", &json!({ "body": body }).to_string()).await;
    let letter = there_are(&server, "", 1).await.remove(0);
    // One that fits is not kept from being sent by one that doesn't.
    account.send("audit-dlq", &updated("fits-1")).await;
    let fits = there_are(&server, "q=fits-1", 1).await.remove(0);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"], fits["id"]] }, "reason": "a test" });
    let id = start(&server, &wish).await;
    let over = ended(&server, &id).await;
    assert_eq!((&over["failed"], &over["succeeded"]), (&json!(1), &json!(1)), "{over}");
    let detail = server.site.json(format!("/api/v1/operations/{id}")).await;
    assert!(detail["items"].to_string().contains("InvalidParameterValue"), "{detail}");
    there_are(&server, "status=open", 1).await;

    // The queue is allowed what SQS takes today.
    account.takes("audit", 1_024 * 1_024).await;
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    let over = ended(&server, &start(&server, &wish).await).await;
    assert_eq!(over["succeeded"], 1, "{over}");
}

/// What no table can have as a key takes nothing with it, and isn't lost.
#[tokio::test]
async fn ids_that_are_too_long_are_given_up_alone() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let long = "x".repeat(3_000);
    let messages = [&long, "short-1", "short-2"].map(|id| json!({ "body": updated(id) }).to_string());
    account.send_all("analytics-dlq", &messages.join("\n")).await;
    there_are(&server, "consumer=analytics", 3).await;

    let event = |id: &str, cause: Option<&str>| {
        let mut event = tests::event::updated();
        event["eventId"] = json!(id);
        event["causationId"] = json!(cause);
        tests::event::entry(&event).to_string()
    };
    let entries = [event(&long, None), event("caused-1", Some(&long))];
    assert_eq!(account.put_events(&entries.join("\n")).await.failed, 0);
    let stored = "/api/v1/events/caused-1";
    eventually("the one is stored", async || server.site.get(stored).await.status == 200).await;
    // From the bus: of each consumer that it is for.
    let letters = there_are(&server, "consumer=audit", 1).await;
    assert!(
        letters[0]["error_message"].as_str().is_some_and(|said| said.contains("3000 bytes")),
        "{letters:#?}"
    );
    there_are(&server, "consumer=analytics", 4).await;
}

/// Each shape without each of its attributes, or without the fields of its body: one letter each, and no two take each other's place.
#[tokio::test]
async fn letters_that_lack_attributes_are_kept_as_far_as_they_go() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let shapes = DLQ_MESSAGES
        .lines()
        .take(3)
        .map(|line| serde_json::from_str::<Value>(line).expect("a message"));
    let mut sent = Vec::new();
    for message in shapes {
        let attributes = message["attributes"].as_object().cloned().unwrap_or_default();
        for left_out in attributes.keys() {
            let mut less = message.clone();
            less["attributes"].as_object_mut().expect("attributes").remove(left_out);
            sent.push(less.to_string());
        }
        let mut bare = message.clone();
        bare["attributes"] = json!({});
        sent.push(bare.to_string());
        let body: Value = serde_json::from_str(message["body"].as_str().expect("a body")).expect("JSON");
        for left_out in body.as_object().expect("an object").keys() {
            let mut less = body.clone();
            less.as_object_mut().expect("an object").remove(left_out);
            let mut message = message.clone();
            message["body"] = json!(less.to_string());
            sent.push(message.to_string());
        }
    }
    account.send_all("event-dlq", &sent.join("\n")).await;
    let all = there_are(&server, "", sent.len()).await;
    eventually("the queue is empty", async || account.messages("event-dlq").await == 0).await;
    assert_eq!(letters(&server, "").await.len(), sent.len());
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for letter in &all {
        let text = |key: &str| letter[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("error_code").is_empty() && !text("error_message").is_empty(), "{letter}");
        assert!(!text("consumer").is_empty(), "{letter}");
        *codes.entry(text("error_code")).or_default() += 1;
        server.site.get(format!("/api/v1/dead-letters/{}", text("id"))).await.expect(200);
    }
    assert!(codes.contains_key("Unreadable") && codes.len() > 2, "{codes:?}");
    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.says("#groups-title", &format!("{} open", sent.len())).await;
    browser.close().await;
}

/// What an event can't be without; the rest of an item may be missing.
const NEEDED: [&str; 5] = ["eventType", "eventVersion", "source", "userId", "eventData"];

/// Items of the event store, each without one attribute, which its id names; puts them there.
async fn lacking(account: &Account) -> Vec<String> {
    let whole: Value = serde_json::from_str(tests::data::EVENT_STORE_ITEMS.lines().next().expect("an item")).expect("an item");
    let fields = whole.as_object().expect("an object").keys();
    let fields: Vec<String> = fields
        .filter(|field| !["eventId", "timestamp"].contains(&field.as_str()))
        .cloned()
        .collect();
    let items: Vec<String> = fields
        .iter()
        .map(|left_out| {
            let mut less = whole.clone();
            less.as_object_mut().expect("an object").remove(left_out);
            less["eventId"] = json!(format!("without-{left_out}"));
            less.to_string()
        })
        .collect();
    account.put_items(&items.join("\n")).await;
    fields
}

#[tokio::test]
async fn events_that_lack_what_they_can_do_without_are_listed_and_the_others_take_nothing_with_them() {
    let account = Account::deployed().await;
    let fields = lacking(&account).await;
    let server = Setup::new().over(&account).start().await;
    let listed = every_page(&server, "", 3).await;
    let ids: Vec<&str> = listed.iter().filter_map(|event| event["eventId"].as_str()).collect();
    for field in fields.iter().filter(|field| !NEEDED.contains(&field.as_str())) {
        let id = format!("without-{field}");
        assert!(ids.contains(&id.as_str()), "{id} is not listed: {ids:?}");
        server.site.get(format!("/api/v1/events/{id}")).await.expect(200);
    }
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main table", "file.processed").await;
    browser.close().await;
}

#[tokio::test]
async fn events_that_lack_what_they_need_are_found() {
    let account = Account::deployed().await;
    lacking(&account).await;
    let server = Setup::new().over(&account).start().await;
    // What is met when events are listed is found from then on; without a type it is in no list but those by source and by user.
    let whole: Value = serde_json::from_str(tests::data::EVENT_STORE_ITEMS.lines().next().expect("an item")).expect("an item");
    let by_user = format!("user={}", whole["userId"].as_str().expect("a user"));
    let mut listed = String::new();
    for query in ["", &by_user] {
        listed.push_str(&Value::Array(every_page(&server, query, 50).await).to_string());
    }
    let findings = server.site.json("/api/v1/findings").await.to_string();
    for field in NEEDED {
        let id = format!("without-{field}");
        assert!(listed.contains(&id) || findings.contains(&id), "{id}: {findings}");
    }
}
