//! `/api/v1/flags`.

use serde_json::{Value, json};
use tests::server::Setup;

use super::{items, text};

const FLAGS: &str = "/api/v1/flags";

fn change(publishing: bool, direct: bool, expected_version: u64) -> Value {
    json!({ "scope": "global", "publishing": publishing, "direct": direct, "reason": "a test says so", "expected_version": expected_version })
}

#[tokio::test]
async fn a_change_is_made_once_and_on_the_record() {
    let server = Setup::new().start().await;
    let before = server.site.json(FLAGS).await;
    assert_eq!(items(&before)[0]["flags"], json!({ "publishing": true, "direct": true }));
    let version = items(&before)[0]["version"].as_u64().expect("a version");
    let after = server.site.put(FLAGS, &change(false, true, version)).await.expect(200).json();
    assert_eq!(after["flags"], json!({ "publishing": false, "direct": true }));
    assert_eq!(server.site.json("/api/v1/overview").await["stage"], "direct_only");

    // Someone who looked before that change decides on what is no longer so.
    let message = server.site.put(FLAGS, &change(true, false, version)).await.error(409, "conflict");
    assert!(message.contains("since you looked"), "{message}");

    let listed = server.site.json(FLAGS).await;
    assert_eq!(items(&listed)[0], after);
    let history = listed["history"].as_array().expect("a history");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["from"], json!({ "publishing": true, "direct": true }));
    assert_eq!(history[0]["to"], after["flags"]);
    assert_eq!(
        history[0]["criteria"].as_array().map(Vec::len),
        Some(6),
        "what the criteria said at that moment"
    );
}

#[tokio::test]
async fn analytics_is_never_left_without_a_path() {
    let server = Setup::new().start().await;
    let reply = server.site.put(FLAGS, &change(false, false, 0)).await;
    let message = reply.error(422, "invalid");
    assert!(message.contains("direct"), "{message}");
    assert!(
        items(&server.site.json(FLAGS).await)
            .iter()
            .all(|scope| scope["flags"]["publishing"] == true)
    );
    let mut without_reason = change(true, false, 0);
    without_reason["reason"] = json!("");
    assert!(
        server
            .site
            .put(FLAGS, &without_reason)
            .await
            .error(422, "invalid")
            .contains("reason")
    );
}

#[tokio::test]
async fn a_publisher_can_have_its_own() {
    let server = Setup::new().start().await;
    let mut own = change(true, false, 0);
    own["scope"] = json!("file.service");
    server.site.put(FLAGS, &own).await.expect(200);
    let listed = items(&server.site.json(FLAGS).await);
    let scopes: Vec<String> = listed.iter().map(|scope| text(&scope["scope"])).collect();
    assert_eq!(scopes, ["global", "file.service"]);
    assert_eq!(listed[1]["flags"], json!({ "publishing": true, "direct": false }));
    assert_eq!(
        listed[0]["flags"],
        json!({ "publishing": true, "direct": true }),
        "the others keep theirs"
    );
    // And give them up again.
    let mut back = json!({ "scope": "file.service", "inherit": true, "reason": "as the others again", "expected_version": 1 });
    let state = server.site.put(FLAGS, &back).await.expect(200).json();
    assert_eq!((&state["inherited"], &state["version"]), (&json!(true), &json!(2)));
    let mut all = change(false, true, 0);
    all["reason"] = json!("rollback");
    server.site.put(FLAGS, &all).await.expect(200);
    let listed = items(&server.site.json(FLAGS).await);
    assert_eq!(listed[1]["flags"], json!({ "publishing": false, "direct": true }), "it follows");
    back["direct"] = json!(true);
    assert!(server.site.put(FLAGS, &back).await.error(422, "invalid").contains("direct"));
    back["scope"] = json!("global");
    back["direct"].take();
    assert!(server.site.put(FLAGS, &back).await.error(422, "invalid").contains("inherit"));
}
