//! The real binary, started and ended.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use crate::endpoint::Endpoint;
use crate::wait::eventually;

/// How long a server may take to end after SIGTERM: what the product promises.
pub const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// How long a command may take that looks at a deployment: all that is meant is that it ends.
const FAILS_WITHIN: Duration = Duration::from_secs(120);

/// The binary under test: `CUTOVER_BIN`, or the one built next to this test.
///
/// # Panics
/// There is none.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("CUTOVER_BIN").map_or_else(
        || {
            let this = std::env::current_exe().expect("this test's own path");
            this.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("cutover")
        },
        PathBuf::from,
    );
    assert!(
        path.is_absolute() && path.exists(),
        "{}: no such binary; build it, or name it with CUTOVER_BIN",
        path.display()
    );
    path
}

/// `cutover` with these arguments, away from any configuration of this machine: in an empty directory, without its variables.
#[must_use]
pub fn command(directory: &Path, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Command {
    command_of(&binary(), directory, arguments)
}

/// As [`command`], with a binary at another place.
#[must_use]
pub fn command_of(binary: &Path, directory: &Path, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Command {
    let mut command = Command::new(binary);
    command
        .args(arguments.into_iter().map(Into::into))
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CUTOVER_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// All it wrote to stdout.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
}

impl Ended {
    /// The first line of stderr: the error, for a person.
    #[must_use]
    pub fn first_line(&self) -> &str {
        self.stderr.lines().next().unwrap_or_default()
    }
}

/// Runs `command` to its end.
///
/// # Panics
/// It doesn't end.
pub async fn run(mut command: Command) -> Ended {
    let output = tokio::time::timeout(FAILS_WITHIN, command.output()).await;
    let output = output
        .unwrap_or_else(|_| panic!("{command:?} did not end within {FAILS_WITHIN:?}"))
        .expect("the binary runs");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A server to be started.
#[derive(Debug)]
pub struct Setup {
    data: Option<Arc<TempDir>>,
    demo: Option<u32>,
    /// Where the aws backend is, instead of the embedded one.
    account: Option<String>,
    environment: Vec<(&'static str, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// Without demo traffic, on a fresh data directory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            data: None,
            demo: None,
            account: None,
            environment: Vec::new(),
        }
    }

    /// With the demo application making this many events a minute.
    #[must_use]
    pub const fn demo(mut self, events_per_minute: u32) -> Self {
        self.demo = Some(events_per_minute);
        self
    }

    /// Over a deployment on AWS.
    #[must_use]
    pub fn over(self, account: &Account) -> Self {
        self.at(account.endpoint())
    }

    /// Over a deployment on AWS, whose services are at `endpoint`.
    #[must_use]
    pub fn at(mut self, endpoint: &str) -> Self {
        self.account = Some(endpoint.to_owned());
        self.environment.extend([
            ("CUTOVER_BACKEND", "aws".to_owned()),
            ("CUTOVER_AWS__ENDPOINT", endpoint.to_owned()),
            ("CUTOVER_AWS__REGION", REGION.to_owned()),
            ("CUTOVER_AWS__PREFIX", PREFIX.to_owned()),
        ]);
        self.environment.extend(CREDENTIALS.map(|(name, value)| (name, value.to_owned())));
        self
    }

    /// With what an earlier server left behind.
    #[must_use]
    pub fn on(mut self, data: Arc<TempDir>) -> Self {
        self.data = Some(data);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Looks for what is wrong instead: `cutover check`.
    ///
    /// # Panics
    /// It doesn't end.
    pub async fn check(self) -> Ended {
        let directory = TempDir::new().expect("a temporary directory");
        let mut check = command(directory.path(), ["check"]);
        check.envs(self.environment);
        run(check).await
    }

    /// Starts it, on ports that the system chooses, and waits until it answers.
    ///
    /// # Panics
    /// It doesn't.
    pub async fn start(self) -> Cutover {
        let data = self
            .data
            .unwrap_or_else(|| Arc::new(TempDir::new().expect("a temporary directory")));
        let mut arguments: Vec<OsString> = ["serve", "--listen", "127.0.0.1:0", "--ingest", "127.0.0.1:0", "--data"]
            .map(OsString::from)
            .to_vec();
        arguments.push(data_path(&data).into());
        match self.demo {
            Some(rate) => arguments.extend(["--demo".into(), rate.to_string().into()]),
            None => arguments.push("--no-demo".into()),
        }
        let mut command = command(data.path(), arguments);
        command.envs(self.environment).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let (stdout, stderr) = (Captured::of(child.stdout.take()), Captured::of(child.stderr.take()));
        let address = async |what: &str| {
            eventually("the server says where it listens", async || match stdout.after(what) {
                Some(url) => Ok(url),
                None => Err(format!("stdout: {:?}; stderr: {:?}", stdout.text(), stderr.text())),
            })
            .await
        };
        let site = address("Cutover is at ").await;
        let (ingest, listeners) = match self.account {
            // Events are taken by the deployment's bus.
            Some(account) => (account, 1),
            None => (address("Events are taken at ").await, 2),
        };
        let server = Cutover {
            child: Some(child),
            site: if listeners == 1 {
                Endpoint::new(site).patient()
            } else {
                Endpoint::new(site)
            },
            ingest: Endpoint::new(ingest),
            data,
            stderr,
        };
        for listener in [&server.site, &server.ingest].into_iter().take(listeners) {
            eventually("the listener answers", async || {
                let reply = crate::endpoint::Reply::try_of(listener.request(reqwest::Method::GET, "/healthz")).await;
                reply.is_ok_and(|reply| reply.status == 200)
            })
            .await;
        }
        server
    }
}

/// The data directory inside a temporary one: the server makes it itself.
fn data_path(data: &TempDir) -> PathBuf {
    data.path().join("data")
}

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct Cutover {
    child: Option<Child>,
    /// The dashboard.
    pub site: Endpoint,
    /// Where events are taken: by the server, or, over a deployment on AWS, by that.
    pub ingest: Endpoint,
    data: Arc<TempDir>,
    stderr: Captured,
}

impl Cutover {
    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        data_path(&self.data)
    }

    /// All it wrote to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    fn pid(&self) -> Pid {
        let id = self.child.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).expect("a server that runs")
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// It takes longer than promised.
    pub async fn terminate(mut self) -> Terminated {
        let began = Instant::now();
        kill_process(self.pid(), Signal::TERM).expect("SIGTERM is sent");
        let mut child = self.child.take().expect("a server that runs");
        let status = tokio::time::timeout(STOPS_WITHIN, child.wait()).await;
        let status = status
            .unwrap_or_else(|_| panic!("still runs {STOPS_WITHIN:?} after SIGTERM: {}", self.stderr()))
            .expect("an exit status");
        Terminated {
            status,
            took: began.elapsed(),
            data: Arc::clone(&self.data),
            stderr: self.stderr(),
        }
    }

    /// Stops it from running, as a machine that is out of breath would; its connections stay.
    ///
    /// # Panics
    /// It doesn't run.
    pub fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).expect("SIGSTOP is sent");
    }

    /// Lets it run again.
    ///
    /// # Panics
    /// It has ended.
    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).expect("SIGCONT is sent");
    }

    /// Kills it as a power cut would, and waits until it is gone.
    ///
    /// # Panics
    /// It had ended by itself.
    pub async fn kill(mut self) -> Arc<TempDir> {
        kill_process(self.pid(), Signal::KILL).expect("SIGKILL is sent");
        let mut child = self.child.take().expect("a server that runs");
        let status = child.wait().await.expect("an exit status");
        assert_eq!(status.code(), None, "it ended by itself: {}", self.stderr());
        Arc::clone(&self.data)
    }

    /// Waits until it is known what the consumers did: over a deployment on AWS, until CloudWatch was read.
    ///
    /// # Panics
    /// It takes too long.
    pub async fn measured(&self) {
        eventually("the measurements are read", async || {
            let all = self.site.json("/api/v1/consumers").await;
            let items = all["items"].as_array().expect("items");
            let unknown = items.iter().any(|item| item["processed"].is_null());
            if unknown { Err(all.to_string()) } else { Ok(()) }
        })
        .await;
    }

    /// A number of `/metrics`; `name` with its labels.
    ///
    /// # Panics
    /// There is no such number.
    pub async fn metric(&self, name: &str) -> f64 {
        // What can't be read in time is left out.
        let value = eventually(&format!("/metrics has {name}"), async || {
            let text = self.site.get("/metrics").await.expect(200).text();
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.map(str::to_owned).ok_or(text)
        })
        .await;
        value.parse().expect("a number")
    }
}

impl Drop for Cutover {
    fn drop(&mut self) {
        // The child is killed by its id when it is dropped. What it said helps whoever reads why the test failed.
        if std::thread::panicking() && self.child.is_some() {
            let stderr = self.stderr();
            let from = stderr.char_indices().rev().nth(4_000).map_or(0, |(at, _)| at);
            eprintln!("the server's last words: {}", &stderr[from..]);
        }
    }
}

/// A server that was asked to end and did.
#[derive(Debug)]
pub struct Terminated {
    /// How.
    pub status: ExitStatus,
    /// How long it took.
    pub took: Duration,
    /// What it left behind.
    pub data: Arc<TempDir>,
    /// All it wrote to stderr.
    pub stderr: String,
}

/// What a child writes, line by line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured(Arc<Mutex<String>>);

impl Captured {
    pub(crate) fn of(stream: Option<impl AsyncRead + Send + Unpin + 'static>) -> Self {
        let captured = Self::default();
        let (mut lines, text) = (BufReader::new(stream.expect("a piped stream")).lines(), Arc::clone(&captured.0));
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        });
        captured
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The rest of the line with `words`, once it is there.
    pub(crate) fn after(&self, words: &str) -> Option<String> {
        self.text().lines().find_map(|line| Some(line.split_once(words)?.1.to_owned()))
    }
}
