//! The commands.

mod check;
mod init;
mod serve;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Overrides};

/// The operations dashboard, and the event pipeline under it, for teams that move an application from direct calls
/// to events.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the dashboard, and, with the embedded backend, runs the pipeline
    Serve(Options),
    /// Checks the configuration, the connections, the permissions and the deployment; exits with 1 if something is wrong
    Check(Options),
    /// Sets an AWS account up
    #[command(subcommand)]
    Aws(Aws),
}

#[derive(Debug, Subcommand)]
enum Aws {
    /// Creates Cutover's own tables, as far as they are missing; says what it will do, and asks
    Init {
        /// The configuration file [default: cutover.toml, if it is there]
        #[arg(long, value_name = "FILE", env = "CUTOVER_CONFIG")]
        config: Option<PathBuf>,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
}

/// What both the command line and `cutover.toml` can say; the command line wins, then the environment, then the file.
#[derive(Debug, Default, clap::Args)]
struct Options {
    /// The configuration file [default: cutover.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "CUTOVER_CONFIG")]
    config: Option<PathBuf>,
    /// Where the dashboard listens; only loopback is allowed until there is access control [server.listen, CUTOVER_SERVER__LISTEN; default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where events are taken, as JSON and as PutEvents [server.ingest, CUTOVER_SERVER__INGEST; default: 127.0.0.1:3010]
    #[arg(long, value_name = "ADDR")]
    ingest: Option<String>,
    /// The data directory of the embedded backend [embedded.data, CUTOVER_EMBEDDED__DATA; default: cutover-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Have the built-in demo application make this many events a minute [demo.events_per_minute, CUTOVER_DEMO__EVENTS_PER_MINUTE; default: 120]
    #[arg(long, value_name = "EVENTS_PER_MIN", conflicts_with = "no_demo")]
    demo: Option<u32>,
    /// No demo application: only events that come from outside
    #[arg(long)]
    no_demo: bool,
}

impl Options {
    fn load(self) -> Result<Config, ConfigError> {
        Config::load(
            self.config.as_deref(),
            Overrides {
                listen: self.listen,
                ingest: self.ingest,
                data: self.data,
                demo: if self.no_demo { Some(0) } else { self.demo },
            },
        )
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What was asked for didn't work.
    #[error("{what}")]
    Failed {
        /// What, in one line.
        what: String,
        /// Why.
        #[source]
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl Failure {
    fn new(what: impl Into<String>) -> Self {
        Self::Failed {
            what: what.into(),
            cause: None,
        }
    }

    fn because(what: impl Into<String>, cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed {
            what: what.into(),
            cause: Some(Box::new(cause)),
        }
    }

    /// 1 for a failure, 2 for a configuration that can't be used.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Failed { .. } => ExitCode::FAILURE,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Serve(options) => serve::run(options.load()?).await,
        Command::Check(options) => check::run(options.load()?).await,
        Command::Aws(Aws::Init { config, yes }) => init::run(Config::load(config.as_deref(), Overrides::default())?, yes).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
