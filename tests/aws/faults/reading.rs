//! Reading while a service fails: what needs it is an error or is marked as old, the rest goes on, and it is read again by itself.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::data::EVENT_STORE_ITEMS;
use tests::deployment::Account;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use super::fails;
use crate::redrive::{there_are, updated};

/// What can't be had without DynamoDB.
const OF_TABLES: [&str; 7] = [
    "/api/v1/events",
    "/api/v1/dead-letters",
    "/api/v1/dead-letters/groups",
    "/api/v1/operations",
    "/api/v1/flags",
    "/api/v1/parity",
    "/api/v1/activity",
];
/// What is put together from several services, and has what answers.
const OF_SEVERAL: [&str; 4] = ["/api/v1/overview", "/api/v1/consumers", "/api/v1/findings", "/api/openapi.json"];
/// The longest that an answer may take, whatever fails: a call to a service takes eight seconds at most.
const ANSWERS_WITHIN: Duration = Duration::from_secs(18);
/// The same of a look at the whole deployment: calls one after the other.
const LOOKS_WITHIN: Duration = Duration::from_secs(60);

/// What each path answers, all asked at once.
async fn statuses(server: &Cutover) -> Vec<(&'static str, u16)> {
    let all = OF_TABLES.into_iter().chain(OF_SEVERAL).map(async |path| {
        let began = Instant::now();
        let reply = server.site.get(path).await;
        let limit = if path.ends_with("/findings") {
            LOOKS_WITHIN
        } else {
            ANSWERS_WITHIN
        };
        assert!(began.elapsed() < limit, "{path} took {:?}", began.elapsed());
        match reply.status {
            200 => {}
            503 => assert!(!reply.error(503, "unavailable").is_empty()),
            other => panic!("{path} answers {other}: {}", reply.text()),
        }
        (path, reply.status)
    });
    join_all(all).await
}

/// Waits until what needs the tables is an error, or none is, and the rest is there.
async fn until(server: &Cutover, tables: u16) {
    eventually(&format!("the tables' paths answer {tables}"), async || {
        let said = statuses(server).await;
        let as_wanted = said
            .iter()
            .all(|(path, status)| *status == if OF_TABLES.contains(path) { tables } else { 200 });
        if as_wanted { Ok(()) } else { Err(format!("{said:?}")) }
    })
    .await;
}

async fn read(account: &Account, between: &Between) -> Cutover {
    account.put_items(EVENT_STORE_ITEMS).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    until(&server, 200).await;
    server
}

#[tokio::test]
async fn what_needs_a_service_that_fails_is_an_error_and_the_rest_goes_on() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    for (service, fate) in [
        ("dynamodb", Fate::Refused(500, "InternalServerError")),
        ("dynamodb", Fate::Refused(400, "ThrottlingException")),
        ("dynamodb", Fate::Refused(400, "ExpiredTokenException")),
        ("dynamodb", Fate::Torn),
        ("sqs", Fate::Refused(503, "ServiceUnavailable")),
        ("lambda", Fate::Refused(429, "TooManyRequestsException")),
        ("events", Fate::Refused(400, "ExpiredTokenException")),
        ("monitoring", Fate::Refused(503, "ServiceUnavailable")),
    ] {
        let before = between.calls_of(service);
        between.set(fails(service, fate));
        until(&server, if service == "dynamodb" { 503 } else { 200 }).await;
        // CloudWatch is asked each minute, and of what EventBridge says much is kept for a while.
        if ["dynamodb", "sqs", "lambda"].contains(&service) {
            eventually(&format!("{service} was asked"), async || {
                statuses(&server).await;
                between.calls_of(service) > before
            })
            .await;
        }
        between.heal();
        until(&server, 200).await;
    }
    // What is read now is what there is now.
    let items = server.site.json("/api/v1/events?limit=500").await;
    assert_eq!(items["items"].as_array().map(Vec::len), Some(EVENT_STORE_ITEMS.lines().count()));
}

#[tokio::test]
async fn a_service_that_says_nothing_holds_no_answer_up_for_long() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    for service in ["dynamodb", "lambda"] {
        between.set(fails(service, Fate::Silence(Duration::from_secs(60))));
        until(&server, if service == "dynamodb" { 503 } else { 200 }).await;
        between.heal();
        until(&server, 200).await;
    }
}

/// Half a page of what some events are is not a page.
#[tokio::test]
async fn entries_that_a_call_leaves_over_are_asked_for_again() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    let messages: Vec<String> = (0..5).map(|n| json!({ "body": updated(&format!("e-{n}")) }).to_string()).collect();
    account.send_all("analytics-dlq", &messages.join("\n")).await;
    let all = there_are(&server, "", 5).await;
    let ids: Vec<&Value> = all.iter().map(|letter| &letter["id"]).collect();
    between.set_by_body(super::first(2, |call, _| call.operation == "BatchGetItem", Fate::InPart));
    let wish = json!({ "kind": "discard", "select": { "ids": ids }, "reason": "a test", "dry_run": true });
    let dry = server.site.post("/api/v1/operations", &wish).await;
    assert!(between.calls("BatchGetItem") >= 3, "{}", dry.text());
    assert_eq!(dry.json()["total"], 5, "{}", dry.text());
}

/// One table of many: what needs it is an error, and the rest of the page goes on.
#[tokio::test]
async fn one_table_that_fails_takes_no_more_with_it_than_needs_it() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    for (table, name, lost) in [
        ("event-store", "", vec!["/api/v1/events"]),
        (
            "cutover-letters",
            "the letters table",
            vec!["/api/v1/dead-letters", "/api/v1/dead-letters/groups"],
        ),
        ("cutover-operations", "the operations table", vec!["/api/v1/operations"]),
        ("cutover-triggers", "the trigger ledger", vec!["/api/v1/parity"]),
        ("cutover-activity", "", vec!["/api/v1/activity"]),
    ] {
        between.set_by_body(move |_, body| {
            if body.contains(&format!("-{table}\"")) {
                Fate::Refused(400, "ProvisionedThroughputExceededException")
            } else {
                Fate::Answered
            }
        });
        eventually(&format!("without {table} only {lost:?} are missing"), async || {
            let missing: Vec<&str> = statuses(&server)
                .await
                .into_iter()
                .filter_map(|(path, status)| (status == 503).then_some(path))
                .collect();
            if missing == lost { Ok(()) } else { Err(format!("{missing:?}")) }
        })
        .await;
        eventually(&format!("the overview says what it misses without {table}"), async || {
            let said = server.site.json("/api/v1/overview").await["unanswered"].clone();
            let named = said.as_array().is_some_and(|names| names.contains(&json!(name)));
            // The events themselves, and who did what, are no part of the overview.
            if named || name.is_empty() { Ok(()) } else { Err(said.to_string()) }
        })
        .await;
        between.heal();
        until(&server, 200).await;
    }
}

#[tokio::test]
async fn without_the_flags_table_the_overview_goes_on() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    between.set_by_body(|_, body| {
        if body.contains("-cutover-flags\"") {
            Fate::Refused(400, "ThrottlingException")
        } else {
            Fate::Answered
        }
    });
    eventually("the flags are missing", async || {
        server.site.get("/api/v1/flags").await.status == 503
    })
    .await;
    eventually("the overview is there without the stage, and says why", async || {
        let reply = server.site.get("/api/v1/overview").await;
        let body = reply.json();
        if reply.status == 200 && body["stage"].is_null() && body["unanswered"] == json!(["the flags table"]) {
            Ok(())
        } else {
            Err(reply.text())
        }
    })
    .await;
}

/// Unknown is not zero, and not "runs".
#[tokio::test]
async fn what_is_not_known_of_a_consumer_is_not_made_up() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = read(&account, &between).await;
    account.send("analytics-dlq", &updated("e-1")).await;
    there_are(&server, "", 1).await;
    let stop = json!({ "paused": true, "reason": "a test" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop).await.expect(200);
    let seen = async || {
        let answer = server.site.json("/api/v1/consumers").await;
        let all = answer["items"].as_array().expect("consumers").clone();
        let one = all.into_iter().find(|c| c["name"] == "analytics").expect("it is there");
        let known = ["paused", "dead_letters", "in_flight"].map(|key| one[key].clone());
        (known, answer["unanswered"].clone())
    };
    let all_known = ([json!(true), json!(1), json!(0)], json!([]));
    eventually("all is known", async || seen().await == all_known).await;
    for (service, part, source) in [("lambda", 0, "Lambda"), ("dynamodb", 1, "the letters table"), ("sqs", 2, "SQS")] {
        between.set(fails(service, Fate::Refused(400, "ThrottlingException")));
        let mut expected = all_known.clone();
        expected.0[part] = Value::Null;
        expected.1 = json!([source]);
        eventually(
            &format!("without {service} {source} can't be read, and all else is as it was"),
            async || {
                let now = seen().await;
                let made_up = now.0.iter().zip(&all_known.0).any(|(is, was)| !is.is_null() && is != was);
                assert!(!made_up, "without {service}: {now:?}");
                if now == expected { Ok(()) } else { Err(format!("{now:?}")) }
            },
        )
        .await;
        between.heal();
        eventually("all is known again", async || seen().await == all_known).await;
    }
}
