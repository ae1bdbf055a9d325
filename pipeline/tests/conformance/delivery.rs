//! From the bus to every consumer, through failures and restarts.

use pipeline::demo::Fault;
use pipeline::event::Event;
use pipeline::ledger::DeliveryState;
use pipeline::operation::{OperationKind, Selection};
use pipeline::publisher::Published;

use super::{Backend, Fresh, drained, eventually, lately, open, over, updated};

pub async fn an_event_reaches_every_consumer_that_its_rules_name<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    assert!(
        matches!(pipeline.publisher.publish(vec![event.clone()]).await.as_slice(), [Published::Accepted(receipt)] if !receipt.duplicate)
    );
    drained(&pipeline).await;
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    let states: Vec<_> = entry
        .deliveries
        .iter()
        .map(|d| (d.consumer.as_str(), d.state, d.attempts.len()))
        .collect();
    assert_eq!(
        states,
        [("analytics", DeliveryState::Completed, 1), ("audit", DeliveryState::Completed, 1)]
    );
    pipeline.has_stored(&event).await;
    pipeline.stop().await;
}

pub async fn an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    let events: Vec<Event> = (0..25).map(|_| updated()).collect();
    pipeline.publisher.publish(events.clone()).await;
    drained(&pipeline).await;
    assert_eq!(pipeline.ports.letters.count(&open()).await, Ok(25));
    let entry = pipeline
        .ports
        .ledger
        .entry(&events[0].event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert_eq!(entry.deliveries[0].attempts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2, 3]);
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!(
        (
            summary.published,
            summary.completed,
            summary.dead_lettered,
            summary.in_flight,
            summary.unaccounted
        ),
        (25, 0, 25, 0, 0)
    );

    pipeline.faults.set("analytics", None);
    let redrive = over(OperationKind::Redrive, Selection::Filter(open()));
    let operation = pipeline.ports.operations.start(&redrive, "me").await.expect("an operation");
    assert_eq!(operation.total, 25);
    let detail = pipeline.ended(&operation.id).await;
    assert_eq!(detail.operation.succeeded, 25, "all are verified");
    assert_eq!(pipeline.ports.letters.count(&open()).await, Ok(0));
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.completed, summary.dead_lettered), (25, 0));
    pipeline.stop().await;
}

pub async fn a_paused_consumer_keeps_its_backlog_through_a_restart<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.consumers.set_paused("audit", true).await, Ok(true));
    let (events, backlog): (Vec<Event>, _) = ((0..B::BACKLOG).map(|_| updated()).collect(), B::BACKLOG as u64);
    pipeline.publisher.publish(events).await;
    eventually("analytics is done", || async {
        let open = pipeline.ports.ledger.open(1).await.expect("a ledger");
        let others = open.iter().flat_map(|entry| &entry.deliveries).filter(|d| d.consumer != "audit");
        !open.is_empty()
            && others.clone().all(|d| d.state == DeliveryState::Completed)
            && pipeline.ports.consumers.list(lately()).await.expect("consumers").items[0].in_flight == Some(0)
    })
    .await;
    eventually("all wait for audit", || async {
        pipeline.ports.consumers.list(lately()).await.expect("consumers").items[3].in_flight == Some(backlog)
    })
    .await;

    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(
        pipeline.ports.consumers.list(lately()).await.expect("consumers").items[3].paused,
        Some(true),
        "a pause outlives the process"
    );
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.published, summary.completed), (backlog, backlog));
    assert_eq!(pipeline.ports.events.completeness().await.expect("evidence").missing(), 0);
    pipeline.stop().await;
}
