//! An AWS SDK as a client: boto3, from the virtual environment that `scripts/setup.sh test` makes.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

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
async fn run(script: &str, arguments: &[&OsStr]) -> String {
    let output = command(script).args(arguments).stdin(Stdio::null()).output().await.expect("python");
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn command(script: &str) -> Command {
    let python = python();
    assert!(python.exists(), "{} is missing: run scripts/setup.sh test", python.display());
    let mut command = Command::new(python);
    // Nothing is left beside the script; nothing of the machine's own AWS set-up, and no proxy.
    command.arg("-B").arg(script).env_clear().kill_on_drop(true);
    command
}

/// A script that stays and takes commands: to start Python and load boto3 takes longer than most of what is asked of them.
#[derive(Debug)]
pub(crate) struct Session {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    // Killed when it is dropped.
    _child: Child,
}

/// What became of a command.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Said(String),
    Failed(String),
}

impl Session {
    /// Starts a script at `endpoint` that has a command `serve`.
    ///
    /// # Panics
    /// boto3 is not installed.
    pub(crate) fn start(script: &str, endpoint: &str) -> Self {
        let mut child = command(script)
            .args([endpoint, "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        Self {
            input: child.stdin.take().expect("an input"),
            output: BufReader::new(child.stdout.take().expect("an output")).lines(),
            _child: child,
        }
    }

    /// Runs a command; returns what it wrote.
    ///
    /// # Panics
    /// It raised an exception.
    pub(crate) async fn run(&mut self, words: &[&str]) -> String {
        self.input
            .write_all(format!("{}\n", json!(words)).as_bytes())
            .await
            .expect("the script listens");
        let line = self.output.next_line().await.expect("an answer").expect("the script runs");
        match serde_json::from_str(&line).expect("an outcome") {
            Outcome::Said(said) => said,
            Outcome::Failed(why) => panic!("{words:.200?}: {why}"),
        }
    }
}

/// Python, with boto3, of the environment that `scripts/setup.sh test` makes.
pub fn python() -> PathBuf {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root.join(target).join("venv/bin/python")
}
