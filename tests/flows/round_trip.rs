//! No field of an event is lost and no number rewritten, whatever shape it travels in.

use std::collections::BTreeMap;

use pipeline::event::Event;
use pipeline::event::envelope::{from_parts, parse};
use pipeline::event::item::StoreItem;
use pipeline::letter::arrival::{Arrival, Shape};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tests::data::{DELIVERED_EVENTS, DLQ_MESSAGES, EVENT_STORE_ITEMS, PUT_EVENTS};
use tests::event;
use tests::server::Setup;

/// JSON up to spaces and the order of keys. A number is its text: `1.0` is not `1`.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Object(BTreeMap<String, Meaning>),
    Array(Vec<Meaning>),
    Number(String),
    Text(String),
    Word(String),
}

fn meaning(text: &str) -> Meaning {
    let parts = |raw: &RawValue| meaning(raw.get());
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).expect("an object");
            Meaning::Object(fields.into_iter().map(|(key, value)| (key, parts(value))).collect())
        }
        Some(b'[') => Meaning::Array(
            serde_json::from_str::<Vec<&RawValue>>(text)
                .expect("an array")
                .into_iter()
                .map(parts)
                .collect(),
        ),
        Some(b'"') => Meaning::Text(serde_json::from_str(text).expect("a string")),
        Some(b't' | b'f' | b'n') => Meaning::Word(text.to_owned()),
        _ => Meaning::Number(text.to_owned()),
    }
}

/// The value of `key` in an object, as it is written there.
fn written(object: &str, key: &str) -> String {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(object).expect("an object");
    fields.get(key).unwrap_or_else(|| panic!("no {key} in {object}")).get().to_owned()
}

fn text(object: &str, key: &str) -> String {
    serde_json::from_str(&written(object, key)).expect("a string")
}

fn only(mut events: Vec<Event>) -> Event {
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn entries_of_put_events() {
    for line in PUT_EVENTS.lines() {
        let detail = text(line, "Detail");
        let draft = from_parts(&text(line, "Source"), &text(line, "DetailType"), &detail).expect(line);
        let event = draft.complete(None).expect(line);
        assert_eq!(
            (&event.source, &event.event_type),
            (&text(line, "Source"), &text(line, "DetailType"))
        );
        assert_eq!(meaning(&event.detail_json()), meaning(&detail));
    }
}

#[test]
fn delivered_envelopes() {
    for line in DELIVERED_EVENTS.lines() {
        let delivered = only(parse(line).expect(line)).delivered();
        assert_eq!(
            (&delivered.source, &delivered.detail_type),
            (&text(line, "source"), &text(line, "detail-type"))
        );
        assert_eq!(meaning(delivered.detail.text()), meaning(&written(line, "detail")));
    }
}

#[test]
fn batches_of_sqs() {
    let lines: Vec<&str> = DELIVERED_EVENTS.lines().collect();
    for batch in lines.chunks(10) {
        let records: Vec<Value> = batch.iter().map(|line| json!({ "messageId": "m", "body": line })).collect();
        let events = parse(&json!({ "Records": records }).to_string()).expect("a batch");
        assert_eq!(events.len(), batch.len());
        for (event, line) in events.iter().zip(batch) {
            assert_eq!(meaning(&event.detail_json()), meaning(&written(line, "detail")));
        }
    }
}

#[test]
fn bare_events() {
    for line in DELIVERED_EVENTS.lines() {
        let event = only(parse(line).expect(line));
        let bare = event.to_json();
        assert_eq!(only(parse(&bare).expect(&bare)), event);
        let Meaning::Object(mut fields) = meaning(&bare) else {
            panic!("not an object: {bare}")
        };
        for (key, enveloped) in [("source", "source"), ("eventType", "detail-type")] {
            assert_eq!(fields.remove(key), Some(Meaning::Text(text(line, enveloped))));
        }
        assert_eq!(Meaning::Object(fields), meaning(&written(line, "detail")));
    }
}

/// Numbers that a float or a 64-bit integer can't hold, and fields that the design doesn't name, through the whole product.
#[tokio::test]
async fn odd_numbers_and_unknown_fields_come_back_from_the_store() {
    let server = Setup::new().start().await;
    let id = event::id();
    let odd = r#"{"big":123456789012345678901234567890,"exact":1.10,"whole":1.0,"tiny":1e-400,"plus":5E+3,"text":"é\u0000\"","deep":[[{"a":null}]]}"#;
    let sent = format!(
        r#"{{"eventId":"{id}","eventType":"never.heard.of","eventVersion":"9","timestamp":{},"source":"elsewhere","userId":"u","correlationId":null,"data":{odd},"metadata":{{"n":0.10}},"tenant":{{"id":7.0}}}}"#,
        event::now()
    );
    let request = server.ingest.request(reqwest::Method::POST, "/api/v1/events").body(sent.clone());
    assert_eq!(
        tests::endpoint::Reply::of(request).await.expect(200).json()["items"][0]["status"],
        "accepted"
    );
    tests::account::settled(&server, 1).await;
    let stored = server.site.get(format!("/api/v1/events/{id}")).await.expect(200).text();
    assert_eq!(meaning(&written(&stored, "event")), meaning(&sent));
}

#[test]
fn items_of_the_event_store() {
    for line in EVENT_STORE_ITEMS.lines() {
        let item = StoreItem::from_json(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        assert_eq!(meaning(&item.to_json()), meaning(line));
        assert_eq!(meaning(item.event.data.text()), meaning(&written(line, "eventData")));
        assert_eq!(item.event.event_type, text(line, "eventType"));
        assert!(item.notes.iter().any(|(key, _)| key == "auditTimestamp"), "{line}");
    }
    let without = EVENT_STORE_ITEMS
        .lines()
        .next()
        .unwrap_or_default()
        .replace("\"eventData\"", "\"other\"");
    assert_eq!(StoreItem::from_json(&without).expect_err("no payload").field, "eventData");
}

#[test]
fn messages_of_a_dead_letter_queue() {
    let mut seen = BTreeMap::new();
    for line in DLQ_MESSAGES.lines() {
        let message: Value = serde_json::from_str(line).expect("a message");
        let body = message["body"].as_str().expect("a body");
        let attributes: BTreeMap<String, String> = message["attributes"]
            .as_object()
            .expect("attributes")
            .iter()
            .map(|(name, value)| (name.clone(), value["StringValue"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let shape = message["shape"].as_str().expect("a shape");
        let arrival = Arrival::read(body, &attributes);
        let (expected, delivered) = match shape {
            "eventbridge-target" => (Shape::EventBridgeTarget, Some(body.to_owned())),
            "lambda-async-dlq" => (Shape::LambdaAsync, Some(body.to_owned())),
            "lambda-on-failure-destination" => (Shape::LambdaDestination, Some(written(body, "requestPayload"))),
            _ => (Shape::Unreadable, None),
        };
        assert_eq!(arrival.shape, expected, "{line}");
        assert!(!arrival.error_code.is_empty() && !arrival.error_message.is_empty(), "{arrival:?}");
        // The event is whole: what it was delivered as can be made of it again.
        let detail = arrival.event.as_ref().map(|event| meaning(&event.detail_json()));
        assert_eq!(detail, delivered.map(|delivered| meaning(&written(&delivered, "detail"))), "{line}");
        if matches!(expected, Shape::EventBridgeTarget | Shape::LambdaDestination) {
            assert!(arrival.function.is_some_and(|name| name.ends_with("-consumer")), "{line}");
            assert!(arrival.attempts >= Some(1), "{line}");
        }
        *seen.entry(shape.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 4, "every shape is among them: {seen:?}");
}
