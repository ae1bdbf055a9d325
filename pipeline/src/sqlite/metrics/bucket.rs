//! What was counted in one step of one line, added up from as many minutes or hours as it takes.

use hdrhistogram::Histogram;

use super::book::decode;
use crate::metric::Metric;
use crate::time::MINUTE;

/// What is known of one step of one line.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) processed: u64,
    pub(super) failed: u64,
    pub(super) latency: Option<Histogram<u64>>,
}

impl Bucket {
    pub(super) fn add(&mut self, processed: u64, failed: u64, latency: Option<Vec<u8>>) {
        self.processed += processed;
        self.failed += failed;
        if let Some(more) = latency.as_deref().and_then(decode) {
            match &mut self.latency {
                // Auto-resizing histograms of the same figures always add up.
                Some(sum) => sum
                    .add(&more)
                    .unwrap_or_else(|e| tracing::error!(error = ?e, "a latency histogram did not add up")),
                None => self.latency = Some(more),
            }
        }
    }

    #[allow(clippy::cast_precision_loss)] // counts far below 2^53
    pub(super) fn value(&self, metric: Metric, millis: i64) -> Option<f64> {
        let attempts = self.processed + self.failed;
        match metric {
            Metric::Throughput => Some(self.processed as f64 / (millis as f64 / MINUTE as f64)),
            Metric::Errors => Some(self.failed as f64),
            Metric::ErrorRate => (attempts > 0).then(|| self.failed as f64 / attempts as f64 * 100.0),
            Metric::LatencyP50 => self.percentile(0.5),
            Metric::LatencyP95 => self.percentile(0.95),
            Metric::LatencyP99 => self.percentile(0.99),
            Metric::DeadLetters | Metric::InFlight => None,
        }
    }

    pub(super) fn percentile(&self, quantile: f64) -> Option<f64> {
        self.latency.as_ref().and_then(|h| seconds(h, quantile))
    }
}

#[allow(clippy::cast_precision_loss)] // microseconds far below 2^53
fn seconds(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64 / 1e6)
}
