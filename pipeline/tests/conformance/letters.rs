//! The dead letters: found, counted, looked at.

use std::collections::HashSet;

use pipeline::event::Event;
use pipeline::ledger::DeliveryState;
use pipeline::letter::{Letter, LetterFilter, LetterStatus};
use pipeline::operation::OperationKind;
use pipeline::page::MAX_LIMIT;
use pipeline::ports::PublishError;
use pipeline::time::Timestamp;

use super::{Backend, Fresh, Running, broken_rule, broken_update, drained, eventually, fields, open, pages, poison, sorted};

/// Makes letters of events, each in a millisecond of its own, so that their order is certain.
pub async fn one_by_one<const N: usize>(pipeline: &Running, events: [Event; N]) {
    for event in events {
        let (id, known) = (event.event_id.clone(), pipeline.letters(&LetterFilter::default()).await.len());
        pipeline.accept(vec![event], None).await;
        drained(pipeline).await;
        let letters = pipeline.letters(&LetterFilter::default()).await;
        assert_eq!(letters.len(), known + 1, "a letter for {id}");
        eventually("the clock moves on", || async { Timestamp::now() > letters[0].failed_at }).await;
    }
}

/// Four letters of two consumers and two kinds of error, one after the other; the first is discarded.
pub async fn written(pipeline: &Running) -> Vec<Letter> {
    let of = |user: &str, event: Event| Event {
        user_id: user.into(),
        ..event
    };
    let events = [
        of("ada", poison()),
        of("bob", poison()),
        of("bob", broken_rule()),
        of("cem", broken_update()),
    ];
    one_by_one(pipeline, events).await;
    let oldest = pipeline.letters(&LetterFilter::default()).await.pop().expect("a letter");
    pipeline.operate(OperationKind::Discard, &[&oldest.id]).await;
    pipeline.letters(&LetterFilter::default()).await
}

/// The users of the letters that match; the count has to agree.
async fn users(pipeline: &Running, filter: &LetterFilter) -> Vec<String> {
    let letters = pipeline.letters(filter).await;
    let count = pipeline.ports.letters.count(filter).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(letters.len()), "{filter:?}");
    sorted(letters.into_iter().filter_map(|l| l.user_id).collect())
}

pub async fn each_filter_narrows_and_the_count_agrees<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    written(&pipeline).await;
    for (json, expected) in [
        ("{}", vec!["ada", "bob", "bob", "cem"]),
        (r#"{"status":"open"}"#, vec!["bob", "bob", "cem"]),
        (r#"{"status":"discarded"}"#, vec!["ada"]),
        (r#"{"status":"redriven"}"#, vec![]),
        (r#"{"consumer":"categorization"}"#, vec!["ada", "bob", "bob"]),
        (r#"{"consumer":"audit"}"#, vec![]),
        (r#"{"error":"InvalidPayload"}"#, vec!["ada", "bob", "cem"]),
        (r#"{"type":"file.processed"}"#, vec!["ada", "bob"]),
        (r#"{"error":"InvalidPayload","consumer":"analytics"}"#, vec!["cem"]),
        (r#"{"type":"file.processed","status":"open"}"#, vec!["bob"]),
    ] {
        let filter: LetterFilter = serde_json::from_str(json).expect("a filter");
        assert_eq!(users(&pipeline, &filter).await, expected, "{json}");
    }
    pipeline.stop().await;
}

pub async fn text_is_found_in_ids_users_messages_and_bodies<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = written(&pipeline).await;
    let of_cem = letters.iter().find(|l| l.user_id.as_deref() == Some("cem")).expect("cem's letter");
    let id = of_cem.event_id.as_deref().expect("an event id").to_uppercase();
    for (q, expected) in [
        (id.as_str(), vec!["cem"]),
        ("BOB", vec!["bob", "bob"]),
        // In the message of the two that lack it, and in no body.
        ("TRANSACTIONids", vec!["ada", "bob"]),
        // In the body alone.
        ("rulepattern", vec!["bob"]),
        ("%", vec![]),
        ("c_m", vec![]),
    ] {
        let filter = LetterFilter {
            q: Some(q.into()),
            ..Default::default()
        };
        assert_eq!(users(&pipeline, &filter).await, expected, "{q}");
    }
    // A body that is no event is looked through as well.
    let error = PublishError::Unavailable("away".into());
    pipeline.bus.bury("no JSON, but a Needle".into(), &error, 1).await.expect("buried");
    let filter = LetterFilter {
        q: Some("needle".into()),
        ..Default::default()
    };
    assert_eq!(pipeline.letters(&filter).await.len(), 1);
    pipeline.stop().await;
}

pub async fn text_is_found_whatever_its_case_beyond_ascii_too<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let error = PublishError::Unavailable("away".into());
    pipeline.bus.bury("coffee in Köln".into(), &error, 1).await.expect("buried");
    for q in ["Köln", "köln", "KÖLN"] {
        let filter = LetterFilter {
            q: Some(q.into()),
            ..Default::default()
        };
        assert_eq!(pipeline.letters(&filter).await.len(), 1, "{q}");
    }
    pipeline.stop().await;
}

pub async fn from_is_in_the_span_of_failures_and_to_is_not<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = written(&pipeline).await;
    let times: Vec<_> = letters.iter().map(|l| l.failed_at).collect();
    for edge in &times {
        let since = LetterFilter {
            from: Some(*edge),
            ..Default::default()
        };
        let until = LetterFilter {
            to: Some(*edge),
            ..Default::default()
        };
        let (later, earlier) = (pipeline.letters(&since).await, pipeline.letters(&until).await);
        assert_eq!(later.len(), times.iter().filter(|t| *t >= edge).count());
        assert_eq!(earlier.len(), times.iter().filter(|t| *t < edge).count());
        assert_eq!([later, earlier].concat(), letters, "each is on one side of {edge}");
    }
    pipeline.stop().await;
}

pub async fn letters_page_newest_first_without_gap_or_repeat<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // Failed together, so that many of them failed in the same millisecond.
    pipeline.accept((0..8).map(|_| poison()).collect(), None).await;
    drained(&pipeline).await;
    let whole = pipeline.letters(&open()).await;
    assert!(whole.is_sorted_by(|a, b| a.failed_at >= b.failed_at), "{whole:?}");
    assert_eq!(whole.iter().map(|l| l.id.as_str()).collect::<HashSet<_>>().len(), 8);
    for limit in [1, 3, 4] {
        let pages = pages(async |cursor| {
            let page = pipeline.ports.letters.list(&open(), limit, cursor.as_deref()).await;
            page.expect("a page")
        })
        .await;
        assert_eq!(pages.len(), 8_usize.div_ceil(limit as usize), "no page after the last letter");
        assert_eq!(pages.concat(), whole, "{limit} a page");
    }
    pipeline.stop().await;
}

pub async fn a_letter_tells_its_body_its_attempts_and_who_had_completed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = poison();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let letter = pipeline.letters(&open()).await.remove(0);
    assert_eq!(
        (
            letter.event_id.as_deref(),
            letter.event_type.as_deref(),
            letter.attempts,
            letter.failed_redrives
        ),
        (Some(event.event_id.as_str()), Some("file.processed"), 1, 0)
    );
    assert_eq!((letter.first_failed_at, letter.status), (letter.failed_at, LetterStatus::Open));
    assert!(letter.published_at <= letter.failed_at, "{letter:?}");
    let detail = pipeline.ports.letters.get(&letter.id).await.expect("letters").expect("it");
    assert_eq!(detail.letter, letter, "as the list has it");
    assert_eq!(fields(&Event::from_json(&detail.body).expect("an event")), fields(&event));
    assert_eq!(detail.history.iter().map(|a| a.number).collect::<Vec<_>>(), [1]);
    assert!(
        detail.history[0]
            .error
            .as_deref()
            .is_some_and(|e| e.contains(&letter.error_message)),
        "{detail:?}"
    );
    assert_eq!(sorted(detail.done_by), ["analytics", "audit"]);
    assert_eq!(pipeline.ports.letters.get("never").await, Ok(None));
    pipeline.stop().await;
}

pub async fn a_consumer_that_has_not_got_to_the_event_has_not_done_it<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    let event = poison();
    pipeline.accept(vec![event.clone()], None).await;
    eventually("only audit is left", || async {
        let entry = pipeline
            .ports
            .ledger
            .entry(&event.event_id)
            .await
            .expect("a ledger")
            .expect("an entry");
        entry.deliveries.iter().filter(|d| d.state == DeliveryState::Open).count() == 1
    })
    .await;
    let id = pipeline.letters(&open()).await.remove(0).id;
    let done_by = async || pipeline.ports.letters.get(&id).await.expect("letters").expect("it").done_by;
    assert_eq!(done_by().await, ["analytics"]);
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    assert_eq!(sorted(done_by().await), ["analytics", "audit"]);
    pipeline.stop().await;
}

pub async fn questions_that_make_no_sense_are_refused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for (limit, cursor) in [(0, None), (MAX_LIMIT + 1, None), (5, Some("rubbish"))] {
        let answer = pipeline.ports.letters.list(&LetterFilter::default(), limit, cursor).await;
        assert!(answer.is_err(), "{limit} {cursor:?}: {answer:?}");
    }
    pipeline.stop().await;
}
