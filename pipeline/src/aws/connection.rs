//! The SDK's configuration.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use super::pending::Pending;

/// How long one attempt of a call may take; a page waits for it.
const ATTEMPT: Duration = Duration::from_secs(3);
/// How long a call may take with its retries.
const CALL: Duration = Duration::from_secs(8);
/// How often a call is tried when it is throttled, or the service fails.
const ATTEMPTS: u32 = 3;
/// The pause before the second try is between nothing and this, and before the third between nothing and twice this. What drives work
/// pauses longer on its own account; a page has to say soon that it is old, and reads again in two seconds anyway.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A way to an account, or to an endpoint that speaks its APIs.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) sdk: SdkConfig,
    pub(super) pending: Pending,
}

impl Connection {
    /// Whether it is known in which region.
    #[must_use]
    pub fn has_region(&self) -> bool {
        self.sdk.region().is_some()
    }

    /// Where it leads, for people: the region, and the endpoint, if it isn't AWS's own.
    #[must_use]
    pub fn place(&self) -> String {
        let region = self.sdk.region().map_or("no region", |region| region.as_ref());
        let endpoint = self.sdk.endpoint_url();
        endpoint.map_or_else(|| region.to_owned(), |at| format!("{region}, at {at}"))
    }
}

impl From<SdkConfig> for Connection {
    fn from(sdk: SdkConfig) -> Self {
        let pending = Pending::default();
        let sdk = match sdk.http_client() {
            Some(client) => sdk.to_builder().http_client(pending.watch(client)).build(),
            None => sdk,
        };
        Self { sdk, pending }
    }
}

/// Makes ready; nothing is called yet. Credentials come from the SDK's default chain: environment, profile, the role of the
/// container, function or instance.
///
/// `region` and `endpoint` win over what the environment and the profile say.
pub async fn connect(region: Option<&str>, endpoint: Option<&str>) -> Connection {
    configuration(region, endpoint).load().await.into()
}

/// What [`connect`] loads, for whoever wants to add to it: credentials of their own, say.
#[must_use]
pub fn configuration(region: Option<&str>, endpoint: Option<&str>) -> ConfigLoader {
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(CALL)
                .build(),
        )
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_PAUSE),
        );
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader
}
