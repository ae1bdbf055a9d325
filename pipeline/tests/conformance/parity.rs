//! Parity: what both paths did, compared operation by operation.

use pipeline::event::Event;
use pipeline::parity::{LATE_AFTER_MILLIS, ParityReport, ParityRow, Verdict};
use pipeline::ports::DirectCall;
use pipeline::time::{HOUR, MINUTE, Span, Timestamp};
use pipeline::trigger::{Trigger, TriggerMaps};

use super::{Backend, Fresh, Running, drained, event, updated};

/// On it both paths ask for the same.
pub fn created() -> Event {
    event(
        "account.created",
        "account.service",
        r#"{"accountId":"a","accountName":"n","accountType":"t","currency":"GBP"}"#,
    )
}

fn direct_trigger(event: &Event) -> Trigger {
    TriggerMaps::default().direct[&event.event_type]
}

fn event_trigger(event: &Event) -> Trigger {
    TriggerMaps::default().event[&event.event_type]
}

pub async fn direct(pipeline: &Running, event: &Event, at: Timestamp, both: bool) {
    let call = DirectCall {
        operation_id: event.event_id.clone(),
        event_type: event.event_type.clone(),
        user_id: event.user_id.clone(),
        trigger: direct_trigger(event),
        at,
        both,
    };
    pipeline.ports.parity.record_direct(call).await.expect("recorded");
}

async fn published(pipeline: &Running, event: &Event) {
    pipeline.accept(vec![event.clone()], None).await;
    drained(pipeline).await;
}

async fn report(pipeline: &Running, event_type: Option<&str>, now: Timestamp) -> ParityReport {
    let span = Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR);
    pipeline.ports.parity.report(span, event_type, now).await.expect("a report")
}

pub async fn total(pipeline: &Running) -> ParityRow {
    report(pipeline, None, Timestamp::now()).await.total
}

/// A row's counts without its triggers and type.
fn counts(row: &ParityRow) -> ParityRow {
    ParityRow {
        event_type: String::new(),
        direct: None,
        event: None,
        ..row.clone()
    }
}

pub async fn the_same_on_both_paths_matches_whichever_came_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (first, second) = (created(), created());
    direct(&pipeline, &first, Timestamp::now(), true).await;
    published(&pipeline, &first).await;
    published(&pipeline, &second).await;
    direct(&pipeline, &second, Timestamp::now(), true).await;
    let report = report(&pipeline, None, Timestamp::now()).await;
    let matched = ParityRow {
        matched: 2,
        ..Default::default()
    };
    assert_eq!(counts(&report.total), matched);
    assert_eq!(report.total.event_type, "");
    assert_eq!(
        report.rows,
        [ParityRow {
            event_type: "account.created".into(),
            direct: Some(direct_trigger(&first)),
            event: Some(event_trigger(&first)),
            ..matched
        }]
    );
    assert_eq!(report.differences, []);
    pipeline.stop().await;
}

pub async fn another_priority_or_other_types_differ<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // The design's own maps differ here; the report has to show it from what both did.
    let (older, newer) = (updated(), updated());
    for (event, ago) in [(&older, 2_000), (&newer, 1_000)] {
        direct(&pipeline, event, Timestamp::now().plus(-ago), true).await;
        published(&pipeline, event).await;
    }
    let report = report(&pipeline, None, Timestamp::now()).await;
    assert_eq!((report.total.different, report.total.compared()), (2, 2));
    assert_eq!(
        report.differences.iter().map(|d| d.operation_id.as_str()).collect::<Vec<_>>(),
        [newer.event_id.as_str(), older.event_id.as_str()],
        "newest first"
    );
    let newest = &report.differences[0];
    assert_eq!(
        (
            newest.event_type.as_str(),
            newest.user_id.as_str(),
            newest.verdict,
            newest.direct,
            newest.event
        ),
        (
            "transaction.updated",
            "u-1",
            Verdict::Different,
            Some(direct_trigger(&newer)),
            Some(event_trigger(&newer))
        )
    );
    pipeline.stop().await;
}

pub async fn a_direct_call_without_its_event_is_pending_and_then_missing<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let at = Timestamp::now();
    let event = created();
    direct(&pipeline, &event, at, true).await;
    let pending = report(&pipeline, None, at.plus(LATE_AFTER_MILLIS)).await;
    assert_eq!((pending.total.pending, pending.total.compared()), (1, 0), "it still has time");
    assert_eq!(pending.differences, []);
    let missing = report(&pipeline, None, at.plus(LATE_AFTER_MILLIS + 1)).await;
    assert_eq!((missing.total.missing, missing.total.pending), (1, 0));
    let [difference] = missing.differences.as_slice() else {
        panic!("{missing:?}")
    };
    assert_eq!(
        (
            difference.operation_id.as_str(),
            difference.verdict,
            difference.at,
            difference.event
        ),
        (event.event_id.as_str(), Verdict::Missing, at, None)
    );
    // It comes after all: what was pending is matched.
    published(&pipeline, &event).await;
    assert_eq!(total(&pipeline).await.matched, 1);
    pipeline.stop().await;
}

pub async fn where_only_the_direct_path_ran_nothing_is_missing<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let at = Timestamp::now();
    direct(&pipeline, &created(), at, false).await;
    for now in [at, at.plus(LATE_AFTER_MILLIS + 1)] {
        let report = report(&pipeline, None, now).await;
        assert_eq!((report.total.missing, report.total.pending, report.total.compared()), (0, 0, 0));
        assert_eq!(report.differences, []);
    }
    pipeline.stop().await;
}

pub async fn an_event_that_took_too_long_is_late<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = created();
    direct(&pipeline, &event, Timestamp::now().plus(-LATE_AFTER_MILLIS - 5_000), true).await;
    published(&pipeline, &event).await;
    let row = total(&pipeline).await;
    assert_eq!((row.late, row.matched), (1, 0));
    pipeline.stop().await;
}

pub async fn an_event_without_a_direct_call_is_extra<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let event = created();
    published(&pipeline, &event).await;
    // A repeat is the same operation, and an event that asks nothing of analytics is none.
    published(&pipeline, &event).await;
    published(&pipeline, &super::unknown()).await;
    let row = total(&pipeline).await;
    assert_eq!((row.extra, row.compared()), (1, 0));
    pipeline.stop().await;
}

pub async fn a_report_is_of_its_span_and_of_one_type_if_asked<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let base = Timestamp::now().plus(-30 * MINUTE);
    for (event, minutes) in [(created(), 0), (created(), 1), (updated(), 1), (created(), 2)] {
        direct(&pipeline, &event, base.plus(minutes * MINUTE), true).await;
    }
    let span = Span {
        from: base.plus(MINUTE),
        to: base.plus(2 * MINUTE),
    };
    let now = Timestamp::now();
    let of = async |event_type| pipeline.ports.parity.report(span, event_type, now).await.expect("a report");
    let both = of(None).await;
    assert_eq!(
        (both.span, both.total.missing, both.differences.len()),
        (span, 2, 2),
        "`from` is in it, `to` is not"
    );
    let mut types: Vec<_> = both.rows.iter().map(|r| (r.event_type.as_str(), r.missing)).collect();
    types.sort_unstable();
    assert_eq!(types, [("account.created", 1), ("transaction.updated", 1)]);
    let one = of(Some("account.created")).await;
    assert_eq!(one.total.missing, 1);
    assert_eq!(
        one.rows.iter().map(|r| r.event_type.as_str()).collect::<Vec<_>>(),
        ["account.created"]
    );
    assert!(one.differences.iter().all(|d| d.event_type == "account.created"), "{one:?}");
    let none = of(Some("never.seen")).await;
    assert_eq!((none.total.compared(), none.differences.len()), (0, 0));
    pipeline.stop().await;
}

pub async fn parity_outlives_the_process<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (done, half) = (created(), created());
    direct(&pipeline, &done, Timestamp::now(), true).await;
    published(&pipeline, &done).await;
    direct(&pipeline, &half, Timestamp::now(), true).await;
    let pipeline = pipeline.restart::<B>().await;
    let row = total(&pipeline).await;
    assert_eq!((row.matched, row.pending), (1, 1));
    published(&pipeline, &half).await;
    assert_eq!(total(&pipeline).await.matched, 2);
    pipeline.stop().await;
}
