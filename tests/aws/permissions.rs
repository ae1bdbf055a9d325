//! The template's policies, enforced: each suffices for what it is for, and allows nothing that is never needed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tests::account::stored;
use tests::between::Between;
use tests::data::PUT_EVENTS;
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::{eventually, within};

use crate::redrive::{ended, letters, start, there_are, updated};
use crate::template::Permitted;

/// When the criteria have been told: once a minute, as soon as they are known.
const TOLD_WITHIN: Duration = Duration::from_secs(90);

/// What the stack is asked for.
fn given() -> [(&'static str, &'static str); 2] {
    [
        ("Prefix", PREFIX),
        ("FlagFunctions", "arn:aws:lambda:eu-west-2:000000000000:function:t-1-publisher"),
    ]
}

/// From now on only what some of the template's policies allow is answered.
fn only(between: &Between, ids: &[&str]) -> Arc<Permitted> {
    let permitted = Arc::new(Permitted::by(ids, &given()));
    let judge = permitted.clone();
    between.set_by_body(move |call, body| judge.judge(call, body));
    permitted
}

/// Transactions that an event names, and a rule that gives them a category: what is done is published.
async fn something_to_categorize(account: &Account) {
    let details = PUT_EVENTS.lines().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        serde_json::from_str::<Value>(entry["Detail"].as_str()?).ok()
    });
    let named = |detail: &Value| detail["data"]["transactionIds"].as_array().is_some_and(|ids| !ids.is_empty());
    let event = details.into_iter().find(named).expect("an event that names transactions");
    let (user, ids) = (&event["userId"], event["data"]["transactionIds"].as_array().expect("ids"));
    let transactions: Vec<String> = ids
        .iter()
        .map(|id| json!({ "userId": user, "transactionId": id, "accountId": "a-1", "description": "TESCO" }).to_string())
        .collect();
    account.put_items_into("transactions", &transactions.join("\n")).await;
    let rule = json!({ "userId": user, "ruleId": "r-1", "categoryId": "groceries", "pattern": "TESCO", "priority": 1 });
    account.put_items_into("category-rules", &rule.to_string()).await;
}

/// Every page and every part of the API that reads.
async fn look_at_everything(server: &Cutover) {
    let (event, letter) = (stored(server).await.remove(0), letters(server, "").await.remove(0));
    let (event, letter) = (event["eventId"].as_str().expect("an id"), letter["id"].as_str().expect("an id"));
    let pages = [
        "/",
        "/consumers",
        "/consumers/audit",
        "/events",
        "/dead-letters",
        "/operations",
        "/cutover",
        "/activity",
    ];
    for page in pages {
        server.site.get(page).await.expect(200);
    }
    for path in [
        "overview",
        "consumers",
        "events?user=u-1",
        "events?source=file.service&q=x",
        &format!("events/{event}"),
        &format!("events/{event}/chain"),
        &format!("dead-letters/{letter}"),
        "dead-letters/queues",
        "parity",
        "flags",
        "activity",
    ] {
        server.site.get(format!("/api/v1/{path}")).await.expect(200);
    }
}

#[tokio::test]
async fn the_policies_allow_what_is_needed_and_nothing_else() {
    let functions = Between::of_nothing().await;
    let account = Account::deployed_behind(&functions).await;
    account.function("publisher", &json!({ "ENABLE_DIRECT_TRIGGERS": "true" })).await;
    let measured = json!({
        "namespace": "Cutover",
        "dimensions": { "Deployment": PREFIX, "Consumer": "audit" },
        "name": "Processed",
        "points": [[120, [7.0]]],
    });
    account.put_metrics(&measured.to_string()).await;
    let roles = only(
        &functions,
        &["AnalyticsRole", "CategorizationRole", "NotificationRole", "AuditRole"],
    );
    let between = Between::of(account.endpoint()).await;
    let operator = only(&between, &["ViewerPolicy", "OperatorPolicy"]);
    // One consumer that no queue feeds, as the dashboard sees it.
    let of = |name: &str, queue: &str| format!("{{name=\"{name}\", function=\"{PREFIX}-{name}-consumer\", queue=\"{PREFIX}-{queue}\"}}");
    let consumers = ["analytics", "categorization", "notification"].map(|name| of(name, name));
    let server = Setup::new()
        .at(between.endpoint())
        .env(
            "CUTOVER_AWS__CONSUMERS",
            format!("[{}, {}]", consumers.join(", "), of("audit", "nothing")),
        )
        // By its ARN, as the template hands it on.
        .env("CUTOVER_AWS__FLAG_FUNCTIONS", format!("[\"{}\"]", given()[1].1))
        .env("CUTOVER_AWS__METRICS__ALARMS", "true")
        .start()
        .await;

    something_to_categorize(&account).await;
    // Events of every kind, some of which are given up.
    assert_eq!(account.put_events(PUT_EVENTS).await.failed, 0);
    #[allow(clippy::cast_precision_loss)] // some
    let sent = PUT_EVENTS.lines().count() as f64;
    eventually("all are accounted for", async || {
        let overview = server.site.json("/api/v1/overview").await;
        // In this order: what was published is in flight before it is not.
        let published = server.metric("cutover_events_published_total").await;
        let in_flight = server.metric("cutover_events_in_flight").await;
        if in_flight == 0.0 && published >= sent {
            Ok(())
        } else {
            Err(format!("{in_flight} in flight; {overview}; denied: {:?}", roles.denied()))
        }
    })
    .await;

    // Letters: of a consumer with a queue, of one without, of nobody, one that the ledger knows, and one that comes back.
    let known = stored(&server).await.remove(0).to_string();
    let before = letters(&server, "status=open").await.len();
    for (queue, body) in [
        ("analytics-dlq", updated("p-1")),
        ("audit-dlq", updated("p-2")),
        ("event-dlq", updated("p-3")),
        ("analytics-dlq", known),
    ] {
        account.send(queue, &body).await;
    }
    there_are(&server, "status=open", before + 4).await;
    let redrive = json!({ "kind": "redrive", "select": { "filter": { "status": "open" } }, "reason": "a test" });
    ended(&server, &start(&server, &redrive).await).await;
    account.send("analytics-dlq", &updated("p-4")).await;
    let left = eventually("it is taken over", async || {
        let found = letters(&server, "status=open&q=p-4").await;
        if found.is_empty() { Err(format!("{found:?}")) } else { Ok(found) }
    })
    .await;
    let discard = json!({ "kind": "discard", "select": { "ids": [left[0]["id"]] }, "reason": "a test" });
    ended(&server, &start(&server, &discard).await).await;

    let flags = json!({ "scope": "global", "publishing": true, "direct": false, "reason": "a test", "expected_version": 0 });
    server.site.put("/api/v1/flags", &flags).await.expect(200);
    for paused in [true, false] {
        let wish = json!({ "paused": paused, "reason": "a test" });
        server.site.put("/api/v1/consumers/analytics/paused", &wish).await.expect(200);
    }
    look_at_everything(&server).await;
    server.measured().await;
    within(TOLD_WITHIN, "CloudWatch is told of the criteria", async || {
        let calls = between.calls("PutMetricData");
        if calls > 0 { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert_eq!(operator.denied(), BTreeSet::new());
    let unused: Vec<String> = operator.unused().into_iter().collect();
    assert_eq!(
        unused,
        [
            "cloudwatch:DescribeAlarms",
            "events:ListTargetsByRule",
            "lambda:GetFunctionEventInvokeConfig"
        ],
        "what only a look for findings needs"
    );
    let findings = server.site.json("/api/v1/findings").await.to_string();
    assert!(
        !findings.contains("call.permission") && !findings.contains("permission.viewer"),
        "{findings}"
    );
    assert_eq!((operator.denied(), operator.unused()), (BTreeSet::new(), BTreeSet::new()));

    // The functions: what the service itself does for them is not asked here.
    assert_eq!(roles.denied(), BTreeSet::new());
    let services = |action: &String| !["logs:", "sqs:"].iter().any(|own| action.starts_with(own));
    assert_eq!(
        roles.unused().into_iter().filter(services).collect::<BTreeSet<_>>(),
        BTreeSet::new()
    );
    server.terminate().await;

    // A viewer's dashboard reads all of it, and tries to write none of it.
    let viewer = only(&between, &["ViewerPolicy"]);
    let server = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_AWS__READ_ONLY", "true")
        .start()
        .await;
    look_at_everything(&server).await;
    let findings = server.site.json("/api/v1/findings").await.to_string();
    assert!(!findings.contains("permission"), "{findings}");
    assert_eq!(viewer.denied(), BTreeSet::new());
}
