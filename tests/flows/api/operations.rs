//! `/api/v1/operations`.

use serde_json::{Value, json};
use tests::server::Cutover;
use tests::wait::eventually;

use super::{items, letters, text, with_letters};

const OPERATIONS: &str = "/api/v1/operations";

fn wish(kind: &str, select: &Value) -> Value {
    json!({ "kind": kind, "select": select, "reason": "a test says so" })
}

/// Starts an operation and waits for its end.
async fn carried_out(server: &Cutover, wish: &Value) -> Value {
    let started = server.site.post(OPERATIONS, wish).await.expect(202).json();
    let path = format!("{OPERATIONS}/{}", text(&started["id"]));
    eventually("the operation ends", async || {
        let detail = server.site.json(&path).await;
        if detail["operation"]["status"] == "done" {
            Ok(detail)
        } else {
            Err(detail.to_string())
        }
    })
    .await
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let (server, _) = with_letters(3).await;
    let mut dry = wish("redrive", &json!({ "filter": { "consumer": "categorization" } }));
    dry["dry_run"] = json!(true);
    let operation = server.site.post(OPERATIONS, &dry).await.expect(202).json();
    assert_eq!((&operation["status"], &operation["total"]), (&json!("dry_run"), &json!(3)));
    assert_eq!(letters(&server, "status=open").await.len(), 3);
    assert!(items(&server.site.json("/api/v1/activity").await).is_empty(), "looking is no deed");
}

#[tokio::test]
async fn what_is_poison_fails_again_and_says_so() {
    let (server, _) = with_letters(2).await;
    let ids = letters(&server, "status=open").await;
    let detail = carried_out(&server, &wish("redrive", &json!({ "ids": ids }))).await;
    let operation = &detail["operation"];
    assert_eq!(
        json!([operation["total"], operation["succeeded"], operation["failed"]]),
        json!([2, 0, 2])
    );
    for item in detail["items"].as_array().expect("items") {
        assert_eq!(item["status"], "failed");
        assert!(!text(&item["note"]).is_empty(), "{item}");
    }
    let letter = server.site.json(format!("/api/v1/dead-letters/{}", ids[0])).await;
    assert_eq!(
        json!([letter["letter"]["status"], letter["letter"]["failed_redrives"]]),
        json!(["open", 1])
    );
    assert_eq!(letter["history"].as_array().map(Vec::len), Some(2), "both attempts are on record");
}

#[tokio::test]
async fn what_is_discarded_can_be_restored() {
    let (server, _) = with_letters(3).await;
    let ids = letters(&server, "status=open").await;
    let detail = carried_out(&server, &wish("discard", &json!({ "ids": [ids[0]] }))).await;
    assert_eq!(detail["operation"]["succeeded"], 1);
    assert_eq!(letters(&server, "status=discarded").await, [ids[0].clone()]);
    // A letter that is in no state for it is passed over, not acted on.
    let detail = carried_out(&server, &wish("redrive", &json!({ "ids": [ids[0]] }))).await;
    assert_eq!(
        json!([detail["operation"]["succeeded"], detail["operation"]["failed"]]),
        json!([0, 0]),
        "{detail}"
    );
    let detail = carried_out(&server, &wish("restore", &json!({ "filter": { "status": "discarded" } }))).await;
    assert_eq!(detail["operation"]["succeeded"], 1);
    assert_eq!(letters(&server, "status=open").await.len(), 3);
    let kinds: Vec<String> = items(&server.site.json(OPERATIONS).await)
        .iter()
        .map(|o| text(&o["kind"]))
        .collect();
    assert_eq!(kinds, ["restore", "redrive", "discard"], "newest first");
}

#[tokio::test]
async fn what_runs_can_be_cancelled_and_what_has_ended_can_not() {
    let (server, _) = with_letters(10).await;
    let mut slow = wish("discard", &json!({ "filter": {} }));
    slow["rate"] = json!(1);
    let started = server.site.post(OPERATIONS, &slow).await.expect(202).json();
    let path = format!("{OPERATIONS}/{}", text(&started["id"]));
    let cancelled = server.site.post(format!("{path}/cancel"), &json!({})).await.expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    server.site.post(format!("{path}/cancel"), &json!({})).await.error(409, "conflict");
    let (open, done) = (letters(&server, "status=open").await.len(), server.site.json(&path).await);
    let discarded = done["operation"]["succeeded"].as_u64().expect("a count");
    assert_eq!(open as u64, 10 - discarded, "what had not begun is left alone: {done}");
    server
        .site
        .post(format!("{OPERATIONS}/none/cancel"), &json!({}))
        .await
        .error(404, "not_found");
    server.site.get(format!("{OPERATIONS}/none")).await.error(404, "not_found");
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused() {
    let (server, _) = with_letters(1).await;
    let select = json!({ "filter": {} });
    let mut without_reason = wish("redrive", &select);
    without_reason["reason"] = json!(" ");
    let mut no_pace = wish("redrive", &select);
    no_pace["rate"] = json!(0);
    let cases = [
        (without_reason, "reason"),
        (no_pace, "rate"),
        (wish("burn", &select), "burn"),
        (wish("redrive", &json!({ "ids": [] })), "ids"),
        (wish("redrive", &json!({ "filter": { "colour": "red" } })), "colour"),
        (json!({ "kind": "redrive", "reason": "x" }), "select"),
    ];
    for (wish, word) in cases {
        let reply = server.site.post(OPERATIONS, &wish).await;
        assert!([400, 422].contains(&reply.status), "{wish}: {} {}", reply.status, reply.text());
        let message = text(&reply.json()["error"]["message"]);
        assert!(message.contains(word), "{wish}: {message}");
    }
    assert_eq!(letters(&server, "status=open").await.len(), 1);
}

#[tokio::test]
async fn operations_are_listed_page_by_page() {
    let (server, _) = with_letters(1).await;
    for _ in 0..3 {
        carried_out(&server, &wish("discard", &json!({ "filter": { "status": "open" } }))).await;
    }
    let first = server.site.json(format!("{OPERATIONS}?limit=2")).await;
    let next = text(&first["next"]);
    let second = server.site.json(format!("{OPERATIONS}?limit=2&cursor={next}")).await;
    let ids: Vec<String> = items(&first).iter().chain(&items(&second)).map(|o| text(&o["id"])).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.windows(2).all(|pair| pair[0] > pair[1]), "newest first, each once: {ids:?}");
    assert!(second["next"].is_null());
    assert!(
        server
            .site
            .get(format!("{OPERATIONS}?limit=0"))
            .await
            .error(422, "invalid")
            .contains("limit")
    );
}
