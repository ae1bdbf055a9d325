//! What is open at the end of each step, and how long measurements are kept.

use pipeline::metric::{By, Metric, SeriesQuery};
use pipeline::operation::OperationKind;
use pipeline::time::{DAY, HOUR, MINUTE, Span, Timestamp};

use super::series::{by_minute, hour, lines, past, read, reads};
use super::{Backend, Fresh, Running, drained, eventually, open, poison, updated};

/// Waits until the newest value of `metric` is `wanted`.
async fn newest(pipeline: &Running, metric: Metric, wanted: f64) {
    eventually(&format!("{metric} is {wanted} at the end of the newest step"), || async {
        let minute = Timestamp::now().floor(MINUTE).0;
        let query = SeriesQuery {
            from: minute - 5 * MINUTE,
            to: minute + MINUTE,
            ..by_minute(Timestamp(minute), metric, By::None)
        };
        let reading = read(pipeline, &query).await;
        reading.series.first().and_then(|s| s.values.iter().flatten().next_back().copied()) == Some(wanted)
    })
    .await;
}

pub async fn open_letters_are_gauged<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.accept(vec![poison(), poison()], None).await;
    drained(&pipeline).await;
    newest(&pipeline, Metric::DeadLetters, 2.0).await;
    let id = pipeline.letters(&open()).await.remove(0).id;
    pipeline.operate(OperationKind::Discard, &[&id]).await;
    newest(&pipeline, Metric::DeadLetters, 1.0).await;
    pipeline.stop().await;
}

pub async fn deliveries_in_flight_are_gauged_also_when_nothing_else_happens<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.accept(vec![updated()], None).await;
    drained(&pipeline).await;
    newest(&pipeline, Metric::InFlight, 0.0).await;
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    pipeline.accept((0..3).map(|_| updated()).collect(), None).await;
    newest(&pipeline, Metric::InFlight, 3.0).await;
    pipeline.stop().await;
}

pub async fn what_is_older_than_the_minutes_is_known_by_the_hour<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let old = Timestamp(past().0 - B::BY_THE_MINUTE - DAY);
    pipeline.accept((0..30).map(|_| updated()).collect(), Some(old)).await;
    drained(&pipeline).await;
    reads(&pipeline, &hour(old, Metric::Throughput, By::None), lines([("all", Some(0.5))])).await;
    let day = Span::ending(old.plus(HOUR), DAY);
    eventually("the consumers' counts too", || async {
        let counts = pipeline.ports.metrics.counts(day).await.expect("counts");
        counts.iter().map(|c| c.processed).collect::<Vec<_>>() == [30, 0, 0, 30]
    })
    .await;
    pipeline.stop().await;
}
