//! How the embedded pipeline works: delivery, notifications, retention, and what the two paths ask of analytics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline::courier::{Channel, Webhook};
use pipeline::delivery::DeliveryConfig;
use pipeline::retention::Retention;
use pipeline::runtime::EmbeddedConfig;
use pipeline::time::DAY;
use pipeline::trigger::{Trigger, TriggerMaps};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

/// `[delivery]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeliverySection {
    /// Workers for each consumer, 1 to 64.
    pub(crate) concurrency: usize,
    /// How often an event is tried before it is a dead letter, 1 to 20.
    pub(crate) attempts: u32,
    /// The longest one attempt may take, seconds, 1 to 900.
    pub(crate) timeout_seconds: u64,
}

impl Default for DeliverySection {
    fn default() -> Self {
        let usual = DeliveryConfig::default();
        Self {
            concurrency: usual.concurrency,
            attempts: usual.retry.max_attempts,
            timeout_seconds: usual.timeout.as_secs(),
        }
    }
}

impl DeliverySection {
    /// # Errors
    /// A number is out of its range.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Self {
            concurrency,
            attempts,
            timeout_seconds,
        } = *self;
        for (key, fits, wanted) in [
            ("delivery.concurrency", (1..=64).contains(&concurrency), "1 to 64"),
            ("delivery.attempts", (1..=20).contains(&attempts), "1 to 20"),
            ("delivery.timeout_seconds", (1..=900).contains(&timeout_seconds), "1 to 900"),
        ] {
            if !fits {
                return Err(ConfigError::Wrong(format!("configuration: {key} must be {wanted}")));
            }
        }
        Ok(())
    }
}

/// `[notifications]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NotificationConfig {
    /// The address of a web hook; without one, notifications go to the log.
    pub(crate) webhook: Option<String>,
}

/// `[retention]`, days; 0 for ever. Events, letters and what people did are never forgotten.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionConfig {
    /// Attempts of events that are completed, and notifications that were sent.
    pub(crate) attempts_days: u32,
    /// What both paths asked of analytics: how far back parity can be looked at.
    pub(crate) triggers_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            attempts_days: 30,
            triggers_days: 400,
        }
    }
}

/// `[triggers]`: by path, then by event type.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TriggerConfig {
    /// The direct path.
    pub(crate) direct: BTreeMap<String, Trigger>,
    /// The event path: the analytics consumer's map.
    pub(crate) event: BTreeMap<String, Trigger>,
}

impl Config {
    /// The web hook, if there is one.
    ///
    /// # Errors
    /// Its address is none, or of a kind that nothing can be posted to.
    pub(crate) fn webhook(&self) -> Result<Option<Url>, ConfigError> {
        let Some(text) = &self.notifications.webhook else { return Ok(None) };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
            _ => Err(ConfigError::Wrong(
                "configuration: notifications.webhook must be an http:// or https:// address".to_owned(),
            )),
        }
    }

    /// How the pipeline is run.
    ///
    /// # Errors
    /// As [`webhook`](Self::webhook); or its client can't be made.
    pub(crate) fn pipeline(&self) -> Result<EmbeddedConfig, ConfigError> {
        let channel: Option<Arc<dyn Channel>> = match self.webhook()? {
            Some(url) => Some(Arc::new(Webhook::new(url).map_err(|e| {
                ConfigError::Wrong(format!("configuration: notifications.webhook can't be used: {}", e.without_url()))
            })?)),
            None => None,
        };
        let mut delivery = DeliveryConfig::default();
        delivery.concurrency = self.delivery.concurrency;
        delivery.retry.max_attempts = self.delivery.attempts;
        delivery.timeout = Duration::from_secs(self.delivery.timeout_seconds);
        let days = |days: u32| (days > 0).then(|| i64::from(days) * DAY);
        Ok(EmbeddedConfig {
            maps: self.maps(),
            delivery,
            channel,
            retention: Retention {
                attempts: days(self.retention.attempts_days),
                triggers: days(self.retention.triggers_days),
            },
            ..Default::default()
        })
    }

    /// The design's trigger maps, with what the configuration changes.
    pub(crate) fn maps(&self) -> TriggerMaps {
        let mut maps = TriggerMaps::default();
        maps.direct.extend(self.triggers.direct.clone());
        maps.event.extend(self.triggers.event.clone());
        maps
    }
}
