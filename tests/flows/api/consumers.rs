//! `/api/v1/consumers`.

use serde_json::json;
use tests::account::settled;
use tests::event::updated;
use tests::server::Setup;
use tests::wait::eventually;

use super::{items, text};

#[tokio::test]
async fn four_consumers_each_with_its_rule_and_its_figures() {
    let server = Setup::new().start().await;
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    // Counts are written a moment after what they count.
    let list = eventually("the consumers' figures", async || {
        let list = items(&server.site.json("/api/v1/consumers").await);
        if list[0]["processed"] == 1 && list[3]["processed"] == 1 {
            Ok(list)
        } else {
            Err(format!("{list:?}"))
        }
    })
    .await;
    let names: Vec<String> = list.iter().map(|c| text(&c["name"])).collect();
    assert_eq!(names, ["analytics", "categorization", "notification", "audit"]);
    for consumer in &list {
        let name = text(&consumer["name"]);
        let one = server.site.json(format!("/api/v1/consumers/{name}")).await;
        assert_eq!(one["consumer"]["name"], name.as_str());
        assert!(one["last_errors"].as_array().is_some_and(Vec::is_empty), "{one}");
        assert!(consumer["rules"].as_array().is_some_and(|rules| !rules.is_empty()), "{consumer}");
        let took = ["analytics", "audit"].contains(&name.as_str());
        assert_eq!(
            (consumer["processed"] == 1, text(&consumer["health"]) == "idle"),
            (took, !took),
            "{consumer}"
        );
    }
    server.site.get("/api/v1/consumers/nobody").await.error(404, "not_found");
}

#[tokio::test]
async fn a_paused_consumer_waits_and_the_others_go_on() {
    let server = Setup::new().start().await;
    let pause = |paused: bool, reason: &str| json!({ "paused": paused, "reason": reason });
    let path = "/api/v1/consumers/analytics/paused";
    server.site.put(path, &pause(true, "")).await.error(422, "invalid");
    server
        .site
        .put("/api/v1/consumers/nobody/paused", &pause(true, "x"))
        .await
        .error(404, "not_found");
    let answer = server
        .site
        .put(path, &pause(true, "its store is being moved"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&answer["consumer"]["paused"], &answer["consumer"]["health"]),
        (&json!(true), &json!("paused"))
    );

    let event = updated();
    let id = text(&event["eventId"]);
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    eventually("audit goes on", async || {
        let seen = server.site.get(format!("/api/v1/events/{id}")).await;
        seen.status == 200 && tests::account::of_ledger(&seen.json()["ledger"])["audit"].0 == "completed"
    })
    .await;
    assert_eq!(server.metric("cutover_consumer_in_flight{consumer=\"analytics\"}").await, 1.0);
    assert_eq!(
        server.metric("cutover_events_unaccounted").await,
        0.0,
        "it waits for a person: that is accounted for"
    );

    server.site.put(path, &pause(false, "moved")).await.expect(200);
    settled(&server, 1).await;
}
