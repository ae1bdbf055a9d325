//! Round trips over traffic in the shapes that real publishers send.

use proptest::prelude::*;
use serde_json::Value;

use super::envelope::{self, Delivered, PutEventsEntry};
use super::*;

const DETAIL: &str = r#"{"eventId":"e-1","eventVersion":"1.0","timestamp":1790000002395,"userId":"u-1","correlationId":null,"causationId":null,"data":{"amount":12.10,"big":123456789012345678901234567890,"s":"naïve – £5 <b>"},"metadata":{},"tenant":"x"}"#;

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn nothing_is_lost_or_rewritten() {
    let event = envelope::from_parts("file.service", "file.custom", DETAIL)
        .expect("draft")
        .complete(None)
        .expect("event");
    assert_eq!(
        event.data.text(),
        r#"{"amount":12.10,"big":123456789012345678901234567890,"s":"naïve – £5 <b>"}"#
    );
    assert_eq!(value(&event.detail_json()), value(DETAIL));
    assert_eq!(Event::from_json(&event.to_json()), Ok(event.clone()));
    assert_eq!(event.payload(), Ok(payload::Payload::Unknown), "an unknown type is carried whole");
}

#[test]
fn every_shape_gives_the_same_event() {
    let entry = PutEventsEntry {
        source: Some("file.service".into()),
        detail_type: Some("file.custom".into()),
        detail: Some(DETAIL.into()),
        ..Default::default()
    };
    let event = envelope::from_parts("file.service", "file.custom", entry.detail.as_deref().expect("detail"))
        .expect("draft")
        .complete(None)
        .expect("event");
    let delivered = serde_json::to_string(&event.delivered()).expect("JSON");
    let batch = serde_json::json!({ "Records": [{ "body": delivered }, { "body": event.to_json() }] }).to_string();
    assert_eq!(envelope::parse(&delivered), Ok(vec![event.clone()]));
    assert_eq!(envelope::parse(&event.to_json()), Ok(vec![event.clone()]));
    assert_eq!(envelope::parse(&batch), Ok(vec![event.clone(), event]));
}

#[test]
fn faults_name_the_field() {
    for (text, field) in [
        (r#"{"eventId":7}"#, "eventId"),
        (
            r#"{"eventId":"a","eventType":"t","eventVersion":"1","timestamp":"now"}"#,
            "timestamp",
        ),
        (
            r#"{"eventId":"a","eventType":"t","eventVersion":"1","timestamp":1,"source":"s"}"#,
            "userId",
        ),
        (
            r#"{"eventId":"a","eventType":"t","eventVersion":"1","timestamp":1,"source":"s","userId":"u"}"#,
            "data",
        ),
        ("[]", "$"),
        ("", "$"),
        ("not json", "$"),
        ("{\"detail\":", "$"),
    ] {
        assert_eq!(Event::from_json(text).expect_err(text).field, field, "{text}");
    }
    let nested = r#"{"Records":[{"body":"{\"eventId\":1}"}]}"#;
    assert_eq!(envelope::parse(nested).expect_err("bad").field, "Records[0].body.eventId");
}

#[test]
fn known_payloads_are_checked_to_the_field() {
    let mut event = Event::from_json(
        r#"{"eventId":"a","eventType":"transactions.deleted","eventVersion":"1","timestamp":1,"source":"s","userId":"u","data":{"transactionIds":["a",3],"accountIds":[],"deletionType":"bulk"}}"#,
    )
    .expect("event");
    assert_eq!(event.payload().expect_err("bad id").field, "data.transactionIds[1]");
    event.data = Json::from_text(r#"{"transactionIds":[]}"#).expect("JSON");
    let error = event.payload().expect_err("missing");
    assert!(error.reason.contains("accountIds"), "{error}");
}

#[test]
fn validation_refuses_what_no_consumer_could_use() {
    let good =
        Event::from_json(r#"{"eventId":"a","eventType":"t","eventVersion":"1","timestamp":1000,"source":"s","userId":"u","data":{}}"#)
            .expect("event");
    assert_eq!(good.validate(2000), Ok(()));
    let field = |change: &dyn Fn(&mut Event)| {
        let mut event = good.clone();
        change(&mut event);
        event.validate(2000).expect_err("refused").field
    };
    assert_eq!(field(&|e| e.user_id = "  ".into()), "userId");
    assert_eq!(field(&|e| e.event_id = "x".repeat(129)), "eventId");
    assert_eq!(field(&|e| e.timestamp = 2001 + MAX_FUTURE_MILLIS), "timestamp");
    assert_eq!(field(&|e| e.timestamp = -1), "timestamp");
    assert_eq!(field(&|e| e.data = Json::from_text("[]").expect("JSON")), "data");
}

#[test]
fn put_events_entries_are_sized_as_eventbridge_does() {
    let entry: PutEventsEntry =
        serde_json::from_str(r#"{"Source":"ab","DetailType":"cde","Detail":"{}","Resources":["xy"],"Time":1790000002}"#).expect("entry");
    assert_eq!(entry.size(), 14 + 2 + 3 + 2 + 2);
}

#[test]
fn delivered_envelopes_keep_their_own_fields() {
    let text = r#"{"version":"0","id":"x","detail-type":"t","source":"s","account":"1","time":"2026-09-21T14:13:20Z","region":"eu-west-2","resources":[],"detail":{"a":1.0}}"#;
    let delivered: Delivered = serde_json::from_str(text).expect("envelope");
    assert_eq!(serde_json::to_string(&delivered).expect("JSON"), text);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_event_round_trips(id in "[a-z0-9-]{1,40}", user in ".+", at in 0i64..4_000_000_000_000, data in any_json(), extra in any_json()) {
        let bare = serde_json::json!({ "eventId": id, "eventType": "x.y", "eventVersion": "1.0", "timestamp": at, "source": "s", "userId": user, "data": { "v": data }, "tenant": extra });
        let event = Event::from_json(&bare.to_string()).expect("event");
        prop_assert_eq!(value(&event.to_json()), bare);
        prop_assert_eq!(Event::from_json(&event.to_json()), Ok(event));
    }

    #[test]
    fn parsing_never_panics(text in ".*", json in any_json()) {
        let _ = envelope::parse(&text);
        let _ = envelope::parse(&json.to_string());
    }
}
