//! What is lost, told from what only waits.

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use crate::redrive::updated;

/// An event that the bus took half an hour ago, and that analytics has not completed.
async fn still_open(account: &Account) {
    let at = Utc::now() - TimeDelta::minutes(30);
    let entry = json!({
        "eventId": "lost-1",
        "version": 1,
        "open": "3",
        "publishedMillis": at.timestamp_millis(),
        "publishedAt": at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "eventType": "transaction.updated",
        "wanted": 0,
        "deliveries": [{ "consumer": "analytics", "state": "open", "attempts": [] }],
    });
    account.put_items_into("cutover-ledger", &entry.to_string()).await;
}

/// CloudWatch says how old the oldest message in the queue of analytics is, seconds.
async fn oldest(account: &Account, minutes_ago: u32, age: f64) {
    let metric = json!({
        "namespace": "AWS/SQS",
        "dimensions": { "QueueName": format!("{PREFIX}-analytics") },
        "name": "ApproximateAgeOfOldestMessage",
        "points": [[minutes_ago * 60, [age]]],
    });
    account.put_metrics(&metric.to_string()).await;
}

async fn unaccounted(server: &Cutover, count: f64) {
    server.measured().await;
    eventually(&format!("{count} are unaccounted for"), async || {
        let found = server.metric("cutover_events_unaccounted").await;
        if (found - count).abs() < 0.5 {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
}

/// A queue that is never empty hides nothing, as long as what is in it is newer; nor is lost what waits among the dead letters.
#[tokio::test]
async fn an_event_that_a_busy_queue_no_longer_holds_is_unaccounted_for() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let stop = json!({ "paused": true, "reason": "a test" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop).await.expect(200);
    account.send("analytics", &updated("waits-1")).await;
    still_open(&account).await;
    unaccounted(&server, 0.0).await;
    server.terminate().await;

    // It may be the oldest that is there.
    oldest(&account, 11, 3_600.0).await;
    let server = Setup::new().over(&account).start().await;
    unaccounted(&server, 0.0).await;
    server.terminate().await;

    oldest(&account, 6, 30.0).await;
    let server = Setup::new().over(&account).start().await;
    unaccounted(&server, 1.0).await;
    server.terminate().await;

    account.send("event-dlq", &updated("dead-1")).await;
    let server = Setup::new()
        .over(&account)
        .env("CUTOVER_DEAD_LETTERS__TAKEOVER", "false")
        .start()
        .await;
    unaccounted(&server, 0.0).await;
}
