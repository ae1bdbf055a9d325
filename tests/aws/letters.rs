//! Dead letters, taken over from their queues in every shape.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::browser::Browser;
use tests::data::DLQ_MESSAGES;
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use crate::faults::page::said_in_time;

async fn letters(server: &tests::server::Cutover, query: &str) -> Vec<Value> {
    let page = server.site.json(format!("/api/v1/dead-letters?limit=500&{query}")).await;
    page["items"].as_array().expect("items").clone()
}

/// SQS takes no message without a body, and none with characters that XML 1.0 hasn't.
pub(crate) fn taken_by_sqs(body: &str) -> bool {
    let in_xml = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    !body.is_empty() && body.chars().all(in_xml)
}

/// Letters of every shape, as far as SQS takes them.
pub(crate) fn messages() -> Vec<Value> {
    let lines = DLQ_MESSAGES.lines().map(|line| serde_json::from_str(line).expect("a message"));
    lines
        .filter(|line: &Value| line["body"].as_str().is_some_and(taken_by_sqs))
        .collect()
}

#[tokio::test]
async fn letters_of_every_shape_are_taken_over_once() {
    let account = Account::deployed().await;
    // Two instances, and one that stays out of it.
    let setup = || Setup::new().over(&account);
    let (server, _other) = (setup().start().await, setup().start().await);
    let lines = messages();
    let sent: Vec<String> = lines.iter().map(Value::to_string).collect();
    account.send_all("audit-dlq", &sent.join("\n")).await;
    eventually("all are taken over", async || {
        let count = letters(&server, "").await.len();
        if count == lines.len() {
            Ok(())
        } else {
            Err(format!("{count} of {}", lines.len()))
        }
    })
    .await;
    eventually("the queue is empty", async || account.messages("audit-dlq").await == 0).await;
    let all = letters(&server, "").await;
    assert_eq!(all.len(), lines.len(), "each once, though two took them");
    let bodies: BTreeSet<String> = {
        let mut bodies = BTreeSet::new();
        for letter in &all {
            let id = letter["id"].as_str().expect("an id");
            bodies.insert(server.site.json(format!("/api/v1/dead-letters/{id}")).await["body"].to_string());
        }
        bodies
    };
    let sent: BTreeSet<String> = lines.iter().map(|line| line["body"].to_string()).collect();
    assert_eq!(bodies.len(), sent.len(), "each body is kept");
    let consumers: BTreeSet<&str> = all.iter().filter_map(|letter| letter["consumer"].as_str()).collect();
    assert!(consumers.contains("analytics"), "{consumers:?}");
    let unreadable = letters(&server, "error=Unreadable").await;
    let expected = lines.iter().filter(|line| line["shape"] == "poison").count();
    assert_eq!(unreadable.len(), expected, "{unreadable:?}");
    // They are counted once a second for all who ask.
    eventually("the groups hold them all", async || {
        let groups = server.site.json("/api/v1/dead-letters/groups").await;
        let groups = groups["items"].as_array().expect("groups").iter();
        let open: u64 = groups.filter_map(|group| group["open"].as_u64()).sum();
        if open == lines.len() as u64 {
            Ok(())
        } else {
            Err(open.to_string())
        }
    })
    .await;

    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.says("#groups-title", &format!("{} open", lines.len())).await;
    browser.says("table.letters", "analytics").await;
    browser.click("table.letters a[href^='/dead-letters/']").await;
    browser.says(".kv", "Failed in").await;
    browser.close().await;
}

/// Whoever takes letters over is killed before they are kept, and then before they are deleted: the next has each once.
#[tokio::test]
async fn letters_outlive_whoever_takes_them_over() {
    let account = Account::deployed().await;
    account.comes_again_after("audit-dlq", 1).await;
    let events = tests::data::DELIVERED_EVENTS.lines().take(5);
    let messages: Vec<String> = events.map(|event| json!({ "body": event }).to_string()).collect();
    account.send_all("audit-dlq", &messages.join("\n")).await;
    let open = async |server: &Cutover| letters(server, "status=open").await.len();

    for (held, kept) in [("PutItem", 0), ("DeleteMessageBatch", 5)] {
        let between = Between::of(account.endpoint()).await;
        between.set_by_body(move |call, body| {
            let letters = call.service != "dynamodb" || body.contains("-cutover-letters");
            if call.operation == held && letters {
                Fate::Silence(Duration::from_secs(60))
            } else {
                Fate::Answered
            }
        });
        let doomed = Setup::new().at(between.endpoint()).start().await;
        eventually("it has got that far", async || {
            between.calls(held) > 0 && open(&doomed).await == kept
        })
        .await;
        doomed.kill().await;
        assert_eq!(account.messages("audit-dlq").await, 5, "killed at {held}, it had deleted nothing");
    }

    let server = Setup::new().over(&account).start().await;
    eventually("the queue is empty", async || account.messages("audit-dlq").await == 0).await;
    let all = letters(&server, "").await;
    let ids: BTreeSet<&str> = all.iter().filter_map(|letter| letter["event_id"].as_str()).collect();
    assert_eq!((all.len(), ids.len()), (5, 5), "{all:?}");
}

/// What the consumer gave up on comes from its own queue, and says so; with takeover off it stays where it is.
#[tokio::test]
async fn what_a_consumer_gave_up_on_stays_where_it_is_if_asked() {
    let account = Account::deployed().await;
    let delivered = tests::data::DELIVERED_EVENTS.lines().next().expect("an event");
    account.send("audit-dlq", delivered).await;
    account.send("event-dlq", delivered).await;
    account.send("event-dlq", delivered).await;
    // What CloudWatch says of the shared one; of the other it has said nothing yet.
    let age = json!({
        "namespace": "AWS/SQS",
        "dimensions": { "QueueName": format!("{PREFIX}-event-dlq") },
        "name": "ApproximateAgeOfOldestMessage",
        "points": [[360, [7_200.0]]],
    });
    account.put_metrics(&age.to_string()).await;
    let between = Between::of(account.endpoint()).await;
    let aside = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_DEAD_LETTERS__TAKEOVER", "false")
        .start()
        .await;
    assert_eq!(letters(&aside, "").await, Vec::<Value>::new());
    let queues = eventually("the age was measured", async || {
        let queues = aside.site.json("/api/v1/dead-letters/queues").await;
        if queues["items"][0]["oldest"].is_null() {
            Err(queues.to_string())
        } else {
            Ok(queues)
        }
    })
    .await;
    let of = |name: &str| {
        let all = queues["items"].as_array().expect("items");
        all.iter().find(|queue| queue["name"] == format!("{PREFIX}-{name}")).expect(name)
    };
    assert_eq!(queues["taken_over"], false);
    assert_eq!(
        (&of("event-dlq")["waiting"], &of("event-dlq")["consumer"]),
        (&json!(2), &Value::Null),
        "{queues}"
    );
    let oldest = of("event-dlq")["oldest"].as_str().expect("a time");
    let ago = chrono::Utc::now() - oldest.parse::<chrono::DateTime<chrono::Utc>>().expect("RFC 3339");
    assert!((115..=130).contains(&ago.num_minutes()), "two hours old some minutes ago: {oldest}");
    assert_eq!(
        (
            &of("audit-dlq")["waiting"],
            &of("audit-dlq")["consumer"],
            &of("audit-dlq")["oldest"]
        ),
        (&json!(1), &json!("audit"), &Value::Null)
    );
    let overview = aside.site.json("/api/v1/overview").await;
    assert_eq!(
        (&overview["dead_letters"]["open"], &overview["dead_letters_staying"]),
        (&json!(0), &json!(3)),
        "{overview}"
    );
    let browser = Browser::open(&aside.site).await;
    browser.visit("/dead-letters").await;
    browser.says("#queues-title", "3 waiting").await;
    browser.says("#queues-title", "not taken over").await;
    browser.says("table.queues", "not measured yet").await;
    browser.says("#groups-title", "3 more in their queues").await;
    browser.says("nav a[href='/dead-letters']", "3").await;
    browser.picture("aws-queues").await;
    // While SQS is away the rest of the page goes on, and says what is old.
    between.set(|call| {
        if call.service == "sqs" {
            Fate::Refused(503, "ServiceUnavailable")
        } else {
            Fate::Answered
        }
    });
    said_in_time(&between, "it is said to be old", async || {
        let said = browser.text("main .stale").await;
        if said.contains("SQS does not answer") { Ok(()) } else { Err(said) }
    })
    .await;
    browser.says("table.queues", "event-dlq").await;
    browser.says("#groups-title", "in their queues not known").await;
    between.heal();
    eventually("it is new again", async || browser.texts("main .stale").await.is_empty()).await;
    browser.close_but_for(|complaint| complaint.contains("503")).await;
    assert_eq!(between.calls("ReceiveMessage"), 0, "nothing is received");
    assert_eq!(account.messages("audit-dlq").await, 1);
    drop(aside);
    let server = Setup::new().over(&account).start().await;
    eventually("they are taken over", async || letters(&server, "").await.len() == 3).await;
    let letter = letters(&server, "consumer=audit").await.remove(0);
    assert_eq!(letter["error_code"], "GaveUp");
    assert_eq!(server.site.json("/api/v1/dead-letters/queues").await["taken_over"], true);
    eventually("the queue is empty", async || account.messages("audit-dlq").await == 0).await;
}
