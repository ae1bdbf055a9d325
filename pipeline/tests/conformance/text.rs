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

pub async fn text_is_not_found_in_the_envelope<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(&pipeline, vec![saying("1", "a version of a source")]).await;
    assert_eq!(ids(&pipeline, "version of a source").await, ["1"]);
    for q in ["eventVersion", "timestamp", "note.service"] {
        assert_eq!(ids(&pipeline, q).await, Vec::<String>::new(), "{q} is in neither id nor payload");
    }
    pipeline.stop().await;
}

pub async fn text_is_found_however_its_json_was_written<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(&pipeline, vec![saying("1", r#"K\u00f6ln, \"dom\" \/ 1"#)]).await;
    for q in ["Köln", r#""dom""#, "/ 1"] {
        assert_eq!(ids(&pipeline, q).await, ["1"], "{q}");
    }
    pipeline.stop().await;
}

pub async fn a_search_that_stops_at_its_limit_goes_on_from_there<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let mut events = vec![at("needle", -1)];
    events.extend((1..B::SEARCHED).map(|i| at(&format!("hay-{i}"), 0)));
    B::keep(&pipeline, events).await;
    // The oldest event of all: whatever the limit of one search, the pages lead to it.
    let (mut hits, mut searched, mut cursor) = (Vec::new(), 0, None);
    loop {
        let found = pipeline
            .ports
            .events
            .list(&containing("needle"), 5, cursor.as_deref())
            .await
            .expect("a page");
        searched += found.searched;
        assert_eq!(
            found.partial,
            found.page.next.is_some() && found.page.items.len() < 5,
            "a page that is not full and has a next one is partial: {found:?}"
        );
        hits.extend(found.page.items.into_iter().map(|s| s.event.event_id));
        cursor = found.page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((hits, searched), (vec!["needle".to_owned()], B::SEARCHED as u64));
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
