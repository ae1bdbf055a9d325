//! Events found by text.

use pipeline::event::Event;
use pipeline::ports::EventFilter;

use super::events::{at, found, paged, stored};
use super::{Backend, Fresh, Running, event, sorted};

fn containing(q: &str) -> EventFilter {
    EventFilter {
        q: Some(q.into()),
        ..Default::default()
    }
}

fn saying(id: &str, text: &str) -> Event {
    Event {
        event_id: id.into(),
        ..event("note.taken", "note.service", &format!(r#"{{"text":"{text}"}}"#))
    }
}

async fn ids(pipeline: &Running, q: &str) -> Vec<String> {
    sorted(found(pipeline, containing(q)).await)
}

pub async fn text_is_found_in_ids_and_payloads_whatever_its_case<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(
        &pipeline,
        vec![
            saying("Id-ONE", "coffee in Köln"),
            saying("id-two", "Tea in KÖLN"),
            saying("three", "water"),
        ],
    )
    .await;
    for (q, expected) in [
        ("ID-", vec!["Id-ONE", "id-two"]),
        ("one", vec!["Id-ONE"]),
        ("TEA", vec!["id-two"]),
        ("coffee IN", vec!["Id-ONE"]),
        ("wine", vec![]),
    ] {
        assert_eq!(ids(&pipeline, q).await, expected, "{q}");
    }
    // Banks write umlauts and accents too.
    for q in ["köln", "KÖLN"] {
        assert_eq!(ids(&pipeline, q).await, ["Id-ONE", "id-two"], "{q}");
    }
    pipeline.stop().await;
}

pub async fn text_is_taken_literally<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(
        &pipeline,
        vec![
            saying("1", "100% off"),
            saying("2", "a_b"),
            saying("3", "axb"),
            saying("4", "it's (.*) [x]"),
        ],
    )
    .await;
    for (q, expected) in [("0%", "1"), ("a_b", "2"), ("it's", "4"), ("(.*)", "4"), ("[x]", "4")] {
        assert_eq!(ids(&pipeline, q).await, [expected], "{q}");
    }
    pipeline.stop().await;
}

pub async fn a_text_filter_pages_like_any_other<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let mut events: Vec<Event> = (0..20).map(|i| at(&format!("hay-{i:02}"), i)).collect();
    events.extend((0..5).map(|i| at(&format!("needle-{i}"), i * 4)));
    stored(&pipeline, events).await;
    let pages = paged(&pipeline, &containing("needle"), 2).await;
    assert!(pages.iter().all(|page| page.len() <= 2), "{pages:?}");
    assert_eq!(pages.concat(), ["needle-4", "needle-3", "needle-2", "needle-1", "needle-0"]);
    // Text narrows what the other filters leave.
    let both = EventFilter {
        event_type: Some("never.seen".into()),
        ..containing("needle")
    };
    assert_eq!(found(&pipeline, both).await, Vec::<String>::new());
    pipeline.stop().await;
}
