//! The ledger: what became of each event, and the totals.

use pipeline::demo::Fault;
use pipeline::ledger::{DeliveryState, LedgerSummary};
use pipeline::operation::OperationKind;
use pipeline::time::{MINUTE, Timestamp};

use super::{Backend, Fresh, Running, drained, eventually, open, poison, unknown, updated};

async fn summary(pipeline: &Running) -> LedgerSummary {
    pipeline.ports.ledger.summary().await.expect("a summary")
}

pub async fn an_entry_tells_each_consumers_state<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    let event = poison();
    let at = Timestamp::now().plus(-10 * MINUTE);
    pipeline.accept(vec![event.clone()], Some(at)).await;
    let entry = async || {
        pipeline
            .ports
            .ledger
            .entry(&event.event_id)
            .await
            .expect("a ledger")
            .expect("an entry")
    };
    eventually("two have ended", || async {
        entry().await.deliveries.iter().filter(|d| d.state != DeliveryState::Open).count() == 2
    })
    .await;
    let entry = entry().await;
    assert_eq!(
        (entry.event_id.as_str(), entry.event_type.as_str(), entry.published_at),
        (event.event_id.as_str(), "file.processed", at)
    );
    assert_eq!(
        entry
            .deliveries
            .iter()
            .map(|d| (d.consumer.as_str(), d.state, d.attempts.len()))
            .collect::<Vec<_>>(),
        [
            ("analytics", DeliveryState::Completed, 1),
            ("categorization", DeliveryState::DeadLettered, 1),
            ("audit", DeliveryState::Open, 0),
        ]
    );
    assert_eq!(entry.deliveries[0].attempts[0].error, None);
    let failed = entry.deliveries[1].attempts[0].error.as_deref();
    assert!(failed.is_some_and(|e| e.contains("transactionIds")), "{failed:?}");
    pipeline.stop().await;
}

pub async fn a_failed_attempt_is_told_with_when_the_next_is_due<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("audit", Some(Fault::Outage));
    let event = unknown();
    pipeline.accept(vec![event.clone()], None).await;
    let waits = async || {
        let entry = pipeline
            .ports
            .ledger
            .entry(&event.event_id)
            .await
            .expect("a ledger")
            .expect("an entry");
        let delivery = &entry.deliveries[0];
        let last = delivery.attempts.last()?;
        (delivery.state == DeliveryState::Open && last.error.is_some()).then_some((last.at, delivery.next_at?))
    };
    eventually("it waits for its next attempt", || async {
        waits().await.is_some_and(|(failed, next)| next > failed)
    })
    .await;
    drained(&pipeline).await;
    let entry = pipeline
        .ports
        .ledger
        .entry(&event.event_id)
        .await
        .expect("a ledger")
        .expect("an entry");
    assert_eq!(
        (entry.deliveries[0].state, entry.deliveries[0].next_at),
        (DeliveryState::DeadLettered, None),
        "given up, so nothing is due"
    );
    pipeline.stop().await;
}

pub async fn open_events_are_listed_oldest_first_up_to_the_limit<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    let now = Timestamp::now();
    let mut ids = Vec::new();
    for minutes in [5, 4, 3, 2, 1] {
        let event = unknown();
        ids.push(event.event_id.clone());
        pipeline.accept(vec![event], Some(now.plus(-minutes * MINUTE))).await;
    }
    let open = async |limit| {
        let entries = pipeline.ports.ledger.open(limit).await.expect("a ledger");
        entries.into_iter().map(|e| e.event_id).collect::<Vec<_>>()
    };
    assert_eq!(open(3).await, ids[..3]);
    assert_eq!(open(100).await, ids);
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    assert_eq!(open(100).await, Vec::<String>::new(), "what has ended is not open");
    pipeline.stop().await;
}

pub async fn the_summary_adds_up_whatever_became_of_the_events<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(summary(&pipeline).await, LedgerSummary::default());
    pipeline.accept(vec![updated(), updated()], None).await;
    drained(&pipeline).await;
    pipeline.accept(vec![poison()], None).await;
    drained(&pipeline).await;
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    // Given up on by one consumer and still open with another: in flight, and nothing else.
    pipeline.accept(vec![unknown(), poison()], None).await;
    eventually("the second letter is written", || async {
        pipeline.ports.letters.count(&open()).await == Ok(2)
    })
    .await;
    let waiting = LedgerSummary {
        published: 5,
        completed: 2,
        dead_lettered: 1,
        in_flight: 2,
        unaccounted: 0,
    };
    assert_eq!(
        summary(&pipeline).await,
        waiting,
        "what waits for a paused consumer is accounted for"
    );
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(summary(&pipeline).await, waiting, "also after a restart");
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    let done = LedgerSummary {
        completed: 3,
        dead_lettered: 2,
        in_flight: 0,
        ..waiting
    };
    assert_eq!(summary(&pipeline).await, done);

    // Setting a letter aside accounts for its event; it doesn't complete it.
    let letters = pipeline.letters(&open()).await;
    pipeline.operate(OperationKind::Discard, &[&letters[0].id]).await;
    assert_eq!(summary(&pipeline).await, done);
    pipeline.faults.set("audit", Some(Fault::Outage));
    pipeline.accept(vec![updated()], None).await;
    drained(&pipeline).await;
    let summary = summary(&pipeline).await;
    assert_eq!((summary.published, summary.dead_lettered, summary.unaccounted), (6, 3, 0));
    pipeline.stop().await;
}

pub async fn an_event_that_was_never_published_has_no_entry<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.ledger.entry("never").await, Ok(None));
    assert_eq!(pipeline.ports.ledger.open(10).await, Ok(Vec::new()));
    pipeline.stop().await;
}
