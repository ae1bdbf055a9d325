//! The dashboard as a service: one that only looks, and one that tells alarms how the criteria stand.

use serde_json::{Value, json};
use tests::between::Between;
use tests::data::PUT_EVENTS;
use tests::deployment::{Account, PREFIX, TEMPLATE};
use tests::server::Setup;
use tests::wait::eventually;

#[tokio::test]
async fn a_viewers_dashboard_shows_everything_and_changes_nothing() {
    let account = Account::deployed().await;
    account.send("event-dlq", "what nobody can read").await;
    let between = Between::of(account.endpoint()).await;
    let viewer = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_AWS__READ_ONLY", "true")
        .start()
        .await;
    viewer.measured().await;
    for path in ["/", "/events", "/dead-letters", "/cutover", "/findings", "/activity", "/operations"] {
        viewer.site.get(path).await.expect(200);
    }
    let wish = json!({ "publishing": true, "direct": false, "reason": "not here", "expected_version": 0 });
    viewer.site.put("/api/v1/flags", &wish).await.error(403, "forbidden");
    let wish = json!({ "kind": "discard", "select": { "filter": {} }, "reason": "not here" });
    viewer.site.post("/api/v1/operations", &wish).await.error(403, "forbidden");
    for write in [
        "PutItem",
        "UpdateItem",
        "PutEvents",
        "BatchWriteItem",
        "TransactWriteItems",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "PutMetricData",
    ] {
        assert_eq!(between.calls(write), 0, "{write}");
    }
    assert_eq!(account.messages("event-dlq").await, 1);

    // One that may do more finds the letter where it was.
    let operator = Setup::new().over(&account).start().await;
    eventually("the letter is taken over", async || {
        let letters = operator.site.json("/api/v1/dead-letters").await;
        letters["items"].as_array().is_some_and(|items| items.len() == 1)
    })
    .await;
    let seen = viewer.site.json("/api/v1/dead-letters").await;
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1), "{seen}");
}

#[tokio::test]
async fn alarms_hear_how_the_criteria_stand() {
    let account = Account::deployed().await;
    account.put_events(PUT_EVENTS).await;
    let looking = Setup::new().over(&account).start().await;
    eventually("every event is accounted for", async || {
        let overview = looking.site.json("/api/v1/overview").await;
        let criteria = overview["criteria"].as_array().expect("criteria").clone();
        let loss = criteria.into_iter().find(|c| c["id"] == "data_loss").expect("the criterion");
        if loss["status"] == "unknown" {
            Err(loss.to_string())
        } else {
            Ok(())
        }
    })
    .await;
    let findings = looking.site.json("/api/v1/findings").await.to_string();
    assert!(findings.contains("alarms.untold"), "{findings}");
    let between = Between::of(account.endpoint()).await;
    let _telling = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_AWS__METRICS__ALARMS", "true")
        .start()
        .await;
    let told = eventually("CloudWatch is told", async || {
        let wanted = json!({ "Namespace": "Cutover", "MetricName": "CriterionFailing" });
        let metrics = account.call("cloudwatch", "list_metrics", &wanted).await["Metrics"].clone();
        let all = metrics.as_array().cloned().unwrap_or_default();
        if all.is_empty() { Err("nothing".to_owned()) } else { Ok(all) }
    })
    .await;
    assert_eq!(between.asked("PutMetricData"), 1, "all in one call");
    let dimension = |metric: &Value, name: &str| {
        let all = metric["Dimensions"].as_array().expect("dimensions");
        all.iter().find(|d| d["Name"] == name).map(|d| d["Value"].clone())
    };
    assert!(
        told.iter().all(|metric| dimension(metric, "Deployment") == Some(json!(PREFIX))),
        "{told:?}"
    );
    let criteria: Vec<_> = told.iter().filter_map(|metric| dimension(metric, "Criterion")).collect();
    assert!(criteria.contains(&json!("data_loss")), "{told:?}");
    // That anybody tells has an alarm too, where the stack's dashboard operates.
    let template = std::fs::read_to_string(TEMPLATE).expect("the template");
    assert!(template.contains("MetricName: CriteriaTold\n      Dimensions: [{ Name: Deployment, Value: !Ref Prefix }]"));
    let wanted = json!({ "Namespace": "Cutover", "MetricName": "CriteriaTold" });
    let signs = account.call("cloudwatch", "list_metrics", &wanted).await["Metrics"].clone();
    assert_eq!(
        (signs.as_array().map(Vec::len), dimension(&signs[0], "Deployment")),
        (Some(1), Some(json!(PREFIX))),
        "{signs}"
    );
    // Each has an alarm that listens to just that.
    let alarms = account
        .call(
            "cloudwatch",
            "describe_alarms",
            &json!({ "AlarmNamePrefix": format!("{PREFIX}-criterion-") }),
        )
        .await;
    let alarms = alarms["MetricAlarms"].as_array().expect("alarms");
    assert_eq!(alarms.len(), 6);
    for criterion in criteria {
        let alarm = alarms
            .iter()
            .find(|alarm| dimension(alarm, "Criterion") == Some(criterion.clone()))
            .expect("an alarm");
        assert_eq!(
            (&alarm["Namespace"], &alarm["MetricName"]),
            (&json!("Cutover"), &json!("CriterionFailing"))
        );
        assert_eq!(dimension(alarm, "Deployment"), Some(json!(PREFIX)));
    }
}
