//! `/api/v1/live`, as a viewer hears it.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::endpoint::Endpoint;

/// A message of the stream.
#[derive(Debug)]
pub struct Message {
    /// Its id: those told to everyone have one each, those told to one viewer beside them none.
    pub id: String,
    /// Its kind.
    pub event: String,
    /// What it says.
    pub data: Value,
}

/// What a connection hears until it is `enough`, which is asked after each message.
///
/// # Panics
/// If the stream ends, or no message comes for 20 s.
pub async fn listen(site: &Endpoint, last_id: Option<&str>, enough: impl Fn(&[Message]) -> bool) -> Vec<Message> {
    let mut request = site.request(Method::GET, "/api/v1/live");
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut found) = (String::new(), Vec::new());
    let mut silent_since = Instant::now();
    loop {
        let chunk = tokio::time::timeout_at(silent_since + Duration::from_secs(20), response.chunk())
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
            if let (Some(event), Some(data)) = (field("event"), field("data")) {
                silent_since = Instant::now();
                found.push(Message {
                    id: field("id").unwrap_or_default(),
                    event,
                    data: serde_json::from_str(&data).expect("JSON"),
                });
                if enough(&found) {
                    return found;
                }
            }
        }
    }
}
