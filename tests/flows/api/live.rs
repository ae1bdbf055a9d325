//! `/api/v1/live`.

use reqwest::Method;
use serde_json::json;
use tests::live::{Message, listen};
use tests::server::{Cutover, Setup};

/// The first message of a new connection that is `wanted`.
async fn messages_until(server: &Cutover, wanted: impl Fn(&Message) -> bool) -> Message {
    let mut heard = listen(&server.site, None, |found| found.last().is_some_and(&wanted)).await;
    heard.pop().expect("the one that was wanted")
}

/// The first `count` messages of a connection.
async fn messages(server: &Cutover, last_id: Option<&str>, count: usize) -> Vec<Message> {
    listen(&server.site, last_id, |found| found.len() >= count).await
}

#[tokio::test]
async fn a_viewer_hears_the_state_at_once_and_then_what_is_new() {
    let server = Setup::new().start().await;
    let heard = messages(&server, None, 4).await;
    assert_eq!(heard[0].event, "overview");
    assert_eq!(heard[0].data["stage"], "shadow");
    assert!(
        heard[0].data["now"].is_string() && heard[0].data["dead_letters"] == 0,
        "{:?}",
        heard[0]
    );
    assert!(
        heard.iter().all(|message| ["overview", "series"].contains(&message.event.as_str())),
        "{heard:?}"
    );
    let ids: Vec<i64> = heard.iter().map(|message| message.id.parse().expect("a number")).collect();
    assert!(ids.is_sorted() && ids[0] < ids[3], "{ids:?}");
}

/// A viewer that comes back hears what was said while it was away, each message once and in order.
#[tokio::test]
async fn a_viewer_that_comes_back_is_told_what_it_missed() {
    let server = Setup::new().start().await;
    // Two beats, heard by somebody who stays.
    let all = messages(&server, None, 6).await;
    let ids: Vec<i64> = all.iter().map(|message| message.id.parse().expect("a number")).collect();
    // The first two are of the moment it came; those after are told to everyone.
    let told = &all[2..];
    assert!(
        ids[2..].windows(2).all(|pair| pair[0] < pair[1]),
        "an id of its own for each: {ids:?}"
    );
    let again = messages(&server, Some(&told[0].id), told.len() - 1).await;
    for (missed, repeated) in told[1..].iter().zip(&again) {
        assert_eq!(
            (&missed.id, &missed.event, &missed.data),
            (&repeated.id, &repeated.event, &repeated.data)
        );
    }
    // What nobody ever said can't be resumed from: the state as it is, then.
    let fresh = messages(&server, Some("7"), 1).await;
    assert_eq!(fresh[0].event, "overview");
}

/// An operation is told of while it runs and when it ends.
#[tokio::test]
async fn an_operations_end_is_told() {
    let (server, _) = super::with_letters(1).await;
    let listening = messages_until(&server, |message| message.event == "operation" && message.data["status"] == "done");
    let acting = async {
        tests::wait::eventually("somebody listens", async || server.metric("cutover_live_viewers").await >= 1.0).await;
        let wish = json!({ "kind": "discard", "select": { "filter": {} }, "reason": "a test says so", "rate": 1 });
        server.site.post("/api/v1/operations", &wish).await.expect(202);
    };
    let (heard, ()) = tokio::join!(listening, acting);
    assert_eq!(heard.data["succeeded"], 1, "{heard:?}");
}

#[tokio::test]
async fn viewers_are_counted_and_let_go() {
    let server = Setup::new().start().await;
    let viewer = server.site.request(Method::GET, "/api/v1/live").send().await.expect("an answer");
    tests::wait::eventually("one viewer", async || server.metric("cutover_live_viewers").await == 1.0).await;
    drop(viewer);
    tests::wait::eventually("no viewer", async || server.metric("cutover_live_viewers").await == 0.0).await;
}
