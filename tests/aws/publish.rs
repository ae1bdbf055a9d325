//! A service that publishes with our publisher: on the bus, by the flags, through faults.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use pipeline::aws::{Connection, Names, configuration, publisher};
use pipeline::event::{Draft, Event};
use pipeline::ports::PublishError;
use pipeline::publisher::{Published, Publisher};
use serde_json::{Value, json};
use tests::account::{settled, stored};
use tests::between::{Between, Fate};
use tests::browser::Browser;
use tests::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use tests::server::{Cutover, Setup, binary};
use tests::wait::eventually;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::faults::fails;

/// What a table answers that may not be read.
const DENIED: Fate = Fate::Refused(400, "AccessDeniedException");

pub(crate) async fn connected(endpoint: &str) -> Publisher {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    let sdk = configuration(Some(REGION), Some(endpoint))
        .credentials_provider(credentials)
        .load()
        .await;
    publisher(&Connection::from(sdk), &Names::of(PREFIX))
}

fn event() -> Event {
    let text = r#"{ "eventType": "weather.changed", "source": "weather.service", "userId": "u-1", "data": {} }"#;
    Publisher::stamp(Draft::from_json(text).expect("a draft"), false).expect("an event")
}

async fn summary(server: &Cutover) -> Value {
    let overview = server.site.json("/api/v1/overview").await;
    let criteria = overview["criteria"].as_array().expect("criteria").clone();
    criteria.into_iter().find(|c| c["id"] == "data_loss").expect("the criterion")
}

#[tokio::test]
async fn a_publisher_keeps_to_the_flags_and_loses_nothing_to_faults() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().over(&account).start().await;
    let publisher = connected(between.endpoint()).await;

    // The answer is lost after the bus has taken it: it is published again, and completed once.
    let lost = std::sync::atomic::AtomicUsize::new(0);
    between.set(move |call| {
        let first = call.operation == "PutEvents" && lost.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        if first { Fate::Unheard } else { Fate::Answered }
    });
    let unheard = event();
    let answers = publisher.publish(vec![unheard.clone()]).await;
    assert!(
        matches!(answers.as_slice(), [Published::Accepted(receipt)] if receipt.event_id == unheard.event_id),
        "{answers:?}"
    );
    assert!(between.calls("PutEvents") >= 2);
    let path = format!("/api/v1/events/{}", unheard.event_id);
    eventually("it is in the store", async || server.site.get(&path).await.status == 200).await;

    // The bus is away for longer than the publisher tries: a dead letter, which a redrive publishes.
    between.set(|call| {
        if call.operation == "PutEvents" {
            Fate::Refused(503, "ServiceUnavailable")
        } else {
            Fate::Answered
        }
    });
    let answers = publisher.publish(vec![event()]).await;
    assert!(
        matches!(answers.as_slice(), [Published::Buried(PublishError::Unavailable(_))]),
        "{answers:?}"
    );
    between.heal();
    let letters = eventually("its letter is taken over", async || {
        let letters = server.site.json("/api/v1/dead-letters?consumer=publisher").await;
        if letters["items"][0].is_null() {
            Err(letters.to_string())
        } else {
            Ok(letters)
        }
    })
    .await;
    let letter = &letters["items"][0];
    assert_eq!(
        (&letter["error_code"], &letter["permanent"]),
        (&json!("BusUnavailable"), &json!(false)),
        "{letters}"
    );
    let wish = json!({ "kind": "redrive", "select": { "ids": [letter["id"]] }, "reason": "the bus is back" });
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    eventually("both are completed, and nothing is unaccounted for", async || {
        let criterion = summary(&server).await;
        if criterion["samples"] == 2 && criterion["status"] == "passing" && criterion["why"] == "2 published, all accounted for" {
            Ok(())
        } else {
            Err(criterion.to_string())
        }
    })
    .await;

    // A change of the flags is followed within seconds; while the table can't be read, the last that were known apply.
    let change = json!({ "scope": "global", "publishing": false, "direct": true, "reason": "a rehearsal", "expected_version": 0 });
    server.site.put("/api/v1/flags", &change).await.expect(200);
    eventually("publishing is off", async || {
        publisher.publish(vec![event()]).await == [Published::Off]
    })
    .await;
    between.set(fails("dynamodb", DENIED));
    let began = std::time::Instant::now();
    eventually("what was known is old", async || {
        assert_eq!(publisher.publish(vec![event()]).await, [Published::Off]);
        began.elapsed().as_secs() >= 4
    })
    .await;
}

/// Without its tables a publisher goes on: the bus comes first, and what that doesn't take is in the dead-letter queue.
#[tokio::test]
async fn a_publisher_goes_on_while_the_tables_are_away() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().over(&account).start().await;
    let publisher = connected(between.endpoint()).await;
    between.set(fails("dynamodb", DENIED));
    let events = vec![event(), event()];
    let ids: Vec<String> = events.iter().map(|event| event.event_id.clone()).collect();
    let answers = publisher.publish(events).await;
    assert!(answers.iter().all(|answer| matches!(answer, Published::Accepted(_))), "{answers:?}");
    for id in ids {
        let path = format!("/api/v1/events/{id}");
        eventually("it is in the store", async || server.site.get(&path).await.status == 200).await;
    }

    between.set(|call| match (call.service.as_str(), call.operation.as_str()) {
        ("dynamodb", _) => DENIED,
        (_, "PutEvents") => Fate::Refused(503, "ServiceUnavailable"),
        _ => Fate::Answered,
    });
    let lost = event();
    let answers = publisher.publish(vec![lost.clone()]).await;
    assert!(
        matches!(answers.as_slice(), [Published::Buried(PublishError::Unavailable(_))]),
        "{answers:?}"
    );
    let letter = eventually("it comes through the dead-letter queue", async || {
        let letters = server.site.json("/api/v1/dead-letters?consumer=publisher").await;
        letters["items"].get(0).cloned().ok_or_else(|| letters.to_string())
    })
    .await;
    assert_eq!(
        (&letter["event_id"], &letter["error_code"], &letter["permanent"]),
        (&json!(lost.event_id), &json!("BusUnavailable"), &json!(false)),
        "{letter}"
    );
}

/// Of a call the bus takes some entries and fails others: what it took is not sent again.
#[tokio::test]
async fn of_a_call_that_fails_in_part_the_rest_alone_is_sent_again() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().over(&account).start().await;
    let publisher = connected(between.endpoint()).await;
    let events: Vec<Event> = (0..12).map(|_| event()).collect();

    // How often each event was sent, and how often it failed: of each of the first calls the first.
    let sent: Arc<Mutex<HashMap<String, [usize; 2]>>> = Arc::default();
    let (counted, ids) = (Arc::clone(&sent), events.iter().map(|e| e.event_id.clone()).collect::<Vec<_>>());
    let wanted = ids.clone();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    between.set_by_body(move |call, body| {
        if call.operation != "PutEvents" {
            return Fate::Answered;
        }
        let mut counted = counted.lock().expect("the counts");
        let mut entries: Vec<(usize, &String)> = ids.iter().filter_map(|id| Some((body.find(id.as_str())?, id))).collect();
        entries.sort();
        for (_, id) in &entries {
            counted.entry((*id).clone()).or_default()[0] += 1;
        }
        if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2 {
            counted.entry(entries[0].1.clone()).or_default()[1] += 1;
            Fate::InPart
        } else {
            Fate::Answered
        }
    });
    let answers = publisher.publish(events).await;
    let accepted: Vec<&str> = answers
        .iter()
        .map(|answer| match answer {
            Published::Accepted(receipt) => receipt.event_id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(accepted, wanted, "each is accepted, in its place");
    let times: Vec<[usize; 2]> = sent.lock().expect("the counts").values().copied().collect();
    assert_eq!(times.iter().map(|[_, failed]| failed).sum::<usize>(), 2, "{times:?}");
    assert!(
        times.len() == 12 && times.iter().all(|[sent, failed]| *sent == failed + 1),
        "what was taken is not sent again: {times:?}"
    );
    settled(&server, wanted.len()).await;
    let mut there: Vec<String> = stored(&server)
        .await
        .iter()
        .map(|e| e["eventId"].as_str().unwrap_or_default().to_owned())
        .collect();
    let mut wanted = wanted;
    there.sort();
    wanted.sort();
    assert_eq!(there, wanted, "each is stored once");

    // One entry that the bus never takes is a dead letter; those beside it are not.
    let (bad, good) = (event(), [event(), event()]);
    let id = bad.event_id.clone();
    between.set_by_body(move |call, body| {
        if call.operation == "PutEvents" && body.contains(&id) {
            Fate::InPart
        } else {
            Fate::Answered
        }
    });
    let all = vec![bad.clone(), good[0].clone(), good[1].clone()];
    let answers = publisher.publish(all).await;
    assert!(
        matches!(
            answers.as_slice(),
            [Published::Buried(_), Published::Accepted(_), Published::Accepted(_)]
        ),
        "{answers:?}"
    );
    between.heal();
    let letters = server.site.json("/api/v1/dead-letters?consumer=publisher").await;
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(1), "{letters}");
    assert_eq!(letters["items"][0]["event_id"], json!(bad.event_id), "{letters}");
}

/// The example is a process of its own, as a service is.
#[tokio::test]
async fn the_example_publishes_what_it_is_given() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let drafts = r#"{ "eventType": "account.updated", "source": "account.service", "userId": "u-1", "data": { "accountId": "a-1", "changes": [] } }
{ "eventType": "weather.changed", "source": "weather.service", "userId": "u-2", "data": {} }"#;
    let said = example(account.endpoint(), drafts).await;
    let ids: Vec<&str> = said.lines().filter_map(|line| line.strip_suffix(" is on the bus")).collect();
    assert_eq!(ids.len(), 2, "{said}");
    for id in ids {
        let path = format!("/api/v1/events/{id}");
        eventually("it is in the store", async || server.site.get(&path).await.status == 200).await;
    }
    settled(&server, 2).await;
}

/// The stage is changed in the browser; what a service then publishes is what the stage says.
#[tokio::test]
async fn a_flag_changes_what_a_service_does() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let browser = Browser::open(&server.site).await;
    let draft = r#"{ "eventType": "account.updated", "source": "account.service", "userId": "u-1", "data": { "accountId": "a-1", "changes": [] } }"#;
    let published = async || example(account.endpoint(), draft).await;
    assert!(published().await.contains("is on the bus"));
    settled(&server, 1).await;

    browser.visit("/cutover").await;
    browser.says("[aria-label=Stage]", "Shadow").await;
    let row = "table.flags tbody tr:first-child";
    let change = async |stage: &str, reason: &str| {
        browser.click(&format!("{row} summary")).await;
        browser.click(&format!("{row} label.choice:has(input[value=\"{stage}\"])")).await;
        browser.type_into("#flag-reason-global", reason).await;
        browser.click(&format!("{row} label.choice:has(input[name=confirmed])")).await;
        browser.click(&format!("{row} button.main")).await;
        browser.says(".said-done", &format!("“{stage}”")).await;
    };
    change("direct only", "rehearsing the rollback").await;
    browser.says("[aria-label=Stage]", "Direct only").await;
    let said = published().await;
    assert!(said.contains("was not sent: publishing is switched off"), "{said}");

    change("shadow", "rehearsed").await;
    assert!(published().await.contains("is on the bus"));
    settled(&server, 2).await;
    browser.says("section[aria-labelledby=history-title]", "shadow → direct only").await;
    browser.visit("/activity").await;
    let deeds = browser.texts("tbody tr").await;
    let changes = deeds.iter().filter(|row| row.contains("flags.change") && row.contains("done"));
    assert_eq!(changes.count(), 2, "{deeds:?}");
    // And on the charts: a mark for the changes.
    browser.visit("/").await;
    let marks = "section[aria-labelledby=throughput-title] .chart-flags title";
    browser.present(marks).await;
    let script = "return [...document.querySelectorAll(arguments[0])].map(t => t.textContent).join('\\n')";
    let titles = browser.run(script, vec![marks.into()]).await;
    assert!(
        titles.as_str().is_some_and(|text| text.contains("rehearsing the rollback")),
        "{titles}"
    );
    browser.close().await;
}

/// Runs the example in a deployment; what it says.
async fn example(endpoint: &str, drafts: &str) -> String {
    let program = binary().with_file_name("examples").join("publish");
    let mut child = Command::new(&program)
        .arg(PREFIX)
        .env_clear()
        .envs(CREDENTIALS)
        .env("AWS_REGION", REGION)
        .env("AWS_ENDPOINT_URL", endpoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; build the workspace with its examples", program.display()));
    let mut input = child.stdin.take().expect("an input");
    input.write_all(drafts.as_bytes()).await.expect("it listens");
    drop(input);
    let output = child.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
