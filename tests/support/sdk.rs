//! An AWS SDK as a client: boto3, from the virtual environment that `scripts/setup.sh test` makes.

use std::ffi::OsStr;
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
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(entries.as_bytes()).expect("written");
    let mut arguments = vec![endpoint.as_ref(), file.path().as_os_str()];
    arguments.extend(bus.map(OsStr::new));
    serde_json::from_str(&run(SCRIPT, &arguments).await).expect("the script's answer")
}

/// Runs a script with boto3; returns what it wrote.
///
/// # Panics
/// boto3 is not installed, or raised an exception.
pub(crate) async fn run(script: &str, arguments: &[&OsStr]) -> String {
    let python = python();
    assert!(python.exists(), "{} is missing: run scripts/setup.sh test", python.display());
    let output = Command::new(python)
        .arg(script)
        .args(arguments)
        // Nothing of the machine's own AWS set-up, and no proxy.
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("python");
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Python, with boto3, of the environment that `scripts/setup.sh test` makes.
pub fn python() -> PathBuf {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root.join(target).join("venv/bin/python")
}
