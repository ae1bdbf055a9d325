//! `/api/v1/demo`.

use serde_json::json;
use tests::server::Setup;

#[tokio::test]
async fn faults_are_set_and_read() {
    let server = Setup::new().demo(1).env("CUTOVER_DEMO__HISTORY_DAYS", "0").start().await;
    let wish = json!({ "target": "audit", "fault": "slow" });
    let set = server.site.put("/api/v1/demo", &wish).await.expect(200).json();
    assert!(
        set["faults"].as_array().is_some_and(|all| all.contains(&json!(["audit", "slow"]))),
        "{set}"
    );
    assert_eq!(server.site.json("/api/v1/demo").await, set);
    assert_eq!(server.site.json("/api/v1/activity").await["items"][0]["action"], "demo.fault");
    for (target, fault, field) in [
        ("nobody", "slow", "target"),
        ("audit", "sleepy", "fault"),
        ("publishers", "slow", "target"),
    ] {
        let reply = server.site.put("/api/v1/demo", &json!({ "target": target, "fault": fault })).await;
        assert!(reply.error(422, "invalid").contains(field), "{target} {fault}");
    }
}

/// What a demo made stays marked when it doesn't run any more.
#[tokio::test]
async fn there_is_none_without_a_demo_and_its_data_stays_marked() {
    let server = Setup::new().demo(600).env("CUTOVER_DEMO__HISTORY_DAYS", "0").start().await;
    tests::wait::eventually("an event", async || server.metric("cutover_events_published_total").await > 0.0).await;
    assert!(server.site.get("/").await.expect(200).text().contains("demo traffic"));
    let data = server.terminate().await.data;
    let server = Setup::new().on(data).start().await;
    server.site.get("/api/v1/demo").await.error(404, "not_found");
    assert!(server.site.get("/").await.expect(200).text().contains("demo data"));
    let clean = Setup::new().start().await;
    assert!(!clean.site.get("/").await.expect(200).text().contains("demo data"));
}
