//! The functions' own calls while DynamoDB and SQS fail: each event is completed once by each consumer, whatever was lost on the way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::account::{of_ledger, settled};
use tests::between::{Between, Call, Fate};
use tests::deployment::Account;
use tests::event;
use tests::server::{Cutover, Setup};
use tests::wait::{PATIENCE, within};

use super::{TOO_LATE, first, nth};

/// Events of each kind.
const EACH: usize = 4;

/// Events for every consumer but one that needs transactions of its own; as entries, one a line, and their ids.
pub(super) fn some(count: usize) -> (String, Vec<String>) {
    let all: Vec<Value> = (0..count).flat_map(|_| [event::updated(), event::account_deleted()]).collect();
    let lines: Vec<String> = all.iter().map(|event| event::entry(event).to_string()).collect();
    let ids = all.iter().map(|event| event["eventId"].as_str().expect("an id").to_owned());
    (lines.join("\n"), ids.collect())
}

/// What the criterion of no data loss says.
pub(super) async fn data_loss(server: &Cutover) -> Value {
    let overview = server.site.json("/api/v1/overview").await;
    let criteria = overview["criteria"].as_array().expect("criteria").clone();
    criteria.into_iter().find(|c| c["id"] == "data_loss").expect("the criterion")
}

/// Each event is stored once, and each consumer that it is for has completed it once.
pub(super) async fn completed_once(server: &Cutover, ids: &[String]) {
    let stored = crate::every_page(server, "", 500).await;
    for id in ids {
        let times = stored.iter().filter(|event| event["eventId"] == id.as_str()).count();
        assert_eq!(times, 1, "{id} is stored {times} times");
        let answer = server.site.json(format!("/api/v1/events/{id}")).await;
        let outcome = of_ledger(&answer["ledger"]);
        assert!(outcome.len() >= 2, "{answer}");
        for (consumer, (state, completions)) in outcome {
            assert_eq!((state.as_str(), completions), ("completed", 1), "{consumer}: {answer}");
        }
    }
}

#[tokio::test]
async fn each_event_is_completed_once_whatever_the_functions_meet() {
    let between = Between::of_nothing().await;
    let account = Account::deployed_behind(&between).await;
    let server = Setup::new().over(&account).start().await;
    let mut all = Vec::new();
    for (operation, fate, every) in [
        ("TransactWriteItems", Fate::Unheard, 2),
        ("TransactWriteItems", Fate::Torn, 2),
        ("TransactWriteItems", Fate::Refused(500, "InternalServerError"), 2),
        ("TransactWriteItems", Fate::Refused(400, "ThrottlingException"), 2),
        ("TransactWriteItems", Fate::Broken, 2),
        ("TransactWriteItems", TOO_LATE, 5),
        ("GetItem", Fate::Broken, 3),
    ] {
        between.set(nth(every, move |call: &Call| call.operation == operation, fate));
        let (entries, ids) = some(EACH);
        all.extend(ids);
        let calls = between.calls(operation);
        assert_eq!(account.put_events(&entries).await.failed, 0);
        settled(&server, all.len()).await;
        assert!(between.calls(operation) > calls + EACH, "{operation} was not met");
    }
    // The SDK doesn't try this again, and a function gives up after three attempts: a few in a row.
    let expired = |call: &Call, _: &str| call.operation == "GetItem";
    between.set_by_body(first(4, expired, Fate::Refused(400, "ExpiredTokenException")));
    let (entries, ids) = some(EACH);
    all.extend(ids);
    assert_eq!(account.put_events(&entries).await.failed, 0);
    settled(&server, all.len()).await;
    assert!(account.output().contains("ExpiredTokenException"), "it was not met");
    between.heal();
    completed_once(&server, &all).await;
    assert_eq!(data_loss(&server).await["status"], "passing");
    let letters = server.site.json("/api/v1/dead-letters").await;
    assert_eq!(letters["items"], json!([]), "none was given up");
}

/// Of a batch only the message that failed is tried again.
#[tokio::test]
async fn of_a_batch_what_failed_is_tried_again_alone() {
    let between = Between::of_nothing().await;
    let account = Account::deployed_behind(&between).await;
    let server = Setup::new().over(&account).start().await;
    let (entries, ids) = some(EACH);
    let unlucky = ids[0].clone();
    // Permanently for two runs of the function, as far as it tells; the SDK doesn't try this again.
    between.set_by_body(super::first(
        2,
        move |call, body| call.operation == "TransactWriteItems" && body.contains("-event-store\"") && body.contains(&unlucky),
        Fate::Refused(400, "AccessDeniedException"),
    ));
    assert_eq!(account.put_events(&entries).await.failed, 0);
    settled(&server, ids.len()).await;
    completed_once(&server, &ids).await;
    for (n, id) in ids.iter().enumerate() {
        let answer = server.site.json(format!("/api/v1/events/{id}")).await;
        let deliveries = answer["ledger"]["deliveries"].as_array().expect("deliveries").clone();
        let audit = deliveries.into_iter().find(|d| d["consumer"] == "audit").expect("audit's");
        let attempts = audit["attempts"].as_array().map(Vec::len);
        assert_eq!(attempts, Some(if n == 0 { 3 } else { 1 }), "{audit}");
    }
}

/// What a function gives up and can't write down is tried again, and in the end a letter of its queue.
#[tokio::test]
async fn what_can_not_even_be_given_up_is_not_lost() {
    let between = Between::of_nothing().await;
    let account = Account::deployed_behind(&between).await;
    account.comes_again_after("audit", 4).await;
    let server = Setup::new().over(&account).start().await;
    let (entries, ids) = some(1);
    between.set_by_body(|call, body| {
        let writes = call.operation == "TransactWriteItems" && (body.contains("-event-store\"") || body.contains("-cutover-letters\""));
        if writes {
            Fate::Refused(400, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
    assert_eq!(account.put_events(&entries).await.failed, 0);
    let letters = crate::redrive::there_are(&server, "status=open&consumer=audit", ids.len()).await;
    between.heal();
    let letter_ids: Vec<&Value> = letters.iter().map(|letter| &letter["id"]).collect();
    let wish = json!({ "kind": "redrive", "select": { "ids": letter_ids }, "reason": "the tables are back" });
    let id = crate::redrive::start(&server, &wish).await;
    let ended = crate::redrive::ended(&server, &id).await;
    assert_eq!(ended["succeeded"], ids.len(), "{ended}");
    settled(&server, ids.len()).await;
    completed_once(&server, &ids).await;
    assert_eq!(crate::redrive::letters(&server, "").await.len(), ids.len(), "each letter once");
}

/// More than a transaction holds is done a part at a time. A run that breaks off in between loses none of what it would have said.
#[tokio::test]
async fn what_a_function_publishes_of_a_large_file_is_complete_though_a_run_breaks_off() {
    const MANY: usize = 100;
    let between = Between::of_nothing().await;
    let account = Account::deployed_behind(&between).await;
    let server = Setup::new().over(&account).start().await;
    let ids: Vec<String> = (0..MANY).map(|n| format!("t-{n:03}")).collect();
    let transactions = ids
        .iter()
        .map(|id| json!({ "userId": "u-1", "transactionId": id, "accountId": "a-1", "description": "TESCO" }).to_string());
    account
        .put_items_into("transactions", &transactions.collect::<Vec<_>>().join("\n"))
        .await;
    let rule = json!({ "userId": "u-1", "ruleId": "r-1", "categoryId": "groceries", "pattern": "TESCO", "priority": 1 });
    account.put_items_into("category-rules", &rule.to_string()).await;
    // Of what comes after the first part some events are refused, for longer than a run tries.
    let met = AtomicUsize::new(0);
    between.set(move |call| {
        let nth = if call.operation == "PutEvents" {
            met.fetch_add(1, Ordering::Relaxed)
        } else {
            0
        };
        if (6..24).contains(&nth) {
            Fate::Refused(503, "ServiceUnavailable")
        } else {
            Fate::Answered
        }
    });
    let file =
        json!({ "fileId": "f-1", "accountId": "a-1", "transactionCount": MANY, "processingStatus": "success", "transactionIds": ids });
    let processed = event::of("file.processed", "transaction.service", &file);
    let processed = with(processed, "userId", "u-1");
    assert_eq!(account.put_events(&event::entry(&processed).to_string()).await.failed, 0);
    within(PATIENCE * 3, "each is said to be categorized", async || {
        let said = crate::every_page(&server, "type=transaction.categorized", 500).await;
        let of: BTreeSet<&str> = said.iter().filter_map(|event| event["data"]["transactionId"].as_str()).collect();
        if of.len() == MANY {
            Ok(())
        } else {
            Err(format!("{} of {MANY}, {} calls", of.len(), between.calls("PutEvents")))
        }
    })
    .await;
    assert!(between.calls("PutEvents") > 24, "a run broke off");
    settled(&server, MANY + 1).await;
    let said = crate::every_page(&server, "type=transaction.categorized", 500).await;
    assert_eq!(said.len(), MANY, "each once");
}

fn with(mut event: Value, field: &str, value: &str) -> Value {
    event[field] = json!(value);
    event
}
