//! How long from published to processed.

use pipeline::demo::Fault;
use pipeline::metric::{By, Metric, Unit};
use pipeline::time::{HOUR, Span, Timestamp};

use super::metrics::counts;
use super::series::{by_minute, history, read};
use super::{Backend, Fresh, drained, eventually, updated};

pub async fn latencies_are_measured_from_published_to_processed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("audit", Some(Fault::Slow));
    let published = Timestamp::now();
    pipeline.publisher.publish((0..20).map(|_| updated()).collect()).await;
    drained(&pipeline).await;
    // Whoever processed the last may measure it a moment after it was written.
    #[allow(clippy::cast_precision_loss)]
    let took = Timestamp::now().since(published) as f64 / 1000.0 + 3.0;
    let span = Span::ending(Timestamp::now().plus(HOUR), 2 * HOUR);
    eventually("metrics are written", || async { counts(&pipeline, span).await[3].processed == 20 }).await;
    let audit = counts(&pipeline, span).await.remove(3);
    // Each event takes the slow consumer a quarter of a second; none can have taken longer than all of them together.
    assert!(
        audit.p50 >= Some(0.24) && audit.p99 <= Some(took * 1.02),
        "{audit:?} within {took} s"
    );
    pipeline.stop().await;
}

pub async fn percentiles_are_in_order_and_unknown_where_nothing_was_processed<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let past = history(&pipeline).await;
    let mut read_all = Vec::new();
    for metric in [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99] {
        let query = by_minute(past, metric, By::None);
        eventually("latencies are written", || async {
            read(&pipeline, &query).await.series[0].values[4].is_some()
        })
        .await;
        let reading = read(&pipeline, &query).await;
        assert_eq!(reading.unit, Unit::Seconds);
        let values = &reading.series[0].values;
        let known: Vec<usize> = (0..values.len()).filter(|i| values[*i].is_some()).collect();
        assert_eq!(known, [2, 4], "{values:?}");
        read_all.push(values[2].expect("a latency"));
    }
    assert!(read_all.is_sorted() && read_all[0] > 0.0 && read_all[2] < 15.0, "{read_all:?}");
    let by_type = B::BY_TYPE.then_some((By::Type, "account.deleted"));
    for (by, label) in [(By::Consumer, "notification")].into_iter().chain(by_type) {
        let reading = read(&pipeline, &by_minute(past, Metric::LatencyP99, by)).await;
        let line = reading.series.iter().find(|s| s.label == label).expect("its line");
        assert!(line.values[4].is_some() && line.values[2].is_none(), "{line:?}");
    }
    pipeline.stop().await;
}
