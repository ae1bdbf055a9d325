//! Measurements read anew by whoever reads: the suite does not wait for the next minute.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::aws::metrics::{CloudWatch, Sampler};
use pipeline::aws::{Connection, Names};
use pipeline::consumer::{ConsumerCounts, ConsumerFault};
use pipeline::metric::{MetricsSource, Reading, SeriesQuery, Vitals};
use pipeline::ports::{ConsumerControl, ConsumerList, Letters, Metrics, StoreError};
use pipeline::time::Span;
use tests::deployment::Account;

pub(super) struct FreshMetrics {
    metrics: Arc<CloudWatch>,
    sampler: Sampler,
    prefix: String,
}

impl FreshMetrics {
    pub(super) fn new(connection: &Connection, names: &Names, metrics: Arc<CloudWatch>, letters: Arc<dyn Letters>) -> Self {
        Self {
            sampler: Sampler::new(connection, names, metrics.clone(), letters),
            prefix: names.prefix.clone(),
            metrics,
        }
    }

    async fn read(&self) -> Result<(), StoreError> {
        Account::shared().carry(&self.prefix, None).await;
        self.sampler.sample().await;
        self.metrics.read_once().await
    }
}

#[async_trait]
impl Metrics for FreshMetrics {
    async fn series(&self, query: &SeriesQuery) -> Result<Reading, StoreError> {
        self.read().await?;
        self.metrics.series(query).await
    }

    async fn counts(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError> {
        self.read().await?;
        self.metrics.counts(span).await
    }

    async fn peak(&self, span: Span) -> Result<(f64, u64), StoreError> {
        self.read().await?;
        self.metrics.peak(span).await
    }

    async fn vitals(&self, consumer: &str, span: Span, step: i64) -> Result<Vitals, StoreError> {
        self.read().await?;
        self.metrics.vitals(consumer, span, step).await
    }

    fn source(&self) -> Option<MetricsSource> {
        Metrics::source(&*self.metrics)
    }
}

/// The consumers, by measurements that were read anew.
pub(super) struct FreshConsumers {
    consumers: Arc<dyn ConsumerControl>,
    metrics: Arc<FreshMetrics>,
}

impl FreshConsumers {
    pub(super) fn new(consumers: Arc<dyn ConsumerControl>, metrics: Arc<FreshMetrics>) -> Self {
        Self { consumers, metrics }
    }
}

#[async_trait]
impl ConsumerControl for FreshConsumers {
    async fn list(&self, span: Span) -> Result<ConsumerList, StoreError> {
        self.metrics.read().await?;
        self.consumers.list(span).await
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<bool, StoreError> {
        self.consumers.set_paused(name, paused).await
    }

    async fn faults(&self, name: &str, limit: u32) -> Result<Vec<ConsumerFault>, StoreError> {
        self.consumers.faults(name, limit).await
    }
}
