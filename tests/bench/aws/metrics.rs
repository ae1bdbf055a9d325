//! What the measurements of twenty consumers cost in calls, however many look.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::deployment::{Account, PREFIX};
use tests::server::Setup;
use tests::wait::within;

use crate::report::Report;

const CONSUMERS: usize = 20;
const VIEWERS: usize = 50;
/// How long one looks: with that, everything that is asked for every five minutes is asked for again beside the minutes.
const LOOK: Duration = Duration::from_secs(330);
/// Calls that are further apart than this are of different rounds.
const APART: Duration = Duration::from_secs(5);

/// Every metric that there is of a consumer with a queue.
const OWN: [&str; 3] = ["Processed", "Failed", "Latency"];
const LAMBDA: [&str; 9] = [
    "Invocations",
    "Errors",
    "Throttles",
    "Duration",
    "ConcurrentExecutions",
    "AsyncEventAge",
    "AsyncEventsReceived",
    "AsyncEventsDropped",
    "DeadLetterErrors",
];
const EVENTS: [&str; 9] = [
    "MatchedEvents",
    "InvocationAttempts",
    "RetryInvocationAttempts",
    "FailedInvocations",
    "InvocationsSentToDlq",
    "InvocationsFailedToBeSentToDlq",
    "IngestionToInvocationSuccessLatency",
    "IngestiontoInvocationStartLatency",
    "IngestiontoInvocationCompleteLatency",
];
const SQS: [&str; 3] = [
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
];

fn metric(namespace: &str, dimensions: &Value, name: &str) -> String {
    json!({ "namespace": namespace, "dimensions": dimensions, "name": name, "points": [[300, [5.0]], [120, [7.0]]] }).to_string()
}

/// The most `GetMetricData` calls in one round of reading, once everything was read a first time.
pub(crate) async fn refresh(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let account = Account::empty().await;
    let names: Vec<String> = (0..CONSUMERS).map(|n| format!("consumer-{n}")).collect();
    let mut metrics = Vec::new();
    for name in &names {
        let own = json!({ "Deployment": PREFIX, "Consumer": name });
        let function = json!({ "FunctionName": format!("{PREFIX}-{name}-consumer") });
        let rule = json!({ "EventBusName": format!("{PREFIX}-events"), "RuleName": format!("{PREFIX}-{name}") });
        let queue = |suffix: &str| json!({ "QueueName": format!("{PREFIX}-{name}{suffix}") });
        for (namespace, dimensions, names) in [
            ("Cutover", own, &OWN[..]),
            ("AWS/Lambda", function, &LAMBDA[..]),
            ("AWS/Events", rule, &EVENTS[..]),
            ("AWS/SQS", queue(""), &SQS[..]),
            ("AWS/SQS", queue("-dlq"), &SQS[..]),
        ] {
            metrics.extend(names.iter().map(|name| metric(namespace, &dimensions, name)));
        }
    }
    account.put_metrics(&metrics.join("\n")).await;
    let between = Between::of(account.endpoint()).await;
    let calls: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let noted = Arc::clone(&calls);
    between.set(move |call| {
        if call.operation == "GetMetricData" {
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
        Fate::Answered
    });
    // As the environment writes what TOML would.
    let consumers: Vec<String> = names.iter().map(|name| format!(r#"{{name="{name}"}}"#)).collect();
    let server = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_AWS__CONSUMERS", format!("[{}]", consumers.join(",")))
        .env("CUTOVER_AWS__METRICS__DOLLARS_A_DAY", "1000")
        .start()
        .await;
    let last = || calls.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
    within(Duration::from_secs(60), "everything was read once", async || {
        let listed = server.site.get("/api/v1/consumers").await;
        let quiet = last().is_some_and(|last| last.elapsed() > APART);
        if listed.status == 200 && quiet {
            Ok(())
        } else {
            Err(listed.text())
        }
    })
    .await;
    calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let began = Instant::now();
    let viewers = futures::future::join_all((0..VIEWERS).map(|_| async {
        let mut refreshes = 0_usize;
        while began.elapsed() < LOOK {
            server.site.json("/api/v1/overview").await;
            refreshes += 1;
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        refreshes
    }));
    let refreshes: usize = viewers.await.into_iter().sum();
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut rounds: Vec<usize> = Vec::new();
    for (n, at) in calls.iter().enumerate() {
        match rounds.last_mut().filter(|_| at.duration_since(calls[n.saturating_sub(1)]) < APART) {
            Some(round) => *round += 1,
            None => rounds.push(1),
        }
    }
    eprintln!(
        "{} rounds, {rounds:?}, for {refreshes} refreshes of {VIEWERS} viewers",
        rounds.len()
    );
    #[allow(clippy::cast_precision_loss)] // a few
    report.add(
        "aws_metric_calls_a_round",
        rounds.iter().copied().max().unwrap_or(0) as f64,
        "calls",
        "at most 2, for 20 consumers",
    );
    Ok(())
}
