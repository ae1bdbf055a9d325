//! An AWS SDK as a client: boto3, from the virtual environment that `scripts/setup.sh test` makes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/put_events.py");

/// What the SDK said of all its calls.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// The sum of `FailedEntryCount`.
    pub failed: u64,
    /// How many calls were made.
    pub calls: u64,
    /// `EventId` of every entry, in order.
    pub ids: Vec<String>,
}

/// Sends entries, one a line, to a bus at `endpoint`, ten a call: the default one, or that with a name.
///
/// # Panics
/// boto3 is not installed, or raised an exception.
pub async fn put_events(endpoint: &str, entries: &str, bus: Option<&str>) -> Answered {
    let python = python();
    assert!(python.exists(), "{} is missing: run scripts/setup.sh test", python.display());
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(entries.as_bytes()).expect("written");
    let output = Command::new(python)
        .arg(SCRIPT)
        .arg(endpoint)
        .arg(file.path())
        .args(bus)
        // Nothing of the machine's own AWS set-up, and no proxy.
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("python");
    assert!(output.status.success(), "boto3: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script's answer")
}

/// Python, with boto3, of the environment that `scripts/setup.sh test` makes.
pub fn python() -> PathBuf {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root.join(target).join("venv/bin/python")
}
