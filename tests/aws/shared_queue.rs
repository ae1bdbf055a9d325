//! Letters in a queue that everybody shares, as the design has it: whose they are, and that they are redriven to that one.

use serde_json::{Value, json};
use tests::account::{settled, stored};
use tests::between::{Between, Fate};
use tests::data::PUT_EVENTS;
use tests::deployment::{Account, PREFIX, REGION};
use tests::server::Setup;
use tests::wait::eventually;

use crate::letters::messages;
use crate::redrive::{ended, letters, start, there_are, updated};

/// Letters in every shape that they have in the deployment's shared queue, each redriven to where it was given up.
#[tokio::test]
async fn letters_of_every_shape_are_redriven_and_verified() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let lines = messages();
    let sent: Vec<String> = lines.iter().map(Value::to_string).collect();
    account.send_all("event-dlq", &sent.join("\n")).await;
    there_are(&server, "status=open", lines.len()).await;
    let wish = json!({ "kind": "redrive", "select": { "filter": { "status": "open" } }, "reason": "a test" });
    let id = start(&server, &wish).await;
    ended(&server, &id).await;
    let detail = server.site.json(format!("/api/v1/operations/{id}?limit=500")).await;
    let items = detail["items"].as_array().expect("items");
    let of = |shape: &str| lines.iter().filter(|line| line["shape"] == shape).count();
    let count = |fits: &dyn Fn(&Value) -> bool| items.iter().filter(|item| fits(item)).count();
    let note = |item: &Value| item["note"].as_str().unwrap_or_default().to_owned();
    let (named, unnamed) = (
        of("eventbridge-target") + of("lambda-on-failure-destination"),
        of("lambda-async-dlq"),
    );
    assert!(named > 0 && unnamed > 0 && of("poison") > 0);
    assert_eq!(
        count(&|item| item["status"] == "succeeded" && note(item).is_empty()),
        named,
        "{detail:#}"
    );
    assert_eq!(
        count(&|item| item["status"] == "succeeded" && note(item).contains("nothing can be verified")),
        unnamed,
        "{detail:#}"
    );
    assert_eq!(
        count(&|item| item["status"] == "failed" && note(item).contains("not an event")),
        of("poison"),
        "{detail:#}"
    );
    // Verified is: the consumer has completed it.
    for letter in letters(&server, "status=redriven")
        .await
        .iter()
        .filter(|letter| letter["consumer"] != "unknown")
    {
        let detail = server
            .site
            .json(format!("/api/v1/dead-letters/{}", letter["id"].as_str().expect("an id")))
            .await;
        assert!(
            detail["done_by"]
                .to_string()
                .contains(letter["consumer"].as_str().expect("a consumer")),
            "{detail:#}"
        );
    }
}

/// Lambda says of what it gave up no function: it is published once more, and that nothing can be verified is said.
#[tokio::test]
async fn what_nobody_says_they_gave_up_on_is_published_again() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    // All its consumers have completed it; who gave up on it is somebody else.
    assert_eq!(account.put_events(PUT_EVENTS.lines().next().expect("an entry")).await.failed, 0);
    settled(&server, 1).await;
    let event = stored(&server).await.remove(0);
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let message = json!({
        "body": event.to_string(),
        "attributes": { "RequestID": text("r-1"), "ErrorCode": text("200"), "ErrorMessage": text("it was not well") },
    });
    account.send_all("event-dlq", &message.to_string()).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    assert_eq!((&letter["consumer"], &letter["event_id"]), (&json!("unknown"), &event["eventId"]));
    assert_eq!(between.calls("PutEvents"), 0);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    let id = start(&server, &wish).await;
    let ended = ended(&server, &id).await;
    assert_eq!((&ended["succeeded"], between.asked("PutEvents")), (&json!(1), 1), "{ended}");
    let detail = server.site.json(format!("/api/v1/operations/{id}")).await;
    let note = detail["items"][0]["note"].as_str().unwrap_or_default();
    assert!(note.contains("nothing can be verified"), "{detail}");
}

/// As the design has it: rules invoke functions, and all of them leave what they give up in one queue, from which nobody can tell whose it
/// was.
#[tokio::test]
async fn what_functions_leave_in_a_queue_that_they_share_is_known_by_the_ledger() {
    let between = Between::of_nothing().await;
    let account = Account::deployed_behind(&between).await;
    let of = |name: &str| format!("{{name=\"{name}\", function=\"{PREFIX}-{name}-consumer\", queue=\"{PREFIX}-nothing\"}}");
    let server = Setup::new()
        .over(&account)
        .env("CUTOVER_AWS__CONSUMERS", format!("[{}, {}]", of("audit"), of("analytics")))
        .start()
        .await;
    leaves_letters_in(&account, "event-dlq", "analytics-consumer").await;

    between.set_by_body(|call, body| {
        if call.service == "dynamodb" && body.contains("-analytics-status\"") {
            Fate::Refused(400, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
    let event = updated("shared-1");
    let invoked = json!({ "FunctionName": format!("{PREFIX}-analytics-consumer"), "InvocationType": "Event", "Payload": event });
    account.call("lambda", "invoke", &invoked).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    assert_eq!(
        (&letter["consumer"], &letter["event_id"], &letter["error_code"]),
        (&json!("analytics"), &json!("shared-1"), &json!("StoreUnavailable")),
        "{letter}"
    );

    // It is invoked alone, gives up again, and its letter comes back as the one that it is.
    let redrive = async || {
        let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
        ended(&server, &start(&server, &wish).await).await
    };
    let failed = redrive().await;
    assert_eq!((&failed["failed"], &failed["succeeded"]), (&json!(1), &json!(0)), "{failed}");
    let again = there_are(&server, "", 1).await.remove(0);
    assert_eq!(
        (&again["id"], &again["status"], &again["failed_redrives"]),
        (&letter["id"], &json!("open"), &json!(1))
    );
    between.heal();
    let done = redrive().await;
    assert_eq!(done["succeeded"], 1, "{done}");
    assert_eq!(there_are(&server, "", 1).await[0]["status"], "redriven");
}

/// The same of functions that keep no ledger: what comes back is what was sent.
#[tokio::test]
async fn what_comes_back_through_a_shared_queue_is_the_letter_that_was_sent() {
    let account = Account::deployed().await;
    // It ends before it asks for anything: a run that failed.
    account.function("theirs", &json!({ "A": "b" })).await;
    leaves_letters_in(&account, "event-dlq", "theirs").await;
    let server = Setup::new()
        .over(&account)
        .env(
            "CUTOVER_AWS__CONSUMERS",
            format!("[{{name=\"analytics\", function=\"{PREFIX}-theirs\", queue=\"{PREFIX}-nothing\"}}]"),
        )
        .start()
        .await;
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let message = json!({
        "body": updated("back-1"),
        "attributes": { "TARGET_ARN": text(&format!("arn:aws:lambda:{REGION}:000000000000:function:{PREFIX}-theirs")), "ERROR_CODE": text("THROTTLING") },
    });
    account.send_all("event-dlq", &message.to_string()).await;
    let letter = there_are(&server, "status=open", 1).await.remove(0);
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "a test" });
    let failed = ended(&server, &start(&server, &wish).await).await;
    assert_eq!((&failed["failed"], &failed["succeeded"]), (&json!(1), &json!(0)), "{failed}");
    let again = there_are(&server, "", 1).await.remove(0);
    assert_eq!(
        (&again["id"], &again["consumer"], &again["failed_redrives"]),
        (&letter["id"], &json!("analytics"), &json!(1))
    );
}

/// Functions that keep no ledger, as the design has them: whose a letter is follows from who leaves letters in the queue, whom rules invoke
/// for such an event, and what the event store has. Of two who are left, nobody is guessed.
#[tokio::test]
async fn whose_a_letter_is_follows_from_who_can_have_given_up() {
    let account = Account::deployed().await;
    let theirs = |name: &str| format!("their-{name}");
    let rules = [
        ("analytics", json!({ "detail-type": ["order.placed", "order.paid"] })),
        ("notification", json!({ "detail-type": ["order.paid"] })),
        ("audit", json!({ "source": [{ "prefix": "order" }] })),
    ];
    for (name, pattern) in &rules {
        account.function(&theirs(name), &json!({ "A": "b" })).await;
        leaves_letters_in(&account, "event-dlq", &theirs(name)).await;
        invokes(&account, name, &theirs(name), pattern).await;
    }
    // One that leaves its letters elsewhere, though its rule fits.
    account.function(&theirs("categorization"), &json!({ "A": "b" })).await;
    leaves_letters_in(&account, "audit-dlq", &theirs("categorization")).await;
    // One that is no consumer's, and leaves them there.
    account.function("search", &json!({ "A": "b" })).await;
    leaves_letters_in(&account, "event-dlq", "search").await;
    invokes(&account, "search", "search", &json!({ "detail-type": ["order.found"] })).await;
    invokes(
        &account,
        "categorization",
        &theirs("categorization"),
        &json!({ "source": ["order.service"] }),
    )
    .await;
    let names = ["analytics", "notification", "audit", "categorization"];
    let consumers = names.map(|name| {
        format!(
            "{{name=\"{name}\", function=\"{PREFIX}-{}\", queue=\"{PREFIX}-nothing\"}}",
            theirs(name)
        )
    });
    let server = Setup::new()
        .over(&account)
        .env("CUTOVER_AWS__CONSUMERS", format!("[{}]", consumers.join(", ")))
        .start()
        .await;

    let detail = |id: &str, kind: &str| {
        json!({
            "eventId": id, "eventType": kind, "eventVersion": "1.0", "source": "order.service", "userId": "u-1",
            "timestamp": 1_790_000_000_000_i64, "data": {},
        })
    };
    let stored = ["o-placed", "o-paid", "o-kept"].map(|id| {
        let mut item = detail(id, "order.placed");
        let fields = item.as_object_mut().expect("fields");
        let data = fields.remove("data").expect("data");
        fields.insert("eventData".to_owned(), data);
        item.to_string()
    });
    account.put_items(&stored.join("\n")).await;
    let left = [
        // In the store: the auditor has done it, and of the others only analytics takes such.
        ("o-placed", "order.placed", "analytics"),
        // The auditor may as well have given up.
        ("o-lost", "order.placed", "unknown"),
        // Two others take such.
        ("o-paid", "order.paid", "unknown"),
        // Only the auditor takes such; of one that it has stored, nobody is left.
        ("o-sent", "order.sent", "audit"),
        ("o-kept", "order.sent", "unknown"),
        // Somebody else takes such as well.
        ("o-found", "order.found", "unknown"),
    ];
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let messages = left.map(|(id, kind, _)| {
        let delivered = json!({
            "version": "0", "id": id, "detail-type": kind, "source": "order.service", "account": "000000000000",
            "time": "2026-09-21T14:13:20Z", "region": REGION, "resources": [], "detail": detail(id, kind),
        });
        let said = json!({ "RequestID": text("r-1"), "ErrorCode": text("200"), "ErrorMessage": text("it was not well") });
        json!({ "body": delivered.to_string(), "attributes": said }).to_string()
    });
    account.send_all("event-dlq", &messages.join("\n")).await;
    let found = there_are(&server, "status=open", left.len()).await;
    for (id, _, consumer) in left {
        let letter = found.iter().find(|letter| letter["event_id"] == id).expect(id);
        assert_eq!(letter["consumer"], consumer, "{letter}");
    }
}

/// A queue that feeds a consumer moves what was received too often: which queue it was is known.
#[tokio::test]
async fn what_a_queue_moved_away_is_of_the_consumer_that_it_feeds() {
    let account = Account::deployed().await;
    let policy = json!({ "deadLetterTargetArn": arn_of(&account, "event-dlq").await, "maxReceiveCount": 1 }).to_string();
    let attributes = json!({ "RedrivePolicy": policy, "VisibilityTimeout": "0" });
    let fed = json!({ "QueueName": format!("{PREFIX}-orders"), "Attributes": attributes });
    let url = account.call("sqs", "create_queue", &fed).await["QueueUrl"].clone();
    let server = Setup::new()
        .over(&account)
        .env(
            "CUTOVER_AWS__CONSUMERS",
            format!("[{{name=\"orders\", function=\"{PREFIX}-orders\", queue=\"{PREFIX}-orders\"}}]"),
        )
        .start()
        .await;
    account.send("orders", &updated("moved-1")).await;
    // As where what it feeds fails for good: it is received, and not deleted.
    let letter = eventually("it is moved and taken over", async || {
        account.call("sqs", "receive_message", &json!({ "QueueUrl": url })).await;
        letters(&server, "status=open").await.pop()
    })
    .await;
    assert_eq!(
        (&letter["consumer"], &letter["event_id"]),
        (&json!("orders"), &json!("moved-1")),
        "{letter}"
    );
}

/// The ARN of a queue of the deployment.
async fn arn_of(account: &Account, queue: &str) -> Value {
    let queue = account
        .call("sqs", "get_queue_url", &json!({ "QueueName": format!("{PREFIX}-{queue}") }))
        .await;
    let asked = json!({ "QueueUrl": queue["QueueUrl"], "AttributeNames": ["QueueArn"] });
    account.call("sqs", "get_queue_attributes", &asked).await["Attributes"]["QueueArn"].clone()
}

/// Has a rule invoke a function, as the design's do.
async fn invokes(account: &Account, rule: &str, function: &str, pattern: &Value) {
    let (rule, bus) = (format!("{PREFIX}-their-{rule}"), format!("{PREFIX}-events"));
    let put = json!({ "Name": rule, "EventBusName": bus, "EventPattern": pattern.to_string() });
    account.call("events", "put_rule", &put).await;
    let arn = format!("arn:aws:lambda:{REGION}:000000000000:function:{PREFIX}-{function}");
    let put = json!({ "Rule": rule, "EventBusName": bus, "Targets": [{ "Id": "1", "Arn": arn }] });
    account.call("events", "put_targets", &put).await;
}

/// Has Lambda put what a function gives up into a queue.
async fn leaves_letters_in(account: &Account, queue: &str, function: &str) {
    let wanted = json!({
        "FunctionName": format!("{PREFIX}-{function}"),
        "DeadLetterConfig": { "TargetArn": arn_of(account, queue).await },
    });
    account.call("lambda", "update_function_configuration", &wanted).await;
}
