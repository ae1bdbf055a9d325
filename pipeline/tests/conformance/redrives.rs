//! Redrives: sent back to the one consumer that gave up, and verified.

use pipeline::event::Event;
use pipeline::ledger::DeliveryState;
use pipeline::letter::{Letter, LetterFilter, LetterStatus};
use pipeline::operation::{ItemStatus, OperationKind, OperationStatus, Selection};
use pipeline::ports::{CategoryRule, PublishError};

use super::{Backend, Fresh, Running, drained, event, eventually, open, over, poison, updated};

async fn put_pattern(pipeline: &Running, pattern: &str) {
    let rule = CategoryRule {
        rule_id: "r".into(),
        user_id: "u-1".into(),
        category_id: "c".into(),
        pattern: pattern.into(),
        priority: 1,
    };
    pipeline.transactions.put_rule(rule).await.expect("put");
}

/// A letter of categorization for a reason that can be mended: a rule's pattern is no regular expression.
async fn letter(pipeline: &Running) -> (Event, Letter) {
    put_pattern(pipeline, "(").await;
    let created = event("transactions.created", "transaction.service", r#"{"transactionIds":["t-1"]}"#);
    pipeline.accept(vec![created.clone()], None).await;
    drained(pipeline).await;
    let letters = pipeline.letters(&open()).await;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter.consumer, "categorization");
    (created, letter.clone())
}

async fn mend(pipeline: &Running) {
    put_pattern(pipeline, "coffee").await;
}

/// Starts a redrive that can't end until categorization is resumed, and waits until its letter is sent.
async fn held(pipeline: &Running, letter: &Letter) -> String {
    pipeline.ports.consumers.set_paused("categorization", true).await.expect("paused");
    let redrive = over(OperationKind::Redrive, Selection::Ids(vec![letter.id.clone()]));
    let id = pipeline.ports.operations.start(&redrive, "me").await.expect("an operation").id;
    eventually("the letter is sent", || async {
        pipeline.operation(&id).await.items[0].status == ItemStatus::Sent
    })
    .await;
    id
}

pub async fn bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.accept(vec![poison()], None).await;
    drained(&pipeline).await;
    let letters = pipeline.letters(&LetterFilter::default()).await;
    assert_eq!(
        letters
            .iter()
            .map(|l| (l.consumer.as_str(), l.error_code.as_str(), l.permanent, l.attempts))
            .collect::<Vec<_>>(),
        [("categorization", "InvalidPayload", true, 1)]
    );
    let detail = pipeline.operate(OperationKind::Redrive, &[&letters[0].id]).await;
    assert_eq!(
        (detail.operation.succeeded, detail.operation.failed),
        (0, 1),
        "it fails again, and says so"
    );
    assert_eq!(detail.items[0].status, ItemStatus::Failed);
    assert!(
        detail.items[0].note.as_deref().is_some_and(|note| note.contains("transactionIds")),
        "{detail:?}"
    );
    let letter = pipeline.letter(&letters[0].id).await;
    assert_eq!((letter.status, letter.failed_redrives, letter.attempts), (LetterStatus::Open, 1, 2));
    assert_eq!(letter.first_failed_at, letters[0].first_failed_at);
    assert!(letter.failed_at > letters[0].failed_at, "it failed anew: {letter:?}");
    let history = pipeline.ports.letters.get(&letter.id).await.expect("letters").expect("it").history;
    assert_eq!(history.len(), 2);
    assert!(history[0].at < history[1].at, "oldest first: {history:?}");
    pipeline.stop().await;
}

pub async fn a_redrive_is_done_when_the_consumer_completed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (event, letter) = letter(&pipeline).await;
    mend(&pipeline).await;
    let id = held(&pipeline, &letter).await;
    assert_eq!(pipeline.letter(&letter.id).await.status, LetterStatus::Redriving);
    let depth = pipeline.ports.letters.depth().await.expect("a depth");
    assert_eq!((depth.open, depth.redriving, depth.oldest), (0, 1, None));
    let sent = pipeline.operation(&id).await.operation;
    assert_eq!((sent.status, sent.settled()), (OperationStatus::Running, 0), "sent is not verified");
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.in_flight, summary.dead_lettered), (1, 0), "its delivery is open again");

    pipeline.ports.consumers.set_paused("categorization", false).await.expect("resumed");
    let done = pipeline.ended(&id).await;
    assert_eq!((done.operation.status, done.operation.succeeded), (OperationStatus::Done, 1));
    assert_eq!(done.items[0].status, ItemStatus::Succeeded);
    let redriven = pipeline.letter(&letter.id).await;
    assert_eq!((redriven.status, redriven.failed_redrives), (LetterStatus::Redriven, 0));
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert!(entry.deliveries.iter().all(|d| d.state == DeliveryState::Completed), "{entry:?}");
    pipeline.stop().await;
}

pub async fn a_redrive_runs_only_the_consumer_that_gave_up<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (event, letter) = letter(&pipeline).await;
    mend(&pipeline).await;
    pipeline.operate(OperationKind::Redrive, &[&letter.id]).await;
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert_eq!(
        entry
            .deliveries
            .iter()
            .map(|d| (d.consumer.as_str(), d.attempts.len()))
            .collect::<Vec<_>>(),
        [("analytics", 1), ("categorization", 2), ("audit", 1)]
    );
    pipeline.stop().await;
}

pub async fn a_letter_that_is_being_redriven_is_not_sent_twice<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (event, letter) = letter(&pipeline).await;
    mend(&pipeline).await;
    let first = held(&pipeline, &letter).await;
    let second = pipeline.operate(OperationKind::Redrive, &[&letter.id]).await;
    assert_eq!((second.operation.skipped, second.items[0].status), (1, ItemStatus::Skipped));
    let discard = pipeline.operate(OperationKind::Discard, &[&letter.id]).await;
    assert_eq!(discard.operation.skipped, 1, "nor is it set aside meanwhile");
    pipeline.ports.consumers.set_paused("categorization", false).await.expect("resumed");
    assert_eq!(pipeline.ended(&first).await.operation.succeeded, 1);
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert_eq!(entry.deliveries[1].attempts.len(), 2);
    pipeline.stop().await;
}

pub async fn a_redrive_of_the_publishers_letter_publishes_it<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    let error = PublishError::Unavailable("away".into());
    pipeline.bus.bury(event.to_json(), &error, 1).await.expect("buried");
    let id = pipeline.letters(&open()).await.remove(0).id;
    let done = pipeline.operate(OperationKind::Redrive, &[&id]).await;
    assert_eq!(done.operation.succeeded, 1, "{done:?}");
    drained(&pipeline).await;
    assert_eq!(pipeline.letter(&id).await.status, LetterStatus::Redriven);
    pipeline.has_stored(&event).await;
    pipeline.stop().await;
}

pub async fn what_still_cannot_be_published_stays_open_with_the_reason<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let other = Event {
        user_id: "u-2".into(),
        ..event.clone()
    };
    let conflict = PublishError::Conflict { event_id: event.event_id };
    for body in [other.to_json(), "no event".to_owned()] {
        pipeline.bus.bury(body, &conflict, 1).await.expect("buried");
    }
    let letters = pipeline.letters(&open()).await;
    let ids: Vec<&str> = letters.iter().map(|l| l.id.as_str()).collect();
    let failed = pipeline.operate(OperationKind::Redrive, &ids).await;
    assert_eq!((failed.operation.succeeded, failed.operation.failed), (0, 2));
    assert!(
        failed.items.iter().all(|i| i.status == ItemStatus::Failed && i.note.is_some()),
        "{failed:?}"
    );
    assert_eq!(pipeline.ports.letters.count(&open()).await, Ok(2));
    pipeline.stop().await;
}

pub async fn a_failed_redrive_of_the_publishers_letter_is_counted<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let other = Event {
        user_id: "u-2".into(),
        ..event.clone()
    };
    pipeline.publisher.publish(vec![other]).await;
    let id = pipeline.letters(&open()).await.remove(0).id;
    pipeline.operate(OperationKind::Redrive, &[&id]).await;
    assert_eq!(
        pipeline.letter(&id).await.failed_redrives,
        1,
        "how often it was redriven and failed again"
    );
    pipeline.stop().await;
}

pub async fn a_redrive_goes_on_after_a_restart<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (_, letter) = letter(&pipeline).await;
    mend(&pipeline).await;
    let id = held(&pipeline, &letter).await;
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(pipeline.operation(&id).await.operation.status, OperationStatus::Running);
    pipeline.ports.consumers.set_paused("categorization", false).await.expect("resumed");
    assert_eq!(pipeline.ended(&id).await.operation.succeeded, 1);
    assert_eq!(pipeline.letter(&letter.id).await.status, LetterStatus::Redriven);
    pipeline.stop().await;
}
