//! The measurements: counts, percentiles and the peak.

use pipeline::consumer::ConsumerCounts;
use pipeline::demo::Fault;
use pipeline::rule::CONSUMERS;
use pipeline::time::{HOUR, MINUTE, Span, Timestamp};

use super::{Backend, Fresh, Running, drained, eventually, updated};

pub async fn counts(pipeline: &Running, span: Span) -> Vec<ConsumerCounts> {
    pipeline.ports.metrics.counts(span).await.expect("counts")
}

pub async fn metrics_count_exactly_what_happened_also_across_a_restart<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // Some that a backend does in a moment, and not as many after the restart.
    let (before, after) = (B::BACKLOG / 20, B::BACKLOG / 30);
    pipeline.publisher.publish((0..before).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    let pipeline = pipeline.restart::<B>().await;
    pipeline.publisher.publish((0..after).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    let span = Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR);
    let all = (before + after) as u64;
    eventually("metrics are written", || async {
        let counts = counts(&pipeline, span).await;
        counts.iter().map(|c| c.processed).collect::<Vec<_>>() == [all, 0, 0, all]
    })
    .await;
    let counts = counts(&pipeline, span).await;
    assert!(
        counts[0].p50 <= counts[0].p99 && counts[0].p99.is_some_and(|p| p > 0.0 && p < 30.0),
        "{counts:?}"
    );
    pipeline.stop().await;
}

pub async fn the_peak_is_the_fullest_whole_minute<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let hour = Span::ending(Timestamp::now().floor(MINUTE), HOUR);
    assert_eq!(pipeline.ports.metrics.peak(hour).await, Ok((0.0, 0)));
    let busy = hour.from.plus(10 * MINUTE);
    let repeated = updated();
    for (count, at) in [
        (6, busy.plus(1_000)),
        (4, busy.plus(5 * MINUTE)),
        (3, busy.plus(6 * MINUTE - 1_000)),
    ] {
        pipeline.accept((0..count).map(|_| updated()).collect(), Some(at)).await;
    }
    pipeline.accept(vec![repeated.clone()], Some(busy.plus(8 * MINUTE))).await;
    pipeline.accept(vec![repeated; 9], Some(busy.plus(8 * MINUTE))).await;
    drained(&pipeline).await;
    eventually("metrics are written", || async {
        pipeline.ports.metrics.peak(hour).await.is_ok_and(|(_, all)| all == 14)
    })
    .await;
    assert_eq!(
        pipeline.ports.metrics.peak(hour).await,
        Ok((7.0, 14)),
        "a minute's first and last second together; a repeated event was published once"
    );
    let before = Span {
        from: hour.from,
        to: busy.plus(5 * MINUTE),
    };
    assert_eq!(
        pipeline.ports.metrics.peak(before).await,
        Ok((6.0, 6)),
        "the minute at `to` is outside"
    );
    pipeline.stop().await;
}

pub async fn a_minute_that_the_span_cuts_is_no_whole_one<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let minute = Timestamp::now().floor(MINUTE).plus(-10 * MINUTE);
    for (count, at) in [(5, minute.plus(1_000)), (2, minute.plus(2 * MINUTE))] {
        pipeline.accept((0..count).map(|_| updated()).collect(), Some(at)).await;
    }
    drained(&pipeline).await;
    let peak_and_count = async |from, to| pipeline.ports.metrics.peak(Span { from, to }).await.expect("a peak");
    let peak = async |from, to| peak_and_count(from, to).await.0;
    let end = minute.plus(5 * MINUTE);
    eventually("metrics are written", || async { peak_and_count(minute, end).await == (5.0, 7) }).await;
    let (cut_at_its_end, cut_at_its_start) = (
        peak(minute.plus(-MINUTE), minute.plus(30_000)).await,
        peak(minute.plus(30_000), end).await,
    );
    assert!(cut_at_its_end < 0.1, "{cut_at_its_end}");
    assert!((cut_at_its_start - 2.0).abs() < 0.1, "{cut_at_its_start}");
    pipeline.stop().await;
}

pub async fn the_peaks_count_holds_the_running_minutes_events_too<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for round in 1..=3 {
        let minute = Timestamp::now().floor(MINUTE);
        pipeline.accept((0..5).map(|_| updated()).collect(), None).await;
        drained(&pipeline).await;
        let span = Span::ending(minute.plus(HOUR), 2 * HOUR);
        eventually("metrics are written", || async {
            counts(&pipeline, span).await[3].processed == 5 * round
        })
        .await;
        let (_, all) = pipeline.ports.metrics.peak(span).await.expect("a peak");
        // Where the minute ran out meanwhile, the answer says nothing of a running one: once more then.
        if Timestamp::now().floor(MINUTE) == minute {
            assert_eq!(all, 5 * round);
            pipeline.stop().await;
            return;
        }
    }
    panic!("three minutes in a row ran out");
}

pub async fn counts_are_those_of_the_span<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let then = Timestamp::now().floor(MINUTE).plus(-30 * MINUTE);
    pipeline.faults.set("analytics", Some(Fault::Outage));
    pipeline.accept(vec![updated(), updated()], Some(then.plus(1_000))).await;
    drained(&pipeline).await;
    let around = Span {
        from: then,
        to: then.plus(5 * MINUTE),
    };
    eventually("metrics are written", || async {
        let counts = counts(&pipeline, around).await;
        counts[0].failed == 6 && counts[3].processed == 2
    })
    .await;
    let inside = counts(&pipeline, around).await;
    assert_eq!(
        inside.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        CONSUMERS,
        "all, in the rules' order"
    );
    assert_eq!(
        inside.iter().map(|c| (c.processed, c.failed)).collect::<Vec<_>>(),
        [(0, 6), (0, 0), (0, 0), (2, 0)]
    );
    // Latency is of what was processed, and a history that is filled in is processed as if then, not half an hour late.
    assert_eq!((inside[0].p50, inside[1].p99), (None, None));
    assert!(inside[3].p50.is_some_and(|p| p > 0.0 && p < 15.0), "{inside:?}");
    for outside in [Span::ending(then, HOUR), Span::ending(then.plus(20 * MINUTE), 15 * MINUTE)] {
        for count in counts(&pipeline, outside).await {
            assert_eq!((count.processed, count.failed, count.p50), (0, 0, None), "{count:?}");
        }
    }
    pipeline.stop().await;
}
