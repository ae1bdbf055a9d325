//! What is wrong with a deployment is found, named, and said how to mend; what is right is not.

use serde_json::{Value, json};
use tests::between::{Between, Call, Fate};
use tests::browser::Browser;
use tests::deployment::{Account, PREFIX, REGION};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

const ACCOUNT: &str = "000000000000";

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
}

/// Severity, kind and subject of each finding.
async fn findings(server: &Cutover) -> Vec<String> {
    let examination = server.site.json("/api/v1/findings").await;
    let checks = examination["checks"].as_array().expect("checks");
    let all = checks.iter().flat_map(|check| check["findings"].as_array().expect("findings"));
    let words = |finding: &Value| {
        ["severity", "kind", "subject"]
            .map(|key| finding[key].as_str().expect("text").to_owned())
            .join(" ")
    };
    all.map(words).collect()
}

/// Those of a server that was just started: of one that runs they may be a minute old.
async fn looked(setup: Setup) -> Vec<String> {
    findings(&setup.start().await).await
}

#[tokio::test]
async fn the_template_is_sound_and_each_trap_is_found() {
    let account = Account::deployed().await;
    let sound = looked(Setup::new().over(&account)).await;
    let bad: Vec<&String> = sound.iter().filter(|found| !found.starts_with("note ")).collect();
    assert!(bad.is_empty(), "{sound:#?}");
    let check = Setup::new().over(&account).check().await;
    assert_eq!(check.code, Some(0), "{check:?}");

    // A source that the design's audit rule doesn't name, seen while a better one was there.
    let detail = json!({ "eventId": "w-1", "eventVersion": "1.0", "timestamp": 1_790_000_000_000_i64, "userId": "u-1", "data": {} });
    let entry = json!({ "Source": "weather.service", "DetailType": "weather.changed", "Detail": detail.to_string() });
    account.put_events(&entry.to_string()).await;
    let server = Setup::new().over(&account).start().await;
    eventually("it is stored", async || server.site.get("/api/v1/events/w-1").await.status == 200).await;

    // As the design deployed it: an audit rule over four sources that invokes the function itself, a dead-letter queue that nobody
    // may write to and that moves on what is looked at; and a rule that was switched off.
    let bus = format!("{PREFIX}-events");
    let audited = json!({ "source": ["transaction.service", "account.service", "category.service", "file.service"] });
    let rule = json!({ "Name": format!("{PREFIX}-audit"), "EventBusName": bus, "EventPattern": audited.to_string(), "State": "ENABLED" });
    account.call("events", "put_rule", &rule).await;
    let target = json!({ "Id": "audit", "Arn": arn("lambda", &format!("function:{PREFIX}-audit-consumer")) });
    let targets = json!({ "Rule": format!("{PREFIX}-audit"), "EventBusName": bus, "Targets": [target] });
    account.call("events", "put_targets", &targets).await;
    let rule = json!({ "Name": format!("{PREFIX}-analytics"), "EventBusName": bus });
    account.call("events", "disable_rule", &rule).await;
    let url = async |queue: &str| {
        let answer = account
            .call("sqs", "get_queue_url", &json!({ "QueueName": format!("{PREFIX}-{queue}") }))
            .await;
        answer["QueueUrl"].clone()
    };
    account
        .call("sqs", "create_queue", &json!({ "QueueName": format!("{PREFIX}-event-dlq-dlq") }))
        .await;
    account.send("event-dlq-dlq", "an old letter").await;
    let redrive = json!({ "deadLetterTargetArn": arn("sqs", &format!("{PREFIX}-event-dlq-dlq")), "maxReceiveCount": 3 });
    let attributes = json!({ "QueueUrl": url("event-dlq").await, "Attributes": { "RedrivePolicy": redrive.to_string() } });
    account.call("sqs", "set_queue_attributes", &attributes).await;
    let attributes = json!({ "QueueUrl": url("notification-dlq").await, "Attributes": { "Policy": "" } });
    account.call("sqs", "set_queue_attributes", &attributes).await;
    account
        .call(
            "lambda",
            "delete_function",
            &json!({ "FunctionName": format!("{PREFIX}-categorization-consumer") }),
        )
        .await;
    let silenced = json!({ "AlarmNames": [format!("{PREFIX}-audit-dlq-waiting")] });
    account.call("cloudwatch", "disable_alarm_actions", &silenced).await;
    account.delete_table("cutover-flags").await;
    account.delete_table("event-store").await;
    let without = json!({
        "TableName": format!("{PREFIX}-event-store"),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "eventId", "AttributeType": "S" }, { "AttributeName": "timestamp", "AttributeType": "N" }],
        "KeySchema": [{ "AttributeName": "eventId", "KeyType": "HASH" }, { "AttributeName": "timestamp", "KeyType": "RANGE" }],
    });
    account.call("dynamodb", "create_table", &without).await;

    let server = Setup::new().over(&account).start().await;
    let found = findings(&server).await;
    for wanted in [
        "error rule.off t-1-analytics",
        "error audit.sources t-1-audit",
        "warning target.no_dead_letter_queue t-1-audit, t-1-audit-consumer",
        "error function.loses t-1-audit-consumer",
        "note function.slow_retries t-1-audit-consumer",
        "error queue.no_policy t-1-notification-dlq",
        "warning dead_letters.redrive_policy t-1-event-dlq",
        "error dead_letters.beyond t-1-event-dlq-dlq",
        "error function.missing t-1-categorization-consumer",
        "warning alarms.off t-1",
        "warning table.missing t-1-cutover-flags",
        "error index.missing t-1-event-store, eventType",
        "error index.missing t-1-event-store, userId",
        "error index.missing t-1-event-store, source",
    ] {
        assert!(found.iter().any(|found| found == wanted), "{wanted}: {found:#?}");
    }
    let check = Setup::new().over(&account).check().await;
    assert_eq!(
        (check.code, check.first_line().contains("errors among the findings")),
        (Some(1), true),
        "{check:?}"
    );
    assert!(check.stdout.contains("This rule is switched off"), "{check:?}");

    let browser = Browser::open(&server.site).await;
    browser.visit("/findings").await;
    browser.says("section.findings", "EventBridge may not write to this queue").await;
    browser.says("section.findings", "t-1-notification-dlq").await;
    browser.says("section.checks", "Rules and their targets").await;
    browser.close().await;
}

/// What a policy forgets is named by the call; what can still be looked at is.
#[tokio::test]
async fn a_call_that_is_denied_is_a_finding_and_the_rest_goes_on() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    for (operation, action) in [
        ("ListRules", "events:ListRules"),
        ("ListTargetsByRule", "events:ListTargetsByRule"),
        ("GetQueueAttributes", "sqs:GetQueueAttributes"),
        ("DescribeTable", "dynamodb:DescribeTable"),
        ("DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("UpdateItem", "dynamodb:UpdateItem"),
        ("PutItem", "dynamodb:PutItem"),
        ("BatchWriteItem", "dynamodb:BatchWriteItem"),
        ("DeleteMessage", "sqs:DeleteMessage"),
        ("ReceiveMessage", "sqs:ReceiveMessage"),
        ("SendMessageBatch", "sqs:SendMessage"),
        ("PutEvents", "events:PutEvents"),
        ("PUT /event-source-mappings/", "lambda:UpdateEventSourceMapping"),
        ("GET /event-source-mappings", "lambda:ListEventSourceMappings"),
        ("GET /configuration", "lambda:GetFunctionConfiguration"),
        ("GET /event-invoke-config", "lambda:GetFunctionEventInvokeConfig"),
        ("POST /invocations", "lambda:InvokeFunction"),
        ("PUT /configuration", "lambda:UpdateFunctionConfiguration"),
        ("GetQueueUrl", "sqs:GetQueueUrl"),
        ("Scan", "dynamodb:Scan"),
        ("GetItem", "dynamodb:GetItem"),
        ("BatchGetItem", "dynamodb:BatchGetItem"),
        ("Query", "dynamodb:Query"),
        ("ListMetrics", "cloudwatch:ListMetrics"),
        ("GetMetricData", "cloudwatch:GetMetricData"),
        ("PutMetricData", "cloudwatch:PutMetricData"),
    ] {
        between.set(move |call: &Call| {
            // Lambda's are a method and a path.
            let of_lambda = operation
                .split_once(' ')
                .is_some_and(|(method, part)| call.operation.starts_with(method) && call.operation.contains(part));
            if of_lambda || call.operation == operation {
                Fate::Refused(400, "AccessDeniedException")
            } else {
                Fate::Answered
            }
        });
        let setup = Setup::new().at(between.endpoint()).env("CUTOVER_AWS__METRICS__ALARMS", "true").env(
            "CUTOVER_AWS__FLAG_FUNCTIONS",
            json!([format!("{PREFIX}-audit-consumer")]).to_string(),
        );
        let found = looked(setup).await;
        let named = |of: &str| {
            let words = format!("error call.permission {action} of {of}");
            found.iter().any(|found| found.starts_with(&words))
        };
        assert!([PREFIX, "CloudWatch", "Cutover"].into_iter().any(named), "{action}: {found:#?}");
    }
    // A viewer's role: that is meant, and one note.
    between.set(|call| {
        let writes = ["UpdateItem", "PutItem", "BatchWriteItem", "DeleteMessage"].contains(&call.operation.as_str())
            || call.operation.starts_with("POST ") && call.operation.ends_with("/invocations");
        if writes {
            Fate::Refused(403, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
    let found = looked(Setup::new().at(between.endpoint())).await;
    assert!(found.contains(&"note permission.viewer dashboard".to_owned()), "{found:#?}");
    assert!(!found.iter().any(|found| found.contains("call.permission")), "{found:#?}");

    for (code, kind) in [
        ("ExpiredTokenException", "error call.credentials"),
        ("ThrottlingException", "warning call.throttled"),
    ] {
        between.set(move |call| {
            if call.service == "events" {
                Fate::Refused(400, code)
            } else {
                Fate::Answered
            }
        });
        let found = looked(Setup::new().at(between.endpoint())).await;
        assert!(found.iter().any(|found| found.starts_with(kind)), "{kind}: {found:#?}");
    }
    between.heal();
    // The emulator has no rules where it has no bus.
    between.set(|call| {
        if call.operation == "ListRules" {
            Fate::Refused(400, "ResourceNotFoundException")
        } else {
            Fate::Answered
        }
    });
    let found = looked(Setup::new().at(between.endpoint()).env("CUTOVER_AWS__EVENT_BUS", "another-bus")).await;
    assert!(
        found.contains(&"error bus.missing events:ListRules of another-bus".to_owned()),
        "{found:#?}"
    );
    between.heal();
    between.set_clock(600);
    let found = looked(Setup::new().at(between.endpoint())).await;
    assert!(found.contains(&"error clock.own this machine".to_owned()), "{found:#?}");
}

/// The consumers of the design answer `statusCode: 500` as a success, and store nothing.
#[tokio::test]
async fn a_consumer_that_succeeds_without_completing_is_found() {
    let account = Account::deployed().await;
    let metric = |namespace: &str, dimensions: Value, name: &str, value: f64| {
        json!({ "namespace": namespace, "dimensions": dimensions, "name": name, "points": [[300, [value]]] }).to_string()
    };
    let function = |name: &str| json!({ "FunctionName": format!("{PREFIX}-{name}-consumer") });
    let own = json!({ "Deployment": PREFIX, "Consumer": "analytics" });
    let metrics = [
        metric("AWS/Lambda", function("analytics"), "Invocations", 40.0),
        metric("AWS/Lambda", function("analytics"), "Errors", 0.0),
        metric("Cutover", own, "Processed", 2.0),
        metric("AWS/Lambda", function("audit"), "Invocations", 40.0),
        metric("AWS/Lambda", function("audit"), "DeadLetterErrors", 3.0),
        metric(
            "AWS/Events",
            json!({ "EventBusName": format!("{PREFIX}-events"), "RuleName": format!("{PREFIX}-audit") }),
            "MatchedEvents",
            40.0,
        ),
    ];
    account.put_metrics(&metrics.join("\n")).await;
    let check = Setup::new().over(&account).check().await;
    for words in [
        "runs ended without an error, and 2 events",
        "nothing new is in the event store",
        "could not write events to the function's dead-letter queue",
    ] {
        assert!(check.stdout.contains(words), "{words}: {check:?}");
    }
    assert_eq!(check.code, Some(1), "{check:?}");
    // The page knows as soon as CloudWatch was read.
    let server = Setup::new().over(&account).start().await;
    server.measured().await;
    let found = findings(&server).await;
    assert!(found.contains(&"error consumer.swallows analytics".to_owned()), "{found:#?}");
}
