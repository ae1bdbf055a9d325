//! Which analytics are to be computed, whichever path asked.

use pipeline::parity::LATE_AFTER_MILLIS;
use pipeline::ports::DirectCall;
use pipeline::time::Timestamp;
use pipeline::trigger::{AnalyticType, AnalyticTypes, AnalyticsStatus, Trigger};

use super::{Backend, Fresh, Running, drained, updated};

fn direct(operation: &str, user: &str, priority: u8, at: i64) -> DirectCall {
    DirectCall {
        operation_id: operation.to_owned(),
        event_type: "transaction.updated".to_owned(),
        user_id: user.to_owned(),
        trigger: Trigger {
            priority,
            types: AnalyticTypes::ALL,
        },
        at: Timestamp(at),
        both: false,
    }
}

async fn needed(pipeline: &Running) -> Vec<AnalyticsStatus> {
    pipeline.analytics.needed(500).await.expect("what is needed")
}

pub async fn both_paths_mark_what_is_to_be_computed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let by_event = pipeline.analytics.of_user(&event.user_id).await.expect("marks");
    assert_eq!(by_event.len(), 1, "the event path's map names one type");
    assert_eq!(
        (by_event[0].analytic_type, by_event[0].processing_priority),
        (AnalyticType::CashFlow, 3)
    );
    assert!(by_event[0].computation_needed && by_event[0].last_computed_date.is_none());

    // Without events, the direct path alone keeps analytics from going stale.
    pipeline
        .ports
        .parity
        .record_direct(direct("o-1", "somebody", 2, 1_000))
        .await
        .expect("recorded");
    let by_direct = pipeline.analytics.of_user("somebody").await.expect("marks");
    let types: Vec<AnalyticType> = by_direct.iter().map(|status| status.analytic_type).collect();
    assert_eq!(types, AnalyticType::ALL, "in the design's order");
    pipeline.stop().await;
}

pub async fn the_most_urgent_of_what_was_asked_stands_until_it_is_computed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for (operation, priority, at) in [("o-1", 3, 1_000), ("o-2", 1, 2_000), ("o-3", 2, 3_000)] {
        pipeline
            .ports
            .parity
            .record_direct(direct(operation, "u-1", priority, at))
            .await
            .expect("recorded");
    }
    pipeline
        .ports
        .parity
        .record_direct(direct("o-4", "u-2", 2, 500))
        .await
        .expect("recorded");
    let waiting = needed(&pipeline).await;
    assert_eq!(waiting.len(), 20);
    assert!(
        waiting[..10]
            .iter()
            .all(|status| status.user_id == "u-1" && status.processing_priority == 1),
        "{waiting:?}"
    );

    let done = &waiting[0];
    assert_eq!(pipeline.analytics.computed(done, "2026-09-21").await, Ok(true));
    let now = pipeline.analytics.of_user("u-1").await.expect("marks");
    let same = now
        .iter()
        .find(|status| status.analytic_type == done.analytic_type)
        .expect("the one that was computed");
    assert_eq!(
        (same.computation_needed, same.last_computed_date.as_deref()),
        (false, Some("2026-09-21"))
    );
    assert_eq!(needed(&pipeline).await.len(), 19);

    // Asked again, it has the new priority alone; and what was asked while it was computed stays to be done.
    pipeline
        .ports
        .parity
        .record_direct(direct("o-5", "u-1", 3, LATE_AFTER_MILLIS))
        .await
        .expect("recorded");
    let again = pipeline.analytics.of_user("u-1").await.expect("marks");
    let again = again
        .iter()
        .find(|status| status.analytic_type == done.analytic_type)
        .expect("the same");
    assert_eq!((again.computation_needed, again.processing_priority), (true, 3));
    assert_eq!(pipeline.analytics.computed(done, "2026-09-22").await, Ok(false));
    assert_eq!(needed(&pipeline).await.len(), 20);
    pipeline.stop().await;
}
