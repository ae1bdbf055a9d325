//! The configuration: `cutover.toml`, then the environment (`CUTOVER_<SECTION>__<KEY>`), then the command line.
//! Unknown keys are refused.

mod aws;
mod work;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use aws::{AwsSection, DeadLetterSection};
use work::{DeliverySection, NotificationConfig, RetentionConfig, TriggerConfig};

/// The file that is read when no other is named.
const DEFAULT_FILE: &str = "cutover.toml";
/// Variables that begin like ours and belong to the build and its tests.
const NOT_OURS: [&str; 5] = ["BIN", "CONFIG", "SCREENSHOTS", "SITE", "REQUIRE_SITE"];

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where events, letters and metrics are kept.
    pub(crate) backend: Backend,
    /// The listeners.
    pub(crate) server: ServerConfig,
    /// The embedded backend.
    pub(crate) embedded: EmbeddedSection,
    /// The aws backend.
    pub(crate) aws: AwsSection,
    /// The dead-letter queues of the aws backend.
    pub(crate) dead_letters: DeadLetterSection,
    /// The demo application.
    pub(crate) demo: DemoConfig,
    /// How consumers are run.
    pub(crate) delivery: DeliverySection,
    /// Where users are told.
    pub(crate) notifications: NotificationConfig,
    /// What is forgotten, and when.
    pub(crate) retention: RetentionConfig,
    /// What the two paths ask of analytics, where it differs from the design.
    pub(crate) triggers: TriggerConfig,
}

/// The backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// In this process, in a data directory.
    #[default]
    Embedded,
    /// In an AWS account, or at endpoints that speak its APIs.
    Aws,
}

/// `[server]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// Where the dashboard listens.
    pub(crate) listen: SocketAddr,
    /// The names under which people reach it through a proxy that encrypts, and lets in only those who may: with one it may listen
    /// to other machines.
    pub(crate) hosts: Vec<String>,
    /// Where events are taken.
    pub(crate) ingest: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            hosts: Vec::new(),
            ingest: SocketAddr::from(([127, 0, 0, 1], 3010)),
        }
    }
}

/// `[embedded]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EmbeddedSection {
    /// The data directory.
    pub(crate) data: PathBuf,
}

impl Default for EmbeddedSection {
    fn default() -> Self {
        Self {
            data: PathBuf::from("cutover-data"),
        }
    }
}

/// `[demo]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DemoConfig {
    /// Operations a minute; 0 for no demo.
    pub(crate) events_per_minute: u32,
    /// Days of past that a new data directory is filled with.
    pub(crate) history_days: u32,
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            events_per_minute: 120,
            history_days: 3,
        }
    }
}

/// What the command line says.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) listen: Option<String>,
    pub(crate) ingest: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) demo: Option<u32>,
}

/// The configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file that was named isn't there.
    #[error("the configuration file {} can't be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A key is unknown or its value is wrong.
    #[error("{0}")]
    Wrong(String),
    /// The dashboard would be open to others.
    #[error(
        "{key} {address} is not a loopback address: there is no access control yet, so only this machine may reach it. Use 127.0.0.1 or [::1], and a tunnel to look from elsewhere; or put a proxy before the dashboard that encrypts and lets in only those who may, and name its host in server.hosts"
    )]
    NotLoopback {
        /// Which.
        key: &'static str,
        /// What was asked for.
        address: SocketAddr,
    },
}

impl Config {
    /// Reads `file`, or `cutover.toml` if it is there, and what overrides it.
    pub(crate) fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        // Not what lies in a directory above, where figment would look too: that may be of another deployment.
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::metadata(path) {
            Ok(_) => figment = figment.merge(Toml::file_exact(path)),
            Err(error) if file.is_none() && error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(ConfigError::Unreadable(path.to_owned(), error)),
        }
        figment = figment.merge(Env::prefixed("CUTOVER_").ignore(&NOT_OURS).split("__"));
        let pairs = [
            ("server.listen", overrides.listen),
            ("server.ingest", overrides.ingest),
            ("embedded.data", overrides.data.map(|d| d.to_string_lossy().into_owned())),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                figment = figment.merge(Serialized::default(key, value));
            }
        }
        if let Some(rate) = overrides.demo {
            figment = figment.merge(Serialized::default("demo.events_per_minute", rate));
        }
        let config: Self = figment.extract().map_err(|e| ConfigError::Wrong(explain(&e)))?;
        config.checked()
    }

    /// The sections that say something, and have no effect with this backend: in words, one each.
    pub(crate) fn without_effect(&self) -> Vec<String> {
        let (backend, sections) = match self.backend {
            Backend::Embedded => ("embedded", vec![("aws", set(&self.aws)), ("dead_letters", set(&self.dead_letters))]),
            Backend::Aws => (
                "aws",
                vec![
                    ("delivery", set(&self.delivery)),
                    ("notifications", set(&self.notifications)),
                    ("retention", set(&self.retention)),
                    ("triggers", set(&self.triggers)),
                ],
            ),
        };
        let said = sections.into_iter().filter(|(_, set)| *set);
        said.map(|(name, _)| format!("[{name}] has no effect with backend = \"{backend}\""))
            .collect()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        self.delivery.check()?;
        self.webhook()?;
        self.aws.endpoint()?;
        if self.backend == Backend::Aws {
            self.aws.names()?;
        }
        self.aws.metrics(&self.embedded.data)?;
        if let Some(wrong) = self
            .server
            .hosts
            .iter()
            .find(|host| host.is_empty() || host.contains([':', '/', '*', ' ']))
        {
            return Err(ConfigError::Wrong(format!(
                "configuration: server.hosts: {wrong:?} must be a host's name alone, such as cutover.example.com"
            )));
        }
        let proxied = !self.server.hosts.is_empty();
        for (key, address, proxied) in [
            ("server.listen", self.server.listen, proxied),
            ("server.ingest", self.server.ingest, false),
        ] {
            if !address.ip().is_loopback() && !proxied {
                return Err(ConfigError::NotLoopback { key, address });
            }
        }
        Ok(self)
    }
}

/// What is wrong, where it was said, and what would be right.
fn explain(error: &figment::Error) -> String {
    let key = if error.path.is_empty() {
        String::new()
    } else {
        format!("{}: ", error.path.join("."))
    };
    let place = error
        .metadata
        .as_ref()
        .map(|m| {
            m.source
                .as_ref()
                .map_or_else(|| format!(" (in the {})", m.name), |source| format!(" (in {source})"))
        })
        .unwrap_or_default();
    format!("configuration: {key}{}{place}", error.kind)
}

/// Whether a section says anything else than it would by itself.
fn set<S: Serialize + Default>(section: &S) -> bool {
    let json = |section: &S| serde_json::to_value(section).ok();
    json(section) != json(&S::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        Config::load(Some(file.path()), Overrides::default())
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "[server]\nlisten = \"127.0.0.1:1\"\ningest = \"127.0.0.1:2\"\n").expect("written");
        let overrides = Overrides {
            listen: Some("127.0.0.1:9".into()),
            ..Default::default()
        };
        let config = Config::load(Some(file.path()), overrides).expect("a configuration");
        assert_eq!((config.server.listen.port(), config.server.ingest.port()), (9, 2));
    }

    #[test]
    fn faults_say_which_key_and_where() {
        for (text, wanted) in [
            ("[server]\nlissten = \"x\"\n", "lissten"),
            ("[server]\nlisten = \"here\"\n", "server.listen"),
            ("backend = \"oracle\"\n", "backend"),
            ("[server]\nlisten = \"0.0.0.0:3000\"\n", "not a loopback address"),
            ("[server]\nlisten = \"0.0.0.0:3000\"\nhosts = [\"https://x\"]\n", "server.hosts"),
            ("[server]\ningest = \"0.0.0.0:3010\"\nhosts = [\"x\"]\n", "server.ingest"),
            ("[demo]\nevents_per_minute = -1\n", "demo.events_per_minute"),
            ("[delivery]\nattempts = 0\n", "delivery.attempts must be 1 to 20"),
            ("[notifications]\nwebhook = \"ftp://x\"\n", "notifications.webhook"),
            (
                "backend = \"aws\"\n[aws]\nprefix = \"p\"\nflag_functions = [\"f\", { function = \"f\", source = \"s\" }]\n",
                "aws.flag_functions: number 2",
            ),
            ("[aws]\nflag_functions = [1]\n", "aws.flag_functions"),
            (
                "backend = \"aws\"\n[aws]\nprefix = \"p\"\nconsumers = []\n",
                "aws.consumers is empty",
            ),
            (
                "backend = \"aws\"\n[aws]\nprefix = \"p\"\nendpoint = \"http://127.0.0.1:4566 \"\n",
                "aws.endpoint",
            ),
            ("= nonsense", "configuration"),
        ] {
            let error = load(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn trigger_maps_can_be_changed() {
        let config = load("[triggers.event.\"transaction.updated\"]\npriority = 2\ntypes = [\"cash_flow\", \"recommendations\"]\n")
            .expect("a configuration");
        let maps = config.maps();
        assert_eq!(maps.event["transaction.updated"].types.words(), "cash_flow, recommendations");
        assert_eq!(maps.event["account.deleted"].priority, 1, "the rest stays as in the design");
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let said = |text: &str| load(text).expect("a configuration").without_effect();
        assert_eq!(said("[delivery]\nattempts = 5\n"), [""; 0]);
        let aws = "backend = \"aws\"\n[aws]\nprefix = \"p-1\"\n";
        assert_eq!(said(&format!("{aws}[dead_letters]\ntakeover = false\n")), [""; 0]);
        assert_eq!(
            said(&format!("{aws}[delivery]\nattempts = 5\n[retention]\n")),
            ["[delivery] has no effect with backend = \"aws\""]
        );
        assert_eq!(
            said("[aws]\nprefix = \"p-1\"\n"),
            ["[aws] has no effect with backend = \"embedded\""]
        );
    }
}
