//! What is missing, wrong or unreachable is named; the rest goes on. What fails for a while loses nothing and doubles nothing.

mod changes;
mod functions;
mod input;
mod outage;
pub(crate) mod page;
mod reading;
mod redriving;
mod takeover;

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tests::between::{Call, Fate};
use tests::browser::Browser;
use tests::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use tests::server::{Ended, Setup, command, run};

/// What happens while a service fails: all calls to it meet this fate.
pub(crate) fn fails(service: &'static str, fate: Fate) -> impl Fn(&Call) -> Fate + Send + Sync {
    move |call| if call.service == service { fate } else { Fate::Answered }
}

/// Longer than an answer is waited for: what was asked is done, and asked again.
const TOO_LATE: Fate = Fate::Late(Duration::from_secs(4));

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
    let section = format!("region = \"{REGION}\"\nendpoint = \"{endpoint}\"\nprefix = \"{prefix}\"\n");
    check_with(&section, &CREDENTIALS).await
}

/// `cutover check` with what `[aws]` has, and an environment.
async fn check_with(section: &str, environment: &[(&str, &str)]) -> Ended {
    let directory = TempDir::new().expect("a directory");
    let file = format!("backend = \"aws\"\n[aws]\n{section}");
    std::fs::write(directory.path().join("cutover.toml"), file).expect("written");
    let mut check = command(directory.path(), ["check"]);
    // Nothing of the machine's own.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        check.env_remove(name);
    }
    let none = directory.path().join("none");
    check.env("AWS_CONFIG_FILE", &none).env("AWS_SHARED_CREDENTIALS_FILE", &none);
    check.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().copied());
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
    for region in ["", "region = \"\"\n"] {
        let ended = check_with(&format!("{region}prefix = \"{PREFIX}\"\n"), &CREDENTIALS).await;
        told(&ended, 2, &["aws.region is missing"]);
    }
}

/// One finding says it, and nothing is said to be right that could not be seen.
fn one_finding(ended: &Ended, words: &[&str]) {
    told(ended, 1, &["there is an error among the findings"]);
    for word in words {
        assert!(ended.stdout.contains(word), "no {word:?} in {ended:?}");
    }
    let passed: Vec<&str> = ended.stdout.lines().filter(|line| line.ends_with(" ok")).collect();
    assert_eq!(passed, ["configuration  ok"], "{ended:?}");
}

#[tokio::test]
async fn without_credentials_that_is_what_is_found() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let section = format!("region = \"{REGION}\"\nendpoint = \"http://{free}\"\nprefix = \"{PREFIX}\"\n");
    let ended = check_with(&section, &[]).await;
    one_finding(&ended, &["There are no AWS credentials", "AWS_PROFILE"]);
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_named() {
    // A port that was free a moment ago, and one that takes connections and says nothing that makes sense.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
    let silent = check(&format!("http://{free}"), PREFIX).await;
    one_finding(&silent, &["Nothing answers dynamodb:DescribeTable"]);
    let server = Setup::new().start().await;
    let foreign = check(server.ingest.base(), PREFIX).await;
    one_finding(
        &foreign,
        &["What answers is not the service that dynamodb:DescribeTable belongs to"],
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
