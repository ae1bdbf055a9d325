//! What an open page says while a service fails: that it is old, and afterwards what is new, without a reload.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::between::{Between, Fate};
use tests::browser::{Browser, Screen};
use tests::data::EVENT_STORE_ITEMS;
use tests::deployment::Account;
use tests::event;
use tests::live::{Message, listen};
use tests::server::{Cutover, Setup};
use tests::wait::{Look, eventually, within};

use super::fails;
use crate::redrive::{there_are, updated};

/// How soon a page says that it is old, and what is.
const SAID_WITHIN: Duration = Duration::from_secs(5);
/// How soon somebody who looks has every service asked, and then some for a busy machine.
const ASKED_WITHIN: Duration = Duration::from_secs(3);
/// How long a page lives that is no longer old: some beats.
const LIVES_FOR: Duration = Duration::from_secs(6);

/// A dashboard with something on each page.
async fn filled(account: &Account, between: &Between) -> Cutover {
    account.put_items(EVENT_STORE_ITEMS).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    account.send("analytics-dlq", &updated("e-1")).await;
    let letter = there_are(&server, "", 1).await.remove(0);
    let wish = json!({ "kind": "discard", "select": { "ids": [letter["id"]] }, "reason": "filling the pages" });
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    there_are(&server, "status=discarded", 1).await;
    server
}

/// Where the page says that it is old, and how.
pub(super) async fn old(browser: &Browser) -> String {
    let mut said = browser.texts(".stale").await;
    said.extend(Some(browser.text(".chip.live [role=status]").await).filter(|chip| chip.contains("old") || chip.contains("lost")));
    said.join(" ")
}

/// Waits until the page says nothing of being old.
pub(super) async fn new_again(browser: &Browser) {
    eventually(&format!("{} is new again", browser.address().await), async || {
        let said = old(browser).await;
        if said.is_empty() { Ok(()) } else { Err(said) }
    })
    .await;
}

/// Waits until it is said that something fails. That is soon after it did, and at most [`SAID_WITHIN`] after the first call that met it.
pub(crate) async fn said_in_time<L: Look>(between: &Between, what: &str, said: impl AsyncFnMut() -> L) -> L::Value {
    let found = within(SAID_WITHIN + ASKED_WITHIN, what, said).await;
    let met = between.met().unwrap_or_else(|| panic!("{what}: no call has met it"));
    assert!(met.elapsed() < SAID_WITHIN, "{what}: {:?} after the first call", met.elapsed());
    found
}

/// What a page may say of a service that fails: the tables are known by what is in them.
fn words_of(service: &str) -> &'static [&'static str] {
    match service {
        "dynamodb" => &["no answer from DynamoDB", "not answer", "can't be read"],
        "events" => &["EventBridge"],
        "lambda" => &["Lambda"],
        "monitoring" => &["CloudWatch"],
        _ => &["SQS"],
    }
}

/// An open page, a service that fails, and the same page afterwards.
async fn goes_old_and_new(browser: &Browser, between: &Between, path: &str, shows: &str, service: &'static str, fate: Fate) {
    browser.visit(path).await;
    browser.says("main", shows).await;
    browser.says(".chip.live [role=status]", "live").await;
    browser.run("window.opened = 'once'", Vec::new()).await;
    between.set(fails(service, fate));
    said_in_time(between, &format!("{path} says what is old: {service}, {fate:?}"), async || {
        let said = old(browser).await;
        if words_of(service).iter().any(|words| said.contains(words)) {
            Ok(())
        } else {
            Err(browser.text(".chip.live [role=status]").await)
        }
    })
    .await;
    assert!(browser.text("main").await.contains(shows), "{path} keeps what it showed");
    assert_eq!(browser.sticking_out().await, None, "{path} is as wide as the screen: {fate:?}");
    between.heal();
    new_again(browser).await;
    assert_eq!(
        browser.run("return window.opened", Vec::new()).await,
        "once",
        "{path} was loaded again"
    );
    browser.says("main", shows).await;
}

#[tokio::test]
async fn a_page_says_within_five_seconds_that_it_is_old_and_recovers_by_itself() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = filled(&account, &between).await;
    let browser = Browser::open(&server.site).await;
    // What is said has to fit there, too.
    browser.screen(Screen::PHONE).await;
    let silence = Fate::Silence(Duration::from_secs(60));
    let discarded = "/dead-letters?status=discarded";
    for (path, shows, service, fate) in [
        ("/", "criteria pass", "dynamodb", Fate::Refused(500, "InternalServerError")),
        ("/events", "file.processed", "dynamodb", Fate::Broken),
        ("/events", "file.processed", "dynamodb", silence),
        (
            discarded,
            "transaction.updated",
            "dynamodb",
            Fate::Refused(400, "ExpiredTokenException"),
        ),
        ("/cutover", "Shadow", "dynamodb", Fate::Refused(400, "ThrottlingException")),
        ("/activity", "filling the pages", "dynamodb", Fate::Torn),
        ("/consumers", "analytics", "lambda", Fate::Refused(429, "TooManyRequestsException")),
        ("/consumers", "analytics", "events", silence),
        ("/", "criteria pass", "monitoring", Fate::Refused(503, "ServiceUnavailable")),
        ("/", "criteria pass", "sqs", Fate::Broken),
        (discarded, "transaction.updated", "sqs", silence),
        ("/events", "file.processed", "events", Fate::Refused(400, "ExpiredTokenException")),
    ] {
        goes_old_and_new(&browser, &between, path, shows, service, fate).await;
    }

    // What came while nothing could be read is there afterwards.
    browser.visit("/events").await;
    between.set(fails("dynamodb", Fate::Refused(500, "InternalServerError")));
    eventually("the page is old", async || !old(&browser).await.is_empty()).await;
    let new = event::entry(&event::of("weather.changed", "weather.service", &json!({})));
    account.put_events(&new.to_string()).await;
    between.heal();
    browser.says("main table", "weather.changed").await;
    browser.close_but_for(|complaint| complaint.contains("503")).await;
}

/// Who comes while a service fails is told which one.
#[tokio::test]
async fn a_service_that_fails_is_named_to_who_comes_then() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    for (service, name, fate) in [
        ("lambda", "Lambda", Fate::Refused(429, "TooManyRequestsException")),
        ("events", "EventBridge", Fate::Refused(400, "ExpiredTokenException")),
        ("monitoring", "CloudWatch", Fate::Refused(503, "ServiceUnavailable")),
        ("sqs", "SQS", Fate::Refused(503, "ServiceUnavailable")),
    ] {
        between.set(fails(service, fate));
        let server = Setup::new().at(between.endpoint()).start().await;
        let browser = Browser::open(&server.site).await;
        browser.visit("/consumers").await;
        browser.says("main", "analytics").await;
        eventually(&format!("{name} is named"), async || {
            let said = old(&browser).await;
            if said.contains(name) { Ok(()) } else { Err(said) }
        })
        .await;
        browser.picture(&format!("aws-without-{service}")).await;
        between.heal();
        new_again(&browser).await;
        browser.close().await;
    }
}

/// One who comes while a service is silent has no state to be shown, and isn't left to guess why.
#[tokio::test]
async fn a_viewer_who_comes_during_a_silence_is_told_of_it_first() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    between.set(fails("dynamodb", Fate::Silence(Duration::from_secs(60))));
    let is_named = |one: &Message| one.event == "late" && one.data.to_string().contains("DynamoDB");
    let heard = listen(&server.site, None, |heard| heard.last().is_some_and(is_named)).await;
    assert!(heard.iter().all(|one| one.event == "late"), "nothing was read: {heard:?}");
    let met = between.met().expect("a call that met it");
    assert!(met.elapsed() < SAID_WITHIN, "{:?}", met.elapsed());
    between.heal();
    listen(&server.site, None, |heard| heard.last().is_some_and(|one| one.event == "overview")).await;
}

/// A table that takes a second for each answer is slow, not away.
#[tokio::test]
async fn pages_over_slow_tables_live() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = filled(&account, &between).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    between.set(fails("dynamodb", Fate::Late(Duration::from_secs(1))));
    let new = event::entry(&event::of("weather.changed", "weather.service", &json!({})));
    account.put_events(&new.to_string()).await;
    // On end: a page that lives and is old by turns is no better than an old one.
    let mut lives: Option<Instant> = None;
    eventually("what is new is shown, and the page says for a while that it lives", async || {
        let (table, chip) = (browser.text("main table").await, old(&browser).await);
        if !table.contains("weather.changed") || !chip.is_empty() {
            lives = None;
            return Err(format!("{chip}: {table:.200}"));
        }
        let since = *lives.get_or_insert_with(Instant::now);
        if since.elapsed() >= LIVES_FOR {
            Ok(())
        } else {
            Err("not yet for long".to_owned())
        }
    })
    .await;
    between.heal();
    browser.close().await;
}
