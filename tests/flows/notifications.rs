//! Notifications: once decided durably, sent until somebody takes them.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tests::event::account_deleted;
use tests::server::Setup;
use tests::wait::eventually;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A web hook that refuses its first calls: what it was sent, head and body.
async fn hook(mut refusals: usize) -> (String, Arc<Mutex<Vec<(String, Value)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook?token=secret", listener.local_addr().expect("an address"));
    let calls = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&calls);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a call");
            let mut text = Vec::new();
            let (head, body) = loop {
                let mut piece = [0; 4096];
                let n = stream.read(&mut piece).await.expect("a request");
                text.extend_from_slice(&piece[..n]);
                let all = String::from_utf8_lossy(&text).into_owned();
                if let Some((head, body)) = all.split_once("\r\n\r\n")
                    && let Ok(json) = serde_json::from_str(body)
                {
                    break (head.to_ascii_lowercase(), json);
                }
                assert!(n > 0, "a request that ends early: {all}");
            };
            heard.lock().unwrap_or_else(PoisonError::into_inner).push((head, body));
            let status = if refusals > 0 {
                "503 Service Unavailable"
            } else {
                "204 No Content"
            };
            refusals = refusals.saturating_sub(1);
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    (url, calls)
}

#[tokio::test]
async fn a_web_hook_that_refuses_is_asked_again_and_told_once() {
    let (url, calls) = hook(1).await;
    let server = Setup::new().env("CUTOVER_NOTIFICATIONS__WEBHOOK", &url).start().await;
    let event = account_deleted();
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    let heard = || calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eventually("the hook has taken it", async || heard().len() == 2).await;
    let id = event["eventId"].as_str().expect("an id").to_owned();
    for (head, body) in heard() {
        assert!(head.contains(&format!("idempotency-key: {id}")), "{head}");
        assert_eq!((&body["eventId"], &body["userId"]), (&json!(id), &json!("user-1")));
        assert!(body["text"].as_str().is_some_and(|text| text.contains("a-1")), "{body}");
    }
    // The same event again tells nobody anything; another one does, and by then a repetition would have come.
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    server.ingest.post("/api/v1/events", &account_deleted()).await.expect(200);
    eventually("the other one is told", async || heard().len() == 3).await;
    assert_ne!(heard()[2].1["eventId"], json!(id));
    assert!(!server.stderr().contains("secret"), "an address may hold a secret");
}

/// What the hook could not take before a crash is sent after it.
#[tokio::test]
async fn a_notification_survives_a_kill() {
    let server = Setup::new()
        .env("CUTOVER_NOTIFICATIONS__WEBHOOK", "http://127.0.0.1:9/")
        .start()
        .await;
    server.ingest.post("/api/v1/events", &account_deleted()).await.expect(200);
    tests::account::settled(&server, 1).await;
    let data = server.kill().await;
    let (url, calls) = hook(0).await;
    let _server = Setup::new().on(data).env("CUTOVER_NOTIFICATIONS__WEBHOOK", &url).start().await;
    eventually("it is told after the restart", async || {
        calls.lock().unwrap_or_else(PoisonError::into_inner).len() == 1
    })
    .await;
}
