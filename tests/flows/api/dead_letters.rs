//! `/api/v1/dead-letters`.

use serde_json::json;

use super::{is_time, items, letters, text, with_letters};

#[tokio::test]
async fn a_letter_says_what_failed_and_why() {
    let (server, events) = with_letters(3).await;
    let page = server.site.json("/api/v1/dead-letters?limit=2").await;
    assert_eq!(page["matching"], 3);
    assert_eq!(items(&page).len(), 2);
    let rest = letters(&server, &format!("limit=2&cursor={}", text(&page["next"]))).await;
    assert_eq!(rest.len(), 1, "the second page has the last");
    let letter = &items(&page)[0];
    assert_eq!(
        json!([
            letter["consumer"],
            letter["error_code"],
            letter["permanent"],
            letter["attempts"],
            letter["status"]
        ]),
        json!(["categorization", "InvalidPayload", true, 1, "open"])
    );
    assert!(is_time(&letter["failed_at"]) && is_time(&letter["published_at"]), "{letter}");
    assert!(events.contains(&text(&letter["event_id"])));

    let detail = server.site.json(format!("/api/v1/dead-letters/{}", text(&letter["id"]))).await;
    assert_eq!(detail["letter"], *letter);
    assert_eq!(detail["done_by"], json!(["analytics", "audit"]));
    assert_eq!(detail["history"].as_array().map(Vec::len), Some(1));
    assert!(text(&detail["body"]).contains(&text(&letter["event_id"])), "{detail}");

    let groups = items(&server.site.json("/api/v1/dead-letters/groups").await);
    assert_eq!(groups.len(), 1);
    assert_eq!((&groups[0]["consumer"], &groups[0]["open"]), (&json!("categorization"), &json!(3)));
    server.site.get("/api/v1/dead-letters/no-such-letter").await.error(404, "not_found");
}

#[tokio::test]
async fn each_filter_narrows() {
    let (server, events) = with_letters(2).await;
    for (query, count) in [
        ("status=open", 2),
        ("status=redriven", 0),
        ("consumer=categorization", 2),
        ("consumer=audit", 0),
        ("error=InvalidPayload", 2),
        ("error=Outage", 0),
        ("type=file.processed", 2),
        ("type=account.deleted", 0),
        ("from=0", 2),
        ("to=1000", 0),
        (&format!("q={}", events[0].to_uppercase()), 1),
        ("q=nowhere", 0),
    ] {
        assert_eq!(letters(&server, query).await.len(), count, "{query}");
    }
    for (query, field) in [
        ("status=lost", "status"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("to=soon", "to"),
        ("colour=red", "colour"),
    ] {
        let reply = server.site.get(format!("/api/v1/dead-letters?{query}")).await;
        assert!([400, 422].contains(&reply.status), "{query}: {} {}", reply.status, reply.text());
        let message = text(&reply.json()["error"]["message"]);
        assert!(message.contains(field), "{query}: {message}");
    }
}
