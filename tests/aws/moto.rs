//! Reading against a second emulator, moto: what the first lets pass, this one may not. Its CloudWatch doesn't speak the protocol of the
//! current SDK, which is a source that doesn't answer: it is named, and the rest goes on.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::browser::Browser;
use tests::data::{DLQ_MESSAGES, EVENT_STORE_ITEMS};
use tests::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use tests::server::{Cutover, Setup, command, run};
use tests::wait::eventually;

use crate::every_page;
use crate::redrive::{ended, letters, start};

/// A deployment as far as moto has one: tables, queues, rules, and a function that is never run.
async fn deployed() -> Account {
    let account = Account::moto().await;
    init(&account).await;
    account.call("dynamodb", "create_table", &event_store()).await;
    account.put_items(EVENT_STORE_ITEMS).await;
    for queue in ["event-dlq", "audit", "audit-dlq"] {
        let name = json!({ "QueueName": format!("{PREFIX}-{queue}") });
        account.call("sqs", "create_queue", &name).await;
    }
    let bus = format!("{PREFIX}-events");
    account.call("events", "create_event_bus", &json!({ "Name": bus })).await;
    let rule = format!("{PREFIX}-audit");
    let everything = json!({ "source": [{ "prefix": "" }] }).to_string();
    let put = json!({ "Name": rule, "EventBusName": bus, "EventPattern": everything, "State": "ENABLED" });
    account.call("events", "put_rule", &put).await;
    let target = json!({ "Id": "audit", "Arn": format!("arn:aws:sqs:{REGION}:123456789012:{PREFIX}-audit") });
    let put = json!({ "Rule": rule, "EventBusName": bus, "Targets": [target] });
    account.call("events", "put_targets", &put).await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let role = json!({ "RoleName": "publisher", "AssumeRolePolicyDocument": trust });
    account.call("iam", "create_role", &role).await;
    account
}

/// `cutover aws init`, which makes Cutover's own tables.
async fn init(account: &Account) {
    let directory = TempDir::new().expect("a directory");
    let mut init = command(directory.path(), ["aws", "init", "--yes"]);
    init.envs(CREDENTIALS).envs([
        ("CUTOVER_AWS__ENDPOINT", account.endpoint()),
        ("CUTOVER_AWS__REGION", REGION),
        ("CUTOVER_AWS__PREFIX", PREFIX),
    ]);
    let made = run(init).await;
    assert_eq!(made.code, Some(0), "{made:?}");
}

/// As the template has it.
fn event_store() -> Value {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": if name == "timestamp" { "N" } else { "S" } });
    let key = |hash: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": "timestamp", "KeyType": "RANGE" }]);
    let index =
        |(name, hash): (&str, &str)| json!({ "IndexName": name, "KeySchema": key(hash), "Projection": { "ProjectionType": "ALL" } });
    let indexes = [
        ("UserIdTimestampIndex", "userId"),
        ("EventTypeTimestampIndex", "eventType"),
        ("SourceTimestampIndex", "source"),
        ("CorrelationIdTimestampIndex", "correlationId"),
    ];
    let attributes = ["eventId", "timestamp", "userId", "eventType", "source", "correlationId"].map(attribute);
    json!({
        "TableName": format!("{PREFIX}-event-store"),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": key("eventId"),
        "GlobalSecondaryIndexes": indexes.map(index),
    })
}

/// The items that were put, and what of them fits, newest first.
fn expected(fits: impl Fn(&Value) -> bool) -> Vec<String> {
    let items = EVENT_STORE_ITEMS
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an item"));
    let mut found: Vec<(i64, String)> = items
        .filter(fits)
        .map(|item| {
            (
                item["timestamp"].as_i64().expect("a time"),
                item["eventId"].as_str().expect("an id").to_owned(),
            )
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, id)| id).collect()
}

async fn listed(server: &Cutover, query: &str, limit: u32) -> Vec<String> {
    let found = every_page(server, query, limit).await;
    found
        .iter()
        .map(|event| event["eventId"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn events_are_listed_filtered_and_shown() {
    let account = deployed().await;
    let server = Setup::new().over(&account).start().await;
    let one: Value = serde_json::from_str(EVENT_STORE_ITEMS.lines().next().expect("an item")).expect("an item");
    let text = |key: &str| one[key].as_str().expect(key).to_owned();
    let at = one["timestamp"].as_i64().expect("a time");
    let by = |key: &'static str| {
        let value = one[key].clone();
        expected(move |item| item[key] == value)
    };
    let cases = [
        (String::new(), expected(|_| true)),
        (format!("user={}", text("userId")), by("userId")),
        (format!("source={}", text("source")), by("source")),
        (format!("type={}", text("eventType")), by("eventType")),
        (format!("correlation={}", text("correlationId")), by("correlationId")),
        (format!("q={}", &text("eventId")[..13]), by("eventId")),
        (format!("from={at}"), expected(|item| item["timestamp"].as_i64() >= Some(at))),
        (format!("to={at}"), expected(|item| item["timestamp"].as_i64() < Some(at))),
        ("user=nobody".to_owned(), Vec::new()),
    ];
    for (query, expected) in cases {
        for limit in [7, 200] {
            assert_eq!(listed(&server, &query, limit).await, expected, "{query}, {limit} a page");
        }
    }
    let id = text("eventId");
    let event = server.site.json(format!("/api/v1/events/{id}")).await["event"].clone();
    assert_eq!((&event["data"], &event["userId"]), (&one["eventData"], &one["userId"]));

    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main table", "file.processed").await;
    browser.visit(&format!("/events?user={}", text("userId"))).await;
    eventually("only the user's are listed", async || {
        browser.texts("main table tbody tr").await.len() == by("userId").len()
    })
    .await;
    browser.visit(&format!("/events/{id}")).await;
    browser.says("main", &id).await;
    browser.close().await;
}

#[tokio::test]
async fn types_that_nothing_tells_of_are_found_in_the_store() {
    crate::adopted::lists_every_type(&deployed().await).await;
}

#[tokio::test]
async fn letters_are_taken_over_shown_and_set_aside() {
    let account = deployed().await;
    let server = Setup::new().over(&account).start().await;
    let lines: Vec<&str> = DLQ_MESSAGES
        .lines()
        .filter(|line| {
            let message: Value = serde_json::from_str(line).expect("a message");
            message["body"].as_str().is_some_and(crate::letters::taken_by_sqs)
        })
        .collect();
    account.send_all("event-dlq", &lines.join("\n")).await;
    eventually("all are taken over", async || {
        let (there, waiting) = (letters(&server, "").await.len(), account.messages("event-dlq").await);
        if there == lines.len() && waiting == 0 {
            Ok(())
        } else {
            Err(format!("{there} of {}, {waiting} in the queue", lines.len()))
        }
    })
    .await;
    let all = letters(&server, "").await;
    let ids: BTreeSet<String> = all.iter().map(|letter| letter["id"].to_string()).collect();
    assert_eq!(ids.len(), lines.len());
    let consumers: BTreeSet<&str> = all.iter().filter_map(|letter| letter["consumer"].as_str()).collect();
    assert!(consumers.contains("analytics"), "{consumers:?}");
    let wish = json!({ "kind": "discard", "select": { "filter": { "error": "Unreadable" } }, "reason": "a test" });
    let unreadable = letters(&server, "error=Unreadable").await.len();
    let ended = ended(&server, &start(&server, &wish).await).await;
    assert_eq!(ended["succeeded"], unreadable, "{ended}");
    assert_eq!(letters(&server, "status=discarded").await.len(), unreadable);

    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.says("table.letters", "analytics").await;
    browser.click("table.letters a[href^='/dead-letters/']").await;
    browser.says(".kv", "Failed in").await;
    browser.visit("/operations").await;
    browser.says("main", "a test").await;
    browser.close().await;
}

#[tokio::test]
async fn flags_are_set_and_read_and_what_is_done_is_on_the_record() {
    let account = deployed().await;
    let variables = json!({ "TABLE": "files", "ENABLE_DIRECT_TRIGGERS": "true" });
    account.function("file-processor", &variables).await;
    let functions = json!([format!("{PREFIX}-file-processor")]).to_string();
    let server = Setup::new()
        .over(&account)
        .env("CUTOVER_AWS__FLAG_FUNCTIONS", functions)
        .start()
        .await;
    let wish = json!({ "publishing": true, "direct": false, "reason": "the target", "expected_version": 0 });
    server.site.put("/api/v1/flags", &wish).await.expect(200);
    server.site.put("/api/v1/flags", &wish).await.error(409, "conflict");
    let flags = server.site.json("/api/v1/flags").await;
    assert_eq!(
        flags["items"][0]["flags"],
        json!({ "publishing": true, "direct": false }),
        "{flags}"
    );
    assert_eq!(flags["history"].as_array().map(Vec::len), Some(1), "{flags}");
    let written = account.environment("file-processor").await;
    assert_eq!(
        (
            &written["TABLE"],
            &written["ENABLE_DIRECT_TRIGGERS"],
            &written["ENABLE_EVENT_PUBLISHING"]
        ),
        (&json!("files"), &json!("false"), &json!("true"))
    );
    let activity = server.site.json("/api/v1/activity").await;
    assert_eq!(activity["items"].as_array().map(Vec::len), Some(2), "{activity}");
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    browser.says("section[aria-labelledby=history-title]", "the target").await;
    browser.visit("/activity").await;
    browser.says("table", "the target").await;
    browser.close().await;
}

#[tokio::test]
async fn measurements_that_can_not_be_read_are_named_and_the_rest_goes_on() {
    let account = deployed().await;
    let check = Setup::new().over(&account).check().await;
    assert_eq!(check.code, Some(1), "functions are missing: {check:?}");
    for words in [
        "cloudwatch:DescribeAlarms",
        "there is no function t-1-audit-consumer",
        "t-1-audit-dlq",
    ] {
        assert!(check.stdout.contains(words), "{words}: {check:?}");
    }
    let server = Setup::new().over(&account).start().await;
    let findings = server.site.json("/api/v1/findings").await;
    assert!(findings.to_string().contains("cloudwatch:"), "{findings}");
    let consumers = server.site.json("/api/v1/consumers").await;
    assert!(
        consumers["unanswered"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("CloudWatch"))),
        "{consumers}"
    );
    for consumer in consumers["items"].as_array().expect("consumers") {
        let known = ["processed", "failed", "per_minute", "p99"].map(|key| &consumer[key]);
        assert_eq!((&consumer["health"], known), (&json!("unknown"), [&Value::Null; 4]), "{consumer}");
        assert!(consumer["dead_letters"].is_u64(), "the letters are known: {consumer}");
    }
    let overview = server.site.json("/api/v1/overview").await;
    assert_eq!(overview["criteria"].as_array().map(Vec::len), Some(6), "{overview}");
    let browser = Browser::open(&server.site).await;
    for (path, css, words) in [
        ("/", "main", "CloudWatch"),
        ("/", "section[aria-label=Verdict]", "criteria"),
        ("/consumers", "main", "CloudWatch"),
        ("/consumers", "table.consumers", "unknown"),
        ("/consumers/analytics", "section[aria-label=Charts]", "Not known"),
        ("/consumers/analytics", "section[aria-label='At a glance']", "Dead letters"),
        ("/findings", "section.findings", "cloudwatch:DescribeAlarms"),
        ("/findings", "section.checks", "Rules and their targets"),
    ] {
        browser.open_path(path).await;
        browser.says(css, words).await;
    }
    browser.close_but_for(|complaint| complaint.contains("503")).await;
}
