//! Where a deployment on AWS is, and what its parts are called.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline::aws::metrics::MetricsConfig;
use pipeline::aws::names::{ConsumerNames, FlagFunctionName};
use pipeline::aws::{Connection, DashboardConfig, Names, connect};
use pipeline::flag::GLOBAL_SCOPE;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

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
    /// The bus.
    pub(crate) event_bus: Option<String>,
    /// The table that the audit consumer writes.
    pub(crate) event_store_table: Option<String>,
    /// What the names of Cutover's own tables begin with.
    pub(crate) own_tables: Option<String>,
    /// The queue that events go to which could not be delivered.
    pub(crate) dead_letter_queue: Option<String>,
    /// The consumers; the design's four, if nothing is said of them.
    pub(crate) consumers: Option<Vec<ConsumerEntry>>,
    /// Publishers' functions that read the flags from their environment: they are written there as well.
    pub(crate) flag_functions: Vec<FlagFunctionEntry>,
    /// Whether this dashboard only looks: it changes nothing, takes nothing over, and goes on with nothing that another began.
    pub(crate) read_only: bool,
    /// How CloudWatch is asked.
    pub(crate) metrics: MetricsSection,
}

/// One of `aws.flag_functions`: a name, which stands for the global flags, or a name and whose flags they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a function's name, or { function = \"…\", source = \"…\" }")]
pub(crate) enum FlagFunctionEntry {
    /// It has the global flags.
    Name(String),
    /// It has those of one publisher.
    Of(FlagFunctionOf),
}

/// See [`FlagFunctionEntry::Of`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagFunctionOf {
    /// The function.
    function: String,
    /// The publisher that it is: the source of its events.
    source: String,
}

/// One of `aws.consumers`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsumerEntry {
    /// The consumer.
    pub(crate) name: String,
    /// Its function, if it is not called `<prefix>-<name>-consumer`.
    pub(crate) function: Option<String>,
    /// The queue that feeds it, if it is not called `<prefix>-<name>`.
    pub(crate) queue: Option<String>,
    /// The queue of what it gave up on, if it is not called `<prefix>-<name>-dlq`.
    pub(crate) dead_letter_queue: Option<String>,
}

/// `[aws.metrics]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsSection {
    /// The most that asking CloudWatch may cost, dollars a day.
    pub(crate) dollars_a_day: f64,
    /// Whether CloudWatch is told once a minute how the criteria stand, for alarms.
    pub(crate) alarms: bool,
    /// The file that keeps what was answered for the next start: `cloudwatch.db` in the data directory, if none is named.
    pub(crate) cache: Option<PathBuf>,
}

impl Default for MetricsSection {
    fn default() -> Self {
        Self {
            dollars_a_day: MetricsConfig::default().dollars_a_day,
            alarms: false,
            cache: None,
        }
    }
}

/// `[dead_letters]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeadLetterSection {
    /// Whether messages are taken over from the queues into Cutover's own table: SQS has no way to look at them where they are.
    pub(crate) takeover: bool,
    /// How long what was redriven to a function that keeps no ledger may take to come back before it counts as done, seconds. Lambda
    /// tries again after one and two minutes, unless the function is configured otherwise.
    pub(crate) back_within_seconds: u32,
}

impl Default for DeadLetterSection {
    fn default() -> Self {
        let DashboardConfig {
            taken_over, back_within, ..
        } = DashboardConfig::default();
        Self {
            takeover: taken_over,
            back_within_seconds: u32::try_from(back_within.as_secs()).unwrap_or(u32::MAX),
        }
    }
}

impl Config {
    /// How the dashboard behaves towards its deployment: one that only looks takes nothing over.
    ///
    /// # Errors
    /// A number is out of its range.
    pub(crate) fn dashboard(&self) -> Result<DashboardConfig, ConfigError> {
        let (aws, letters) = (&self.aws, self.dead_letters);
        if !(1..=86_400).contains(&letters.back_within_seconds) {
            return Err(ConfigError::Wrong(
                "configuration: dead_letters.back_within_seconds must be 1 to 86400".to_owned(),
            ));
        }
        Ok(DashboardConfig {
            read_only: aws.read_only,
            taken_over: letters.takeover && !aws.read_only,
            tells_alarms: aws.metrics.alarms,
            back_within: Duration::from_secs(letters.back_within_seconds.into()),
        })
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
        let mut consumers = derived.consumers;
        if let Some(named) = &self.consumers {
            consumers = named.iter().map(|entry| entry.names(prefix)).collect();
        }
        if consumers.is_empty() {
            return Err(ConfigError::Wrong(
                "configuration: aws.consumers is empty: name them, or leave it out for the design's four".to_owned(),
            ));
        }
        for (n, consumer) in consumers.iter().enumerate() {
            let twice = consumers[..n].iter().any(|other| other.name == consumer.name);
            if consumer.name.is_empty() || twice {
                let fault = if twice { "is named twice" } else { "is empty" };
                return Err(ConfigError::Wrong(format!(
                    "configuration: aws.consumers: the name of number {} ({:?}) {fault}",
                    n + 1,
                    consumer.name
                )));
            }
        }
        let flag_functions: Vec<FlagFunctionName> = self.flag_functions.iter().map(FlagFunctionEntry::name).collect();
        for (n, entry) in flag_functions.iter().enumerate() {
            let twice = flag_functions[..n].iter().any(|other| other.function == entry.function);
            if entry.function.is_empty() || entry.scope.is_empty() || twice {
                return Err(ConfigError::Wrong(format!(
                    "configuration: aws.flag_functions: number {} ({:?}) {}",
                    n + 1,
                    entry.function,
                    if twice { "is named twice" } else { "has an empty name" }
                )));
            }
        }
        Ok(Names {
            flag_functions,
            event_bus: self.event_bus.clone().unwrap_or(derived.event_bus),
            consumers,
            event_store_table: self.event_store_table.clone().unwrap_or(derived.event_store_table),
            own_tables: self.own_tables.clone().unwrap_or(derived.own_tables),
            dead_letter_queue: self.dead_letter_queue.clone().unwrap_or(derived.dead_letter_queue),
            prefix: derived.prefix,
        })
    }

    /// The way to the account; nothing is called yet.
    ///
    /// # Errors
    /// The endpoint is not an address, or nothing says which region.
    pub(crate) async fn connect(&self) -> Result<Connection, ConfigError> {
        let region = self.region.as_deref().filter(|region| !region.is_empty());
        let connection = connect(region, self.endpoint()?).await;
        if connection.has_region() {
            Ok(connection)
        } else {
            Err(ConfigError::Wrong(
                "configuration: aws.region is missing, and neither AWS_REGION nor a profile says it: where the deployment is, such as eu-west-2"
                    .to_owned(),
            ))
        }
    }

    /// How CloudWatch is asked, with `data` for what is kept.
    ///
    /// # Errors
    /// The ceiling is no amount.
    pub(crate) fn metrics(&self, data: &Path) -> Result<MetricsConfig, ConfigError> {
        let MetricsSection { dollars_a_day, cache, .. } = &self.metrics;
        if !(0.0..=10_000.0).contains(dollars_a_day) {
            return Err(ConfigError::Wrong(
                "configuration: aws.metrics.dollars_a_day must be 0 to 10000; 0 asks nothing".to_owned(),
            ));
        }
        Ok(MetricsConfig {
            dollars_a_day: *dollars_a_day,
            cache: Some(cache.clone().unwrap_or_else(|| data.join("cloudwatch.db"))),
        })
    }

    /// The endpoint, if there is one.
    ///
    /// # Errors
    /// It is not an address.
    pub(crate) fn endpoint(&self) -> Result<Option<&str>, ConfigError> {
        let Some(text) = &self.endpoint else { return Ok(None) };
        match Url::parse(text) {
            // What an address makes of spaces is not what was meant.
            Ok(url) if matches!(url.scheme(), "http" | "https") && !text.contains(char::is_whitespace) => Ok(Some(text)),
            _ => Err(ConfigError::Wrong(format!(
                "configuration: aws.endpoint must be an http:// or https:// address, without spaces: {text:?} is none"
            ))),
        }
    }
}

impl FlagFunctionEntry {
    fn name(&self) -> FlagFunctionName {
        let (function, scope) = match self {
            Self::Name(function) => (function.as_str(), GLOBAL_SCOPE),
            Self::Of(of) => (of.function.as_str(), of.source.as_str()),
        };
        FlagFunctionName {
            function: function.to_owned(),
            scope: scope.to_owned(),
        }
    }
}

impl ConsumerEntry {
    fn names(&self, prefix: &str) -> ConsumerNames {
        let derived = ConsumerNames::of(prefix, &self.name);
        ConsumerNames {
            function: self.function.clone().unwrap_or(derived.function),
            queue: self.queue.clone().unwrap_or(derived.queue),
            dead_letters: self.dead_letter_queue.clone().unwrap_or(derived.dead_letters),
            name: derived.name,
        }
    }
}
