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
/// How many of the criteria are known, by `Deployment`: a sign that somebody tells.
const CRITERIA_TOLD: &str = "CriteriaTold";

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

    /// Tells how they stand now, and of how many that is known. Of one that is unknown nothing is told.
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
        #[allow(clippy::cast_precision_loss)] // a few
        let count = MetricDatum::builder()
            .metric_name(CRITERIA_TOLD)
            .dimensions(dimension("Deployment", &self.deployment))
            .value(known.len() as f64);
        let told = self
            .client
            .put_metric_data()
            .namespace(NAMESPACE)
            .set_metric_data(Some(known))
            .metric_data(count.build())
            .send()
            .await;
        told.map(drop)
            .map_err(|e| failed(STORE, &format!("PutMetricData of {CRITERION_FAILING}"), &e))
    }
}
