//! What is missing, wrong or unreachable is named; the rest goes on. What fails for a while loses nothing and doubles nothing.

mod changes;
mod functions;
mod input;
mod outage;
mod page;
mod reading;
mod redriving;
mod takeover;

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tests::between::{Call, Fate};
use tests::browser::Browser;
use tests::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use tests::server::{Ended, Setup, command, run};

/// What happens while a service fails: all calls to it meet this fate.
fn fails(service: &'static str, fate: Fate) -> impl Fn(&Call) -> Fate + Send + Sync {
    move |call| if call.service == service { fate } else { Fate::Answered }
}

/// What happens when of the calls of a kind each so manieth meets a fate.
fn nth(every: usize, kind: impl Fn(&Call) -> bool + Send + Sync, fate: Fate) -> impl Fn(&Call) -> Fate + Send + Sync {
    let met = AtomicUsize::new(0);
    move |call| {
        if kind(call) && met.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
            fate
        } else {
            Fate::Answered
        }
    }
}

/// What happens when the first so many calls of a kind, told by their body if need be, meet a fate.
fn first(count: usize, kind: impl Fn(&Call, &str) -> bool + Send + Sync, fate: Fate) -> impl Fn(&Call, &str) -> Fate + Send + Sync {
    let met = AtomicUsize::new(0);
    move |call, body| {
        if kind(call, body) && met.fetch_add(1, Ordering::Relaxed) < count {
            fate
        } else {
            Fate::Answered
        }
    }
}

/// `cutover check` with the aws backend at `endpoint`.
async fn check(endpoint: &str, prefix: &str) -> Ended {
    let directory = TempDir::new().expect("a directory");
    let file = format!("backend = \"aws\"\n[aws]\nregion = \"{REGION}\"\nendpoint = \"{endpoint}\"\nprefix = \"{prefix}\"\n");
    std::fs::write(directory.path().join("cutover.toml"), file).expect("written");
    let mut check = command(directory.path(), ["check"]);
    check.envs(CREDENTIALS);
    run(check).await
}

fn told(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.first_line().contains(word), "no {word:?} in {ended:?}");
    }
}

#[tokio::test]
async fn a_configuration_that_can_not_be_is_refused() {
    told(&check("http://127.0.0.1:1", "").await, 2, &["aws.prefix"]);
    told(&check("127.0.0.1:1", PREFIX).await, 2, &["aws.endpoint", "http://"]);
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_named() {
    // A port that was free a moment ago, and one that takes connections and says nothing that makes sense.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let silent = check(&format!("http://{free}"), PREFIX).await;
    told(&silent, 1, &["errors among the findings"]);
    assert!(silent.stdout.contains("Nothing answers dynamodb:DescribeTable"), "{silent:?}");
    let server = Setup::new().start().await;
    let foreign = check(server.ingest.base(), PREFIX).await;
    told(&foreign, 1, &["errors among the findings"]);
    assert!(
        foreign
            .stdout
            .contains("What answers is not the service that dynamodb:DescribeTable belongs to"),
        "{foreign:?}"
    );
}

#[tokio::test]
async fn a_table_that_is_missing_is_named_and_the_page_says_so() {
    let account = Account::deployed().await;
    account.delete_table("event-store").await;
    let ended = check(account.endpoint(), PREFIX).await;
    told(&ended, 1, &["among the findings"]);
    assert!(
        ended.stdout.contains("There is no event store")
            && ended
                .stdout
                .contains(&format!("there is no table {PREFIX}-event-store in {REGION}")),
        "{ended:?}"
    );
    let server = Setup::new().over(&account).start().await;
    server.site.get("/healthz").await.expect(200);
    server.site.get("/readyz").await.expect(503);
    server.site.get("/api/v1/events").await.error(503, "unavailable");
    let browser = Browser::open(&server.site).await;
    browser.open_path("/events").await;
    browser.says("main", "The event store does not answer").await;
    browser.open_path("/consumers").await;
    browser.says("main table.consumers", "analytics").await;
    browser.close_but_for(|complaint| complaint.contains("503")).await;
}
