//! `/api/v1/findings`.

use pipeline::time::{HOUR, Timestamp};
use serde_json::json;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use super::text;

/// Kind and subject of each.
async fn found(server: &Cutover) -> Vec<String> {
    let examination = server.site.json("/api/v1/findings").await;
    let checks = examination["checks"].as_array().expect("checks").clone();
    let all = checks
        .iter()
        .flat_map(|check| check["findings"].as_array().expect("findings").clone());
    all.map(|finding| format!("{} {}", text(&finding["kind"]), text(&finding["subject"])))
        .collect()
}

#[tokio::test]
async fn a_sound_pipeline_has_none_and_a_stopped_consumer_is_one() {
    let server = Setup::new().start().await;
    assert_eq!(found(&server).await, Vec::<String>::new());
    let stop = json!({ "paused": true, "reason": "to be found" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop).await.expect(200);
    eventually("it is found", async || found(&server).await == ["consumer.stopped analytics"]).await;

    // An event of a publisher whose clock is two hours ahead.
    let ahead = Timestamp::now().plus(2 * HOUR).0;
    let event = json!({ "eventType": "account.deleted", "source": "account.service", "userId": "u-1", "timestamp": ahead,
        "data": { "accountId": "a-1", "transactionCount": 3 } });
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    let clock = "clock.publisher account.service".to_owned();
    eventually("it is found", async || found(&server).await.contains(&clock)).await;
}
