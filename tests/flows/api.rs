//! The JSON API. Modules mirror its routes.

mod activity;
mod consumers;
mod dead_letters;
mod demo;
mod document;
mod events;
mod findings;
mod flags;
mod live;
mod operations;
mod overview;
mod parity;

use serde_json::{Value, json};
use tests::account::settled;
use tests::event::poison_entry;
use tests::server::{Cutover, Setup};

/// A server with this many dead letters of categorization's, and nothing else; the ids of their events.
async fn with_letters(count: usize) -> (Cutover, Vec<String>) {
    let server = Setup::new().start().await;
    let (ids, entries): (Vec<String>, Vec<Value>) = (0..count).map(|_| poison_entry()).unzip();
    assert_eq!(
        server.ingest.put_events(&json!(entries)).await.expect(200).json()["FailedEntryCount"],
        0
    );
    settled(&server, count).await;
    (server, ids)
}

/// The ids of the letters that a query finds.
async fn letters(server: &Cutover, query: &str) -> Vec<String> {
    let answer = server.site.json(format!("/api/v1/dead-letters?{query}")).await;
    items(&answer).iter().map(|letter| text(&letter["id"])).collect()
}

/// A list's items.
fn items(answer: &Value) -> Vec<Value> {
    assert!(answer.get("next").is_some(), "a list says where its next page is: {answer}");
    answer["items"].as_array().unwrap_or_else(|| panic!("no items: {answer}")).clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// An instant as the API writes it: RFC 3339, in UTC.
fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z'))
}
