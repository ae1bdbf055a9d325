//! `/api/v1/live`.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tests::server::{Cutover, Setup};

/// A message of the stream.
#[derive(Debug)]
struct Message {
    id: String,
    event: String,
    data: Value,
}

/// The first `count` messages of a connection.
async fn messages(server: &Cutover, last_id: Option<&str>, count: usize) -> Vec<Message> {
    let mut request = server.site.request(Method::GET, "/api/v1/live");
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut found) = (String::new(), Vec::new());
    while found.len() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(20), response.chunk())
            .await
            .expect("a message in time");
        text.push_str(&String::from_utf8_lossy(
            &chunk.expect("an open stream").expect("a stream without end"),
        ));
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .map(str::to_owned)
            };
            // A comment is a sign of life, no message.
            if let (Some(id), Some(event), Some(data)) = (field("id"), field("event"), field("data")) {
                found.push(Message {
                    id,
                    event,
                    data: serde_json::from_str(&data).expect("JSON"),
                });
            }
        }
    }
    found
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
    // Back again: the newest state, none older than what was heard.
    let last = &heard[3].id;
    let again = messages(&server, Some(last), 1).await;
    assert_eq!(again[0].event, "overview");
    assert!(again[0].id.parse::<i64>().expect("a number") >= ids[3]);
}

#[tokio::test]
async fn viewers_are_counted_and_let_go() {
    let server = Setup::new().start().await;
    let viewer = server.site.request(Method::GET, "/api/v1/live").send().await.expect("an answer");
    tests::wait::eventually("one viewer", async || server.metric("cutover_live_viewers").await == 1.0).await;
    drop(viewer);
    tests::wait::eventually("no viewer", async || server.metric("cutover_live_viewers").await == 0.0).await;
}
