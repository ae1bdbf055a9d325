//! A service that is down for a while: nothing is lost, nothing is doubled, and the page recovers by itself.

use std::time::{Duration, Instant};

use pipeline::event::Event;
use pipeline::ports::PublishError;
use pipeline::publisher::{Published, Publisher};
use serde_json::json;
use tests::account::settled;
use tests::between::{Between, Fate};
use tests::browser::Browser;
use tests::deployment::Account;
use tests::event;
use tests::server::{Cutover, Setup};
use tests::wait::{PATIENCE, eventually, within};

use super::fails;
use super::functions::{completed_once, data_loss, some};
use super::page::{new_again, old, said_in_time};
use crate::publish::connected;
use crate::redrive::{ended, letters, start};

/// How long DynamoDB is away: longer than any pause between two tries.
const MINUTES: Duration = Duration::from_secs(120);
/// How long each other service is.
const MINUTE: Duration = Duration::from_secs(60);
/// For how long what is away may seem to be there, where a busy machine keeps a page from being read.
const LAPSE: Duration = Duration::from_secs(8);
/// Events of each kind, sent before, while and after a service is down.
const EACH: usize = 2;

/// A deployment whose functions and dashboard call their services through the same thing between.
async fn behind(between: &Between) -> (Account, Cutover) {
    let account = Account::idle_behind(between).await;
    for queue in ["analytics", "categorization", "notification", "audit"] {
        // Longer than a function has a message in its hands, as the template has it: else two have it.
        account.comes_again_after(queue, 4).await;
        account.comes_again_after(&format!("{queue}-dlq"), 1).await;
    }
    let server = Setup::new().at(between.endpoint()).start().await;
    (account, server)
}

async fn put(account: &Account, all: &mut Vec<String>) {
    let (entries, ids) = some(EACH);
    all.extend(ids);
    assert_eq!(account.put_events(&entries).await.failed, 0);
}

/// Redrives what was given up, until nothing is.
async fn redrive_all(server: &Cutover) {
    eventually("nothing is a dead letter any more", async || {
        let open = letters(server, "status=open").await;
        if !open.is_empty() {
            let wish = json!({ "kind": "redrive", "select": { "filter": { "status": "open" } }, "reason": "it is back" });
            let id = start(server, &wish).await;
            ended(server, &id).await;
        }
        let left = letters(server, "status=open").await.len() + letters(server, "status=redriving").await.len();
        if left == 0 { Ok(()) } else { Err(left.to_string()) }
    })
    .await;
}

/// Published is completed and dead-lettered, with nothing in flight.
async fn adds_up(server: &Cutover, all: &[String]) {
    settled(server, all.len()).await;
    completed_once(server, all).await;
    assert_eq!(data_loss(server).await["status"], "passing");
    let all_letters = letters(server, "").await;
    let mut keys: Vec<(String, String)> = all_letters
        .iter()
        .map(|letter| (letter["consumer"].to_string(), letter["event_id"].to_string()))
        .collect();
    keys.sort();
    let count = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), count, "no letter twice: {all_letters:#?}");
}

/// The pages stand, and say that they are old, for as long as it takes: of what is tried again, all has come to its longest pause.
async fn stays_old(browser: &Browser, server: &Cutover, began: Instant) {
    while began.elapsed() < MINUTES {
        within(LAPSE, "it is still old", async || !old(browser).await.is_empty()).await;
        assert!(
            browser.text("main table").await.contains("account.deleted"),
            "and shows what it showed"
        );
        server.site.get("/healthz").await.expect(200);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn dynamodb_is_down() {
    let between = Between::of_nothing().await;
    let (account, server) = behind(&between).await;
    let mut all = Vec::new();
    put(&account, &mut all).await;
    settled(&server, all.len()).await;
    let publisher = connected(between.endpoint()).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main table", "account.deleted").await;
    between.set(fails("dynamodb", Fate::Refused(503, "ServiceUnavailable")));
    let began = Instant::now();
    put(&account, &mut all).await;
    eventually("the page says that it is old", async || !old(&browser).await.is_empty()).await;
    publish(&publisher, &mut all, false).await;
    // So long that queues give up on their functions, and no function has any of it in its hands.
    within(PATIENCE * 2, "the queues have moved on what could not be handled", async || {
        let mut left = 0;
        for queue in ["audit", "analytics", "notification", "categorization"] {
            left += account.messages(queue).await;
        }
        let moved = account.messages("audit-dlq").await;
        if left == 0 && moved >= EACH as u64 {
            Ok(())
        } else {
            Err(format!("{left} left, {moved} moved"))
        }
    })
    .await;
    stays_old(&browser, &server, began).await;
    between.heal();
    put(&account, &mut all).await;
    new_again(&browser).await;
    eventually("each letter is taken over", async || {
        let waiting =
            account.messages("audit-dlq").await + account.messages("analytics-dlq").await + account.messages("notification-dlq").await;
        if waiting == 0 { Ok(()) } else { Err(waiting.to_string()) }
    })
    .await;
    redrive_all(&server).await;
    adds_up(&server, &all).await;
    browser.close_but_for(|complaint| complaint.contains("503")).await;
}

/// What a service of ours publishes while its own calls meet what the dashboard's meet: accepted, or, with the bus away, a dead letter.
async fn publish(publisher: &Publisher, all: &mut Vec<String>, bus_is_away: bool) {
    let events: Vec<Event> = (0..EACH)
        .map(|_| Event::from_json(&event::account_deleted().to_string()).expect("an event"))
        .collect();
    all.extend(events.iter().map(|event| event.event_id.clone()));
    for outcome in publisher.publish(events).await {
        let buried = matches!(outcome, Published::Buried(PublishError::Unavailable(_)));
        assert!(
            buried == bus_is_away && (buried || matches!(outcome, Published::Accepted(_))),
            "{outcome:?}"
        );
    }
}

/// Each other service is away for a minute, while a page is open, functions work and a service of ours publishes.
async fn each_other_service_is_down_in_turn() {
    let between = Between::of_nothing().await;
    let (account, server) = behind(&between).await;
    let publisher = connected(between.endpoint()).await;
    let browser = Browser::open(&server.site).await;
    let mut all = Vec::new();
    for (service, name) in [
        ("sqs", "SQS"),
        ("lambda", "Lambda"),
        ("events", "EventBridge"),
        ("monitoring", "CloudWatch"),
    ] {
        put(&account, &mut all).await;
        browser.visit("/consumers").await;
        browser.says("main", "analytics").await;
        between.set(fails(service, Fate::Refused(503, "ServiceUnavailable")));
        let (began, before) = (Instant::now(), between.calls_of(service));
        said_in_time(&between, &format!("the page says that {name} is away"), async || {
            old(&browser).await.contains(name)
        })
        .await;
        put(&account, &mut all).await;
        publish(&publisher, &mut all, service == "events").await;
        while began.elapsed() < MINUTE {
            within(LAPSE, &format!("{name} is still said to be away"), async || {
                let overview = server.site.json("/api/v1/overview").await["unanswered"].to_string();
                overview.contains(name) && !old(&browser).await.is_empty()
            })
            .await;
            assert!(
                browser.text("main table.consumers").await.contains("analytics"),
                "and the consumers are shown"
            );
            for path in ["/", "/dead-letters", "/findings"] {
                server.site.get(path).await.expect(200);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert!(between.calls_of(service) > before + 20, "{name} was called while it was away");
        between.heal();
        put(&account, &mut all).await;
        new_again(&browser).await;
        redrive_all(&server).await;
        settled(&server, all.len()).await;
    }
    adds_up(&server, &all).await;
    browser.close().await;
}

/// In one test, beside others: each mostly waits.
#[tokio::test]
async fn a_service_that_is_down_for_minutes_loses_and_doubles_nothing() {
    tokio::join!(dynamodb_is_down(), each_other_service_is_down_in_turn());
}
