//! The bus: what it answers, and what it does with what it can't take.

use pipeline::event::{Event, MAX_EVENT_BYTES};
use pipeline::flag::{FlagChange, Flags, GLOBAL_SCOPE};
use pipeline::letter::{LetterFilter, LetterStatus};
use pipeline::ports::PublishError;
use pipeline::publisher::Published;

use super::{Backend, Fresh, drained, event, updated};

pub async fn a_repeated_event_is_delivered_once_and_another_with_its_id_is_refused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    let other = Event {
        user_id: "someone else".into(),
        ..event.clone()
    };
    let answers = pipeline.bus.put(vec![event.clone(), event.clone(), other], None).await;
    assert_eq!(
        answers.iter().map(|a| a.as_ref().map(|r| r.duplicate)).collect::<Vec<_>>(),
        [
            Ok(false),
            Ok(true),
            Err(&PublishError::Conflict {
                event_id: event.event_id.clone()
            })
        ]
    );
    drained(&pipeline).await;
    assert_eq!(pipeline.ports.ledger.summary().await.expect("a summary").published, 1);
    pipeline.stop().await;
}

pub async fn a_repeated_event_is_known_after_a_restart<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let pipeline = pipeline.restart::<B>().await;
    let receipt = pipeline.bus.put(vec![event.clone()], None).await.remove(0).expect("a receipt");
    assert_eq!((receipt.event_id.as_str(), receipt.duplicate), (event.event_id.as_str(), true));
    let other = Event {
        source: "elsewhere".into(),
        ..event.clone()
    };
    assert!(matches!(
        pipeline.bus.put(vec![other], None).await.as_slice(),
        [Err(PublishError::Conflict { .. })]
    ));
    drained(&pipeline).await;
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert!(
        entry.deliveries.iter().all(|d| d.attempts.len() == 1),
        "it was not delivered again: {entry:?}"
    );
    pipeline.stop().await;
}

pub async fn a_batch_with_a_bad_entry_takes_the_others<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (first, last) = (updated(), updated());
    let huge = event(
        "file.noted",
        "file.service",
        &format!(r#"{{"text":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES)),
    );
    let batch = vec![first.clone(), huge.clone(), last.clone()];
    let answers = pipeline.bus.put(batch, None).await;
    let [Ok(a), Err(PublishError::TooLarge { size, max }), Ok(b)] = answers.as_slice() else {
        panic!("{answers:?}");
    };
    assert_eq!((&a.event_id, &b.event_id), (&first.event_id, &last.event_id));
    assert!(*size > MAX_EVENT_BYTES && *max <= MAX_EVENT_BYTES, "{size} of {max}");
    drained(&pipeline).await;
    assert_eq!(pipeline.ports.ledger.summary().await.expect("a summary").completed, 2);
    assert_eq!(pipeline.ports.ledger.entry(&huge.event_id).await, Ok(None));
    assert_eq!(pipeline.bus.put(Vec::new(), None).await, [], "nothing asked, nothing answered");
    pipeline.stop().await;
}

pub async fn what_could_not_be_published_is_a_letter_of_the_publisher<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    let error = PublishError::Unavailable("the bus is away".into());
    pipeline.bus.bury(event.to_json(), &error, 1).await.expect("buried");
    let letters = pipeline.letters(&LetterFilter::default()).await;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(
        (
            letter.consumer.as_str(),
            letter.error_code.as_str(),
            letter.status,
            letter.permanent
        ),
        ("publisher", "BusUnavailable", LetterStatus::Open, false)
    );
    assert!(letter.error_message.contains("the bus is away"), "{letter:?}");
    assert_eq!(
        (letter.event_id.as_deref(), letter.event_type.as_deref(), letter.user_id.as_deref()),
        (Some(event.event_id.as_str()), Some("transaction.updated"), Some("u-1"))
    );
    let detail = pipeline.ports.letters.get(&letter.id).await.expect("letters").expect("it");
    assert_eq!(detail.body, event.to_json());
    assert_eq!(detail.done_by, Vec::<String>::new());
    assert_eq!(
        pipeline.ports.ledger.summary().await.expect("a summary").published,
        0,
        "the bus never accepted it"
    );
    pipeline.stop().await;
}

pub async fn a_body_that_no_one_can_read_is_kept_as_it_is<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let error = PublishError::TooLarge {
        size: 300_000,
        max: 262_144,
    };
    let bodies = ["no event, 100 % \u{1f4a5}\n", "{\"eventId\":", "[]", ""];
    for body in bodies {
        pipeline.bus.bury(body.into(), &error, 1).await.expect("buried");
    }
    let letters = pipeline.letters(&LetterFilter::default()).await;
    assert_eq!(letters.len(), bodies.len());
    let mut kept = Vec::new();
    for letter in letters {
        assert_eq!(
            (letter.error_code.as_str(), letter.permanent, &letter.event_id, &letter.event_type),
            ("EventTooLarge", true, &None, &None)
        );
        kept.push(pipeline.ports.letters.get(&letter.id).await.expect("letters").expect("it").body);
    }
    assert_eq!(super::sorted(kept), super::sorted(bodies.map(String::from).to_vec()));
    pipeline.stop().await;
}

pub async fn the_publisher_buries_what_the_bus_refuses<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    let other = Event {
        user_id: "u-2".into(),
        ..event.clone()
    };
    let answers = pipeline.publisher.publish(vec![other, updated()]).await;
    assert!(
        matches!(answers.as_slice(), [Published::Buried(PublishError::Conflict { event_id }), Published::Accepted(_)] if *event_id == event.event_id),
        "{answers:?}"
    );
    let letters = pipeline.letters(&LetterFilter::default()).await;
    assert_eq!(
        letters
            .iter()
            .map(|l| (l.consumer.as_str(), l.error_code.as_str(), l.user_id.as_deref()))
            .collect::<Vec<_>>(),
        [("publisher", "EventIdConflict", Some("u-2"))]
    );
    drained(&pipeline).await;
    pipeline.stop().await;
}

pub async fn nothing_is_sent_while_publishing_is_off<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let rollback = |publishing, expected_version| FlagChange {
        scope: GLOBAL_SCOPE.into(),
        to: Some(Flags { publishing, direct: true }),
        reason: "rollback".into(),
        expected_version,
    };
    pipeline.ports.flags.set(&rollback(false, 0), "me", &[]).await.expect("changed");
    assert_eq!(pipeline.publisher.publish(vec![updated()]).await, [Published::Off]);
    assert_eq!(pipeline.ports.ledger.summary().await.expect("a summary").published, 0);
    pipeline.ports.flags.set(&rollback(true, 1), "me", &[]).await.expect("changed");
    assert!(
        matches!(
            pipeline.publisher.publish(vec![updated()]).await.as_slice(),
            [Published::Accepted(_)]
        ),
        "the flags are read at each publish"
    );
    drained(&pipeline).await;
    pipeline.stop().await;
}
