//! What every backend of the ports has to do, whatever it is built on: events in, effects out, across failures and
//! restarts. A backend says how it is started ([`Backend`]) and runs the suite with [`conformance!`].

#![allow(unreachable_pub, missing_docs, reason = "shared by the tests of each backend")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::demo::{Fault, Faults};
use pipeline::event::{Draft, Event};
use pipeline::ledger::DeliveryState;
use pipeline::letter::{LetterFilter, LetterStatus};
use pipeline::metric::{By, Metric, SeriesQuery};
use pipeline::operation::{NewOperation, OperationKind, OperationStatus, Selection};
use pipeline::ports::{Bus, EventFilter, Ports, PublishError};
use pipeline::publisher::{Published, Publisher};
use pipeline::time::{HOUR, MINUTE, Span, Timestamp};

/// A pipeline at work.
pub struct Running {
    pub ports: Ports,
    pub bus: Arc<dyn Bus>,
    pub publisher: Publisher,
    pub stopping: Box<dyn Stopping>,
}

/// What it takes to stop one.
#[async_trait]
pub trait Stopping: Send + Sync {
    async fn stop(self: Box<Self>);
}

impl Running {
    async fn stop(self) {
        self.stopping.stop().await;
    }
}

/// A way to start a pipeline on what an earlier one left in `dir`.
pub trait Backend {
    fn start(dir: &Path, faults: &Faults) -> Running;
}

fn event(event_type: &str, source: &str, data: &str) -> Event {
    let text = format!(r#"{{"eventType":"{event_type}","source":"{source}","userId":"u-1","data":{data}}}"#);
    Publisher::stamp(Draft::from_json(&text).expect("a draft"), false).expect("an event")
}

fn updated() -> Event {
    event(
        "transaction.updated",
        "transaction.service",
        r#"{"transactionId":"t","accountId":"a","changes":[]}"#,
    )
}

/// Waits until `condition` holds, or says what it was waiting for.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 10 s");
}

async fn drained(pipeline: &Running) {
    eventually("everything delivered", || async {
        pipeline.ports.ledger.summary().await.expect("a summary").in_flight == 0
    })
    .await;
}

pub async fn an_event_reaches_every_consumer_that_its_rules_name<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipeline = B::start(dir.path(), &Faults::default());
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
    assert_eq!(
        pipeline.ports.events.get(&event.event_id).await.expect("a store").map(|s| s.event),
        Some(event)
    );
    pipeline.stop().await;
}

pub async fn a_repeated_event_is_delivered_once_and_another_with_its_id_is_refused<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipeline = B::start(dir.path(), &Faults::default());
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

pub async fn bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    let pipeline = B::start(dir.path(), &faults);
    // Categorization needs the ids of the transactions; analytics and audit do without.
    let poison = event(
        "file.processed",
        "transaction.service",
        r#"{"fileId":"f","transactionCount":2,"processingStatus":"success"}"#,
    );
    pipeline.bus.put(vec![poison.clone()], None).await;
    drained(&pipeline).await;
    let letters = pipeline
        .ports
        .letters
        .list(&LetterFilter::default(), 10, None)
        .await
        .expect("letters")
        .items;
    assert_eq!(
        letters
            .iter()
            .map(|l| (l.consumer.as_str(), l.error_code.as_str(), l.permanent, l.attempts))
            .collect::<Vec<_>>(),
        [("categorization", "InvalidPayload", true, 1)]
    );
    let redrive = NewOperation {
        kind: OperationKind::Redrive,
        select: Selection::Ids(vec![letters[0].id.clone()]),
        reason: "try".into(),
        rate: None,
        dry_run: false,
    };
    let operation = pipeline.ports.operations.start(&redrive, "me").await.expect("an operation");
    let ended = || async {
        pipeline
            .ports
            .operations
            .get(&operation.id)
            .await
            .expect("operations")
            .expect("it")
            .operation
            .status
            == OperationStatus::Done
    };
    eventually("the redrive ends", ended).await;
    let detail = pipeline.ports.operations.get(&operation.id).await.expect("operations").expect("it");
    assert_eq!(
        (detail.operation.succeeded, detail.operation.failed),
        (0, 1),
        "it fails again, and says so"
    );
    let letter = pipeline
        .ports
        .letters
        .get(&letters[0].id)
        .await
        .expect("letters")
        .expect("it")
        .letter;
    assert_eq!((letter.status, letter.failed_redrives, letter.attempts), (LetterStatus::Open, 1, 2));
    pipeline.stop().await;
}

pub async fn an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    faults.set("analytics", Some(Fault::Outage));
    let pipeline = B::start(dir.path(), &faults);
    let events: Vec<Event> = (0..25).map(|_| updated()).collect();
    pipeline.publisher.publish(events.clone()).await;
    drained(&pipeline).await;
    let open = LetterFilter {
        status: Some(LetterStatus::Open),
        ..Default::default()
    };
    assert_eq!(pipeline.ports.letters.count(&open).await, Ok(25));
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

    faults.set("analytics", None);
    let redrive = NewOperation {
        kind: OperationKind::Redrive,
        select: Selection::Filter(open.clone()),
        reason: "it is back".into(),
        rate: Some(200),
        dry_run: false,
    };
    let operation = pipeline.ports.operations.start(&redrive, "me").await.expect("an operation");
    assert_eq!(operation.total, 25);
    eventually("all are verified", || async {
        pipeline
            .ports
            .operations
            .get(&operation.id)
            .await
            .expect("operations")
            .expect("it")
            .operation
            .succeeded
            == 25
    })
    .await;
    assert_eq!(pipeline.ports.letters.count(&open).await, Ok(0));
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.completed, summary.dead_lettered), (25, 0));
    pipeline.stop().await;
}

pub async fn a_paused_consumer_keeps_its_backlog_through_a_restart<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    let pipeline = B::start(dir.path(), &faults);
    assert_eq!(pipeline.ports.consumers.set_paused("audit", true).await, Ok(true));
    // More than a lane holds, so that the rest has to be read back from disk.
    let events: Vec<Event> = (0..6_000).map(|_| updated()).collect();
    pipeline.publisher.publish(events).await;
    eventually("analytics is done", || async {
        pipeline.ports.consumers.list().await.expect("consumers")[0].in_flight == 0
    })
    .await;
    assert_eq!(pipeline.ports.consumers.list().await.expect("consumers")[3].in_flight, 6_000);
    pipeline.stop().await;

    let pipeline = B::start(dir.path(), &faults);
    assert!(
        pipeline.ports.consumers.list().await.expect("consumers")[3].paused,
        "a pause outlives the process"
    );
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.published, summary.completed), (6_000, 6_000));
    assert_eq!(pipeline.ports.events.completeness().await.expect("evidence").missing(), 0);
    pipeline.stop().await;
}

pub async fn metrics_count_exactly_what_happened_also_across_a_restart<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    let pipeline = B::start(dir.path(), &faults);
    pipeline.publisher.publish((0..300).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    pipeline.stop().await;
    let pipeline = B::start(dir.path(), &faults);
    pipeline.publisher.publish((0..200).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    let span = Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR);
    eventually("metrics are written", || async {
        let counts = pipeline.ports.metrics.counts(span).await.expect("counts");
        counts.iter().map(|c| c.processed).collect::<Vec<_>>() == [500, 0, 0, 500]
    })
    .await;
    let counts = pipeline.ports.metrics.counts(span).await.expect("counts");
    assert!(
        counts[0].p50 <= counts[0].p99 && counts[0].p99.is_some_and(|p| p > 0.0 && p < 30.0),
        "{counts:?}"
    );
    pipeline.stop().await;
}

pub async fn latencies_are_measured_from_published_to_processed<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults::default();
    faults.set("audit", Some(Fault::Slow));
    let pipeline = B::start(dir.path(), &faults);
    let published = Timestamp::now();
    pipeline.publisher.publish((0..20).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    #[allow(clippy::cast_precision_loss)]
    let took = Timestamp::now().since(published) as f64 / 1000.0;
    let span = Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR);
    eventually("metrics are written", || async {
        pipeline.ports.metrics.counts(span).await.expect("counts")[3].processed == 20
    })
    .await;
    let audit = pipeline.ports.metrics.counts(span).await.expect("counts").remove(3);
    // Each event takes the slow consumer a quarter of a second; none can have taken longer than all of them together.
    assert!(
        audit.p50 >= Some(0.24) && audit.p99 <= Some(took * 1.02),
        "{audit:?} within {took} s"
    );
    pipeline.stop().await;
}

pub async fn a_cause_that_was_never_seen_is_a_gap_until_it_comes<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipeline = B::start(dir.path(), &Faults::default());
    let cause = updated();
    let effect = Event {
        causation_id: Some(cause.event_id.clone()),
        ..updated()
    };
    pipeline.publisher.publish(vec![effect]).await;
    drained(&pipeline).await;
    assert_eq!(pipeline.ports.events.completeness().await.expect("evidence").orphaned, 1);
    pipeline.publisher.publish(vec![cause]).await;
    drained(&pipeline).await;
    let evidence = pipeline.ports.events.completeness().await.expect("evidence");
    assert_eq!((evidence.orphaned, evidence.missing(), evidence.stored), (0, 0, 2));
    pipeline.stop().await;
}

pub async fn lists_page_through_everything_once_and_filters_narrow_them<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipeline = B::start(dir.path(), &Faults::default());
    let mut events: Vec<Event> = (0..130).map(|_| updated()).collect();
    events.push(event(
        "account.deleted",
        "account.service",
        r#"{"accountId":"needle-7","transactionCount":1}"#,
    ));
    pipeline.publisher.publish(events.clone()).await;
    drained(&pipeline).await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = pipeline
            .ports
            .events
            .list(&EventFilter::default(), 50, cursor.as_deref())
            .await
            .expect("a page")
            .page;
        seen.extend(page.items.into_iter().map(|s| s.event.event_id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let mut wanted: Vec<String> = events.iter().map(|e| e.event_id.clone()).collect();
    wanted.sort();
    seen.sort();
    assert_eq!(seen, wanted);
    let found = pipeline
        .ports
        .events
        .list(
            &EventFilter {
                q: Some("NEEDLE-7".into()),
                ..Default::default()
            },
            50,
            None,
        )
        .await
        .expect("a page");
    assert_eq!((found.page.items.len(), found.searched, found.partial), (1, 131, false));
    let facets = pipeline.ports.events.facets().await.expect("facets");
    assert_eq!(facets.types, ["account.deleted", "transaction.updated"]);
    assert!(pipeline.ports.events.list(&EventFilter::default(), 0, None).await.is_err());
    assert!(
        pipeline
            .ports
            .events
            .list(&EventFilter::default(), 5, Some("rubbish"))
            .await
            .is_err()
    );
    pipeline.stop().await;
}

pub async fn before_anything_was_counted_nothing_is_known<B: Backend>() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipeline = B::start(dir.path(), &Faults::default());
    pipeline.publisher.publish(vec![updated()]).await;
    drained(&pipeline).await;
    let now = Timestamp::now();
    let query = SeriesQuery {
        metric: Metric::Throughput,
        by: By::None,
        from: now.0 - HOUR,
        to: now.0,
        step: MINUTE,
        consumer: None,
    };
    let known = async || {
        let reading = pipeline.ports.metrics.series(&query).await.expect("a reading");
        reading.series[0].values.iter().flatten().count()
    };
    eventually("metrics are written", || async { known().await > 0 }).await;
    assert!(
        known().await <= 2,
        "only the minutes since the first event have values; zeros before them would be made up"
    );
    pipeline.stop().await;
}

/// The suite, as tests over a backend.
macro_rules! conformance {
    ($backend:ty) => {
        #[tokio::test]
        async fn an_event_reaches_every_consumer_that_its_rules_name() {
            crate::conformance::an_event_reaches_every_consumer_that_its_rules_name::<$backend>().await;
        }

        #[tokio::test]
        async fn a_repeated_event_is_delivered_once_and_another_with_its_id_is_refused() {
            crate::conformance::a_repeated_event_is_delivered_once_and_another_with_its_id_is_refused::<$backend>().await;
        }

        #[tokio::test]
        async fn bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified() {
            crate::conformance::bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified::<$backend>().await;
        }

        #[tokio::test]
        async fn an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them() {
            crate::conformance::an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them::<$backend>().await;
        }

        #[tokio::test]
        async fn a_paused_consumer_keeps_its_backlog_through_a_restart() {
            crate::conformance::a_paused_consumer_keeps_its_backlog_through_a_restart::<$backend>().await;
        }

        #[tokio::test]
        async fn metrics_count_exactly_what_happened_also_across_a_restart() {
            crate::conformance::metrics_count_exactly_what_happened_also_across_a_restart::<$backend>().await;
        }

        #[tokio::test]
        async fn latencies_are_measured_from_published_to_processed() {
            crate::conformance::latencies_are_measured_from_published_to_processed::<$backend>().await;
        }

        #[tokio::test]
        async fn a_cause_that_was_never_seen_is_a_gap_until_it_comes() {
            crate::conformance::a_cause_that_was_never_seen_is_a_gap_until_it_comes::<$backend>().await;
        }

        #[tokio::test]
        async fn lists_page_through_everything_once_and_filters_narrow_them() {
            crate::conformance::lists_page_through_everything_once_and_filters_narrow_them::<$backend>().await;
        }

        #[tokio::test]
        async fn before_anything_was_counted_nothing_is_known() {
            crate::conformance::before_anything_was_counted_nothing_is_known::<$backend>().await;
        }
    };
}
pub(crate) use conformance;
