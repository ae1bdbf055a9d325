//! Paying for what is asked of CloudWatch beside metrics: each request has its price, answered or not.

use std::sync::Arc;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_cloudwatch::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatch::error::BoxError;

use super::CloudWatch;
use super::budget::LISTING;
use crate::aws::Connection;
use crate::ports::StoreError;
use crate::time::Timestamp;

/// Pays for each attempt of a call before it is made, the SDK's own second tries among them; what can't be paid is not made.
#[derive(Debug)]
struct Charged(Arc<CloudWatch>);

impl Intercept for Charged {
    fn name(&self) -> &'static str {
        "Charged"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.pay(LISTING, Timestamp::now()).map_err(BoxError::from)
    }
}

impl CloudWatch {
    /// A client whose calls are paid for out of the same ceiling; for those that cost as much as a listing.
    pub(in crate::aws) fn charged(self: &Arc<Self>, connection: &Connection) -> Client {
        let charged = Charged(Arc::clone(self));
        Client::from_conf(Builder::from(&connection.sdk).interceptor(charged).build())
    }
}

/// Why a call was not made, if that is what it may cost.
pub(in crate::aws) fn unpaid<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a StoreError> {
    let mut causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref::<StoreError>())
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::config::Credentials;

    use super::*;
    use crate::aws::metrics::MetricsConfig;
    use crate::aws::{Names, configuration};

    #[tokio::test]
    async fn each_attempt_is_paid_for_and_what_cannot_be_is_not_made() {
        let credentials = Credentials::builder()
            .access_key_id("test")
            .secret_access_key("test")
            .provider_name("tests")
            .build();
        // Nobody is there, which is tried three times.
        let nowhere = configuration(Some("eu-west-2"), Some("http://127.0.0.1:9")).credentials_provider(credentials);
        let connection = Connection::from(nowhere.load().await);
        let config = MetricsConfig {
            dollars_a_day: 0.000_03,
            cache: None,
        };
        let metrics = CloudWatch::open(&connection, &Names::of("h"), None, &config).expect("a cache");
        let client = metrics.charged(&connection);
        let call = async || client.describe_alarms().send().await.expect_err("nobody is there");
        let tried = call().await;
        assert!(unpaid(&tried).is_none(), "{tried:?}");
        assert_eq!(metrics.book.spent().micros, 30);
        let not_tried = call().await;
        let why = unpaid(&not_tried).expect("the reason").to_string();
        assert!(why.contains("aws.metrics.dollars_a_day"), "{why}");
    }
}
