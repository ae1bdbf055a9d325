//! Series: one value a step, and none where nothing is known.

use std::collections::BTreeMap;

use pipeline::demo::Fault;
use pipeline::metric::{By, Metric, Reading, SeriesQuery, Unit};
use pipeline::ports::StoreError;
use pipeline::time::{HOUR, MINUTE, Timestamp};

use super::{Backend, Fresh, Running, answered, drained, event, eventually, poison, updated};

/// A minute in the past, well inside an hour, from which on things are put into the history.
pub fn past() -> Timestamp {
    Timestamp::now().floor(HOUR).plus(-HOUR + 5 * MINUTE)
}

/// From two minutes before [`past`] to ten after it, by the minute.
pub fn by_minute(past: Timestamp, metric: Metric, by: By) -> SeriesQuery {
    SeriesQuery {
        metric,
        by,
        from: past.0 - 2 * MINUTE,
        to: past.0 + 10 * MINUTE,
        step: MINUTE,
        consumer: None,
    }
}

/// The hour that holds [`past`], as one step.
pub fn hour(past: Timestamp, metric: Metric, by: By) -> SeriesQuery {
    SeriesQuery {
        from: past.floor(HOUR).0,
        to: past.floor(HOUR).0 + HOUR,
        step: HOUR,
        ..by_minute(past, metric, by)
    }
}

pub async fn read(pipeline: &Running, query: &SeriesQuery) -> Reading {
    answered(|| pipeline.ports.metrics.series(query)).await
}

/// The first value of each line.
async fn values(pipeline: &Running, query: &SeriesQuery) -> BTreeMap<String, Option<f64>> {
    let reading = read(pipeline, query).await;
    reading.series.into_iter().map(|s| (s.label, s.values[0])).collect()
}

pub fn lines<const N: usize>(of: [(&str, Option<f64>); N]) -> BTreeMap<String, Option<f64>> {
    of.into_iter().map(|(label, value)| (label.to_owned(), value)).collect()
}

pub async fn reads(pipeline: &Running, query: &SeriesQuery, wanted: BTreeMap<String, Option<f64>>) {
    eventually(&format!("{query:?} reads {wanted:?}"), || async {
        values(pipeline, query).await == wanted
    })
    .await;
}

/// The same by type, where measurements are kept by type.
async fn reads_by_type<B: Backend>(pipeline: &Running, query: &SeriesQuery, wanted: BTreeMap<String, Option<f64>>) {
    if B::BY_TYPE {
        return reads(pipeline, query, wanted).await;
    }
    let answer = pipeline.ports.metrics.series(query).await;
    assert!(matches!(answer, Err(StoreError::NotOffered { .. })), "{answer:?}");
}

/// Three edits in the first minute, two deleted accounts in the third.
pub async fn history(pipeline: &Running) -> Timestamp {
    let past = past();
    pipeline.accept((0..3).map(|_| updated()).collect(), Some(past.plus(1_000))).await;
    let deleted = || event("account.deleted", "account.service", r#"{"accountId":"a","transactionCount":1}"#);
    pipeline
        .accept(vec![deleted(), deleted()], Some(past.plus(2 * MINUTE + 1_000)))
        .await;
    drained(pipeline).await;
    past
}

pub async fn before_anything_was_counted_nothing_is_known<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.publisher.publish(vec![updated()]).await;
    drained(&pipeline).await;
    let now = Timestamp::now();
    let query = SeriesQuery {
        from: now.0 - HOUR,
        to: now.0,
        ..by_minute(now, Metric::Throughput, By::None)
    };
    let known = async || read(&pipeline, &query).await.series[0].values.iter().flatten().count();
    eventually("metrics are written", || async { known().await > 0 }).await;
    assert!(
        known().await <= 2,
        "only the minutes since the first event have values; zeros before them would be made up"
    );
    pipeline.stop().await;
}

pub async fn throughput_is_events_a_minute_and_nothing_is_made_up_for_a_quiet_one<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = history(&pipeline).await;
    let query = by_minute(past, Metric::Throughput, By::None);
    let mut wanted = vec![None, None, Some(3.0), B::QUIET, Some(2.0)];
    wanted.resize(12, B::QUIET);
    eventually("metrics are written", || async {
        read(&pipeline, &query).await.series[0].values == wanted
    })
    .await;
    let reading = read(&pipeline, &query).await;
    assert_eq!(
        (reading.metric, reading.unit, reading.from, reading.step),
        (Metric::Throughput, Unit::PerMinute, Timestamp(query.from), MINUTE)
    );
    assert_eq!(reading.series.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(), ["all"]);
    assert!(
        reading.until >= Timestamp(query.to) && reading.until <= Timestamp::now(),
        "{reading:?}"
    );
    // What has not come yet is not zero either.
    let ahead = SeriesQuery {
        from: Timestamp::now().floor(MINUTE).0 + 5 * MINUTE,
        to: Timestamp::now().floor(MINUTE).0 + 10 * MINUTE,
        ..query
    };
    let ahead = read(&pipeline, &ahead).await;
    assert!(ahead.series.iter().flat_map(|s| &s.values).all(Option::is_none), "{ahead:?}");
    pipeline.stop().await;
}

pub async fn throughput_by_type_and_by_consumer<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = history(&pipeline).await;
    let start = |by| SeriesQuery {
        from: past.0,
        ..by_minute(past, Metric::Throughput, by)
    };
    let by_type = start(By::Type);
    let wanted = lines([("account.deleted", Some(0.0)), ("transaction.updated", Some(3.0))]);
    reads_by_type::<B>(&pipeline, &by_type, wanted).await;
    let by_consumer = start(By::Consumer);
    eventually("completions are written", || async {
        let reading = read(&pipeline, &by_consumer).await;
        let of = |name: &str| reading.series.iter().find(|s| s.label == name).map(|s| (s.values[0], s.values[2]));
        of("audit") == Some((Some(3.0), Some(2.0)))
            && of("analytics") == Some((Some(3.0), Some(2.0)))
            && of("notification").is_some_and(|(_, third)| third == Some(2.0))
    })
    .await;
    pipeline.stop().await;
}

pub async fn a_wider_step_is_still_per_minute<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = history(&pipeline).await;
    let query = SeriesQuery {
        from: past.0,
        step: 5 * MINUTE,
        ..by_minute(past, Metric::Throughput, By::None)
    };
    reads(&pipeline, &query, lines([("all", Some(1.0))])).await;
    assert_eq!(
        read(&pipeline, &query).await.series[0].values,
        [Some(1.0), B::QUIET],
        "five events in five minutes"
    );
    pipeline.stop().await;
}

pub async fn errors_count_attempts_and_the_rate_is_their_share<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = past();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    pipeline.accept(vec![updated()], Some(past.plus(1_000))).await;
    drained(&pipeline).await;
    reads(&pipeline, &hour(past, Metric::Errors, By::None), lines([("all", Some(3.0))])).await;
    let by_type = hour(past, Metric::Errors, By::Type);
    reads_by_type::<B>(&pipeline, &by_type, lines([("transaction.updated", Some(3.0))])).await;
    reads(&pipeline, &hour(past, Metric::ErrorRate, By::None), lines([("all", Some(75.0))])).await;
    let by_consumer = values(&pipeline, &hour(past, Metric::ErrorRate, By::Consumer)).await;
    let of = |name: &str| by_consumer.get(name).copied().flatten();
    assert_eq!((of("analytics"), of("audit")), (Some(100.0), Some(0.0)));
    assert_eq!(of("notification"), None, "no attempts, so no share of them");
    let errors = values(&pipeline, &hour(past, Metric::Errors, By::Consumer)).await;
    assert_eq!(errors.get("analytics"), Some(&Some(3.0)));
    // In a minute without attempts there were no errors, but there is no rate.
    let (errors, rate) = (
        read(&pipeline, &by_minute(past, Metric::Errors, By::None)).await,
        read(&pipeline, &by_minute(past, Metric::ErrorRate, By::None)).await,
    );
    assert_eq!((errors.series[0].values[6], rate.series[0].values[6]), (B::QUIET, None));
    pipeline.stop().await;
}

pub async fn one_consumers_series_is_its_own<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = past();
    pipeline.accept(vec![poison(), updated()], Some(past.plus(1_000))).await;
    drained(&pipeline).await;
    for (consumer, completed, failed) in [("audit", 2.0, 0.0), ("categorization", 0.0, 1.0)] {
        for (metric, wanted) in [(Metric::Throughput, completed / 60.0), (Metric::Errors, failed)] {
            let query = SeriesQuery {
                consumer: Some(consumer.into()),
                ..hour(past, metric, By::Consumer)
            };
            // The hour's first minutes, before anything was counted, are part of its length all the same.
            eventually(&format!("{consumer}'s {metric}"), || async {
                let values = values(&pipeline, &query).await;
                values.len() == 1 && values.get(consumer).is_some_and(|v| v.is_some_and(|v| (v - wanted).abs() < 1e-9))
            })
            .await;
        }
    }
    pipeline.stop().await;
}

pub async fn a_step_that_is_no_whole_minute_is_refused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let query = by_minute(past(), Metric::Throughput, By::None);
    for (from, to, step) in [
        (query.from, query.to, 0),
        (query.from, query.to, -MINUTE),
        (query.from, query.to, 1_000),
        (query.from, query.to, MINUTE + 1),
        (query.to, query.from, MINUTE),
    ] {
        let odd = SeriesQuery {
            from,
            to,
            step,
            ..query.clone()
        };
        let answer = pipeline.ports.metrics.series(&odd).await;
        assert!(answer.is_err(), "{odd:?}: {answer:?}");
    }
    pipeline.stop().await;
}
