//! Where things are.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::Error;

/// The workspace as cargo sees it, so that `CARGO_TARGET_DIR` and cargo's own configuration are followed.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The directory of the workspace's Cargo.toml.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self, Error> {
        let mut command = Command::new(cargo_path());
        command
            .args(["metadata", "--no-deps", "--format-version=1"])
            .stderr(Stdio::inherit());
        let output = command.output().map_err(|source| Error::Start {
            program: "cargo".into(),
            source,
        })?;
        if !output.status.success() {
            return Err(Error::Failed {
                program: "cargo metadata".into(),
                status: output.status,
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|source| Error::Json {
            what: "the answer of `cargo metadata`".into(),
            source,
        })
    }

    /// A cargo command that runs at the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(cargo_path());
        command.current_dir(&self.root);
        command
    }

    /// The finished site.
    pub(crate) fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// Bound and shrunk wasm by the content it was made from, apart for each cargo profile.
    pub(crate) fn cache(&self, profile: &str) -> PathBuf {
        self.target.join("site-cache").join(profile)
    }
}

/// The cargo that runs us, or the one on PATH.
fn cargo_path() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
