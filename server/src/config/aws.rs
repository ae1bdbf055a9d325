//! Where a deployment on AWS is, and what its parts are called.

use pipeline::aws::Names;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[aws]`: every name derives from the prefix and can be set on its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AwsSection {
    /// The region; without one, what the environment or the profile says.
    pub(crate) region: Option<String>,
    /// Where all services are, if not where AWS has them: an emulator or a VPC endpoint.
    pub(crate) endpoint: Option<String>,
    /// What the deployment's names begin with.
    pub(crate) prefix: Option<String>,
    /// The table that the audit consumer writes.
    pub(crate) event_store_table: Option<String>,
    /// What the names of Cutover's own tables begin with.
    pub(crate) own_tables: Option<String>,
    /// The queue that events go to which could not be delivered.
    pub(crate) dead_letter_queue: Option<String>,
}

/// `[dead_letters]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeadLetterSection {
    /// Whether messages are taken over from the queues into Cutover's own table: SQS has no way to look at them where they are.
    pub(crate) takeover: bool,
}

impl Default for DeadLetterSection {
    fn default() -> Self {
        Self { takeover: true }
    }
}

impl AwsSection {
    /// The deployment's names.
    ///
    /// # Errors
    /// The prefix is missing.
    pub(crate) fn names(&self) -> Result<Names, ConfigError> {
        let prefix = self.prefix.as_deref().filter(|prefix| !prefix.is_empty()).ok_or_else(|| {
            ConfigError::Wrong(
                "configuration: aws.prefix is missing: what the names of the deployment begin with, such as housef3-dev".to_owned(),
            )
        })?;
        let derived = Names::of(prefix);
        Ok(Names {
            event_store_table: self.event_store_table.clone().unwrap_or(derived.event_store_table),
            own_tables: self.own_tables.clone().unwrap_or(derived.own_tables),
            dead_letter_queue: self.dead_letter_queue.clone().unwrap_or(derived.dead_letter_queue),
            prefix: derived.prefix,
        })
    }

    /// The endpoint, if there is one.
    ///
    /// # Errors
    /// It is not an address.
    pub(crate) fn endpoint(&self) -> Result<Option<&str>, ConfigError> {
        let Some(text) = &self.endpoint else { return Ok(None) };
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(text)),
            _ => Err(ConfigError::Wrong(
                "configuration: aws.endpoint must be an http:// or https:// address".to_owned(),
            )),
        }
    }
}
