//! `/api/v1/activity`.

use serde_json::json;

use super::{is_time, items, letters, text, with_letters};

#[tokio::test]
async fn what_was_done_and_what_was_refused_is_on_record() {
    let (server, _) = with_letters(1).await;
    let id = letters(&server, "").await.remove(0);
    let flags =
        |publishing: bool, direct: bool| json!({ "publishing": publishing, "direct": direct, "reason": "why not", "expected_version": 0 });
    server.site.put("/api/v1/flags", &flags(true, false)).await.expect(200);
    server.site.put("/api/v1/flags", &flags(false, false)).await.expect(422);
    server.site.put("/api/v1/flags", &flags(true, true)).await.expect(409);
    let discard = json!({ "kind": "discard", "select": { "ids": [id] }, "reason": "it is poison" });
    server.site.post("/api/v1/operations", &discard).await.expect(202);
    let pause = json!({ "paused": true, "reason": "quiet" });
    server.site.put("/api/v1/consumers/audit/paused", &pause).await.expect(200);

    let record = items(&server.site.json("/api/v1/activity").await);
    let deeds: Vec<(String, bool)> = record
        .iter()
        .map(|entry| (text(&entry["action"]), entry["outcome"] == "done"))
        .collect();
    let expected = [
        ("consumer.pause", true),
        ("letters.discard", true),
        ("flags.change", false),
        ("flags.change", false),
        ("flags.change", true),
    ];
    assert_eq!(deeds, expected.map(|(action, done)| (action.to_owned(), done)), "newest first");
    for entry in &record {
        assert!(
            is_time(&entry["at"]) && !text(&entry["actor"]).is_empty() && !text(&entry["summary"]).is_empty(),
            "{entry}"
        );
        assert_eq!(text(&entry["hash"]).len(), 64, "{entry}");
    }
    assert!(text(&record[2]["outcome"]["refused"]).contains("since you looked"), "{}", record[2]);
    assert_eq!(record[1]["reason"], "it is poison");

    // Page by page.
    let first = server.site.json("/api/v1/activity?limit=2").await;
    assert_eq!(items(&first), record[..2]);
    let second = server
        .site
        .json(format!("/api/v1/activity?limit=2&cursor={}", text(&first["next"])))
        .await;
    assert_eq!(items(&second), record[2..4]);
    for query in ["limit=0", "cursor=x", "limit=501"] {
        let reply = server.site.get(format!("/api/v1/activity?{query}")).await;
        assert!(
            reply.error(422, "invalid").contains(query.split('=').next().unwrap_or_default()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_request_of_another_site_does_nothing() {
    let (server, _) = with_letters(1).await;
    let own = server.site.authority().to_owned();
    let change = json!({ "publishing": true, "direct": false, "reason": "x", "expected_version": 0 });
    let put = || server.site.request(reqwest::Method::PUT, "/api/v1/flags").json(&change);
    for (name, value) in [
        ("origin", "http://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
        ("host", "evil.example".to_owned()),
    ] {
        tests::endpoint::Reply::of(put().header(name, value)).await.error(403, "cross_site");
    }
    let rebound = server
        .site
        .request(reqwest::Method::GET, "/api/v1/flags")
        .header("host", "evil.example");
    tests::endpoint::Reply::of(rebound).await.error(403, "cross_site");
    assert!(items(&server.site.json("/api/v1/activity").await).is_empty());
    let own = put()
        .header("origin", format!("http://{own}"))
        .header("sec-fetch-site", "same-origin");
    tests::endpoint::Reply::of(own).await.expect(200);
}
