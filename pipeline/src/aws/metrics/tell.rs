//! Telling CloudWatch how the criteria stand, so that alarms can watch them while nobody looks at a page.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};

use super::STORE;
use crate::aws::error::failed;
use crate::aws::measured::NAMESPACE;
use crate::aws::{Connection, Names};
use crate::criteria::{Criterion, Status};
use crate::ports::StoreError;

/// The metric's name: 1 of a criterion that fails, 0 of one that passes, by `Deployment` and `Criterion`.
pub const CRITERION_FAILING: &str = "CriterionFailing";

/// Tells it for a deployment.
#[derive(Debug)]
pub struct Teller {
    client: Client,
    deployment: String,
}

impl Teller {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            deployment: names.prefix.clone(),
        }
    }

    /// Tells how they stand now. Of one that is unknown nothing is told.
    ///
    /// # Errors
    /// CloudWatch doesn't take it.
    pub async fn tell(&self, criteria: &[Criterion]) -> Result<(), StoreError> {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let known = criteria.iter().filter_map(|criterion| {
            let failing = match criterion.status {
                Status::Failing => 1.0,
                Status::Passing => 0.0,
                Status::Unknown => return None,
            };
            let datum = MetricDatum::builder()
                .metric_name(CRITERION_FAILING)
                .dimensions(dimension("Deployment", &self.deployment))
                .dimensions(dimension("Criterion", &criterion.id))
                .value(failing);
            Some(datum.build())
        });
        let known: Vec<MetricDatum> = known.collect();
        if known.is_empty() {
            return Ok(());
        }
        let told = self
            .client
            .put_metric_data()
            .namespace(NAMESPACE)
            .set_metric_data(Some(known))
            .send()
            .await;
        told.map(drop)
            .map_err(|e| failed(STORE, &format!("PutMetricData of {CRITERION_FAILING}"), &e))
    }
}
