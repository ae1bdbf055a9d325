//! An account in an AWS emulator, with Cutover's template deployed in it: real functions of ours, run by real events.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};
use tokio::process::Child;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::between::Between;
use crate::emulator::Emulator;
use crate::endpoint::{Endpoint, Reply};
use crate::sdk::{self, Answered, Session};
use crate::server::{Captured, binary};
use crate::wait::eventually;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/deployment.py");
/// The template.
pub const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/cutover.yaml");
/// Where everything is.
pub const REGION: &str = "eu-west-2";
/// What every name begins with.
pub const PREFIX: &str = "t-1";
/// Credentials that nobody has.
pub const CREDENTIALS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// How many emulators run at once.
static SEATS: Semaphore = Semaphore::const_new(1);

/// A running emulator. Dropped, it and the functions that it started are killed.
#[derive(Debug)]
pub struct Account {
    child: Child,
    endpoint: String,
    output: Captured,
    /// Who works in it, once somebody does.
    hands: Mutex<Option<Session>>,
    _directory: TempDir,
    /// Held while it runs.
    seat: Option<SemaphorePermit<'static>>,
}

impl Account {
    /// Starts an emulator with nothing in it.
    ///
    /// # Panics
    /// It doesn't start.
    pub async fn empty() -> Self {
        let seat = SEATS.acquire().await.expect("a seat");
        let mut account = Self::start(Emulator::Ministack, &[], None).await;
        account.seat = Some(seat);
        account
    }

    /// Starts the other emulator, with nothing in it: a second opinion on what is read.
    ///
    /// # Panics
    /// It doesn't start.
    pub async fn moto() -> Self {
        Self::start(Emulator::Moto, &[], None).await
    }

    /// `between` is what the functions call instead of the emulator.
    async fn start(emulator: Emulator, wrapper: &[&str], between: Option<&str>) -> Self {
        let directory = TempDir::new().expect("a directory");
        let (mut child, mut output, mut endpoint) = emulator.spawn(directory.path(), wrapper, between);
        eventually("the emulator answers", async || {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                // Somebody else took the port that was free a moment ago.
                (child, output, endpoint) = emulator.spawn(directory.path(), wrapper, between);
            }
            let health = Endpoint::new(endpoint.clone());
            let reply = Reply::try_of(health.request(reqwest::Method::GET, emulator.health())).await;
            match reply {
                Ok(reply) if reply.status == 200 => Ok(()),
                _ => Err(output.text()),
            }
        })
        .await;
        Self {
            child,
            endpoint,
            output,
            hands: Mutex::default(),
            _directory: directory,
            seat: None,
        }
    }

    /// Starts an emulator and deploys the template.
    pub async fn deployed() -> Self {
        let account = Self::empty().await;
        account.deploy().await;
        account
    }

    /// Starts an emulator and deploys the template, with something between it and the functions.
    pub async fn deployed_behind(between: &Between) -> Self {
        let seat = SEATS.acquire().await.expect("a seat");
        let mut account = Self::idle_behind(between).await;
        account.seat = Some(seat);
        account
    }

    /// The same, beside all others: for a test that mostly waits.
    pub async fn idle_behind(between: &Between) -> Self {
        let account = Self::start(Emulator::Ministack, &[], Some(between.endpoint())).await;
        between.turn_to(account.endpoint());
        account.deploy().await;
        account
    }

    async fn deploy(&self) {
        let consumer = consumer();
        self.work(&["deploy", PREFIX, TEMPLATE, consumer.to_str().expect("a path in UTF-8")])
            .await;
    }

    /// An emulator that all tests of this process share, and that ends with it. Each uses a prefix of its own.
    ///
    /// # Panics
    /// It doesn't start.
    #[must_use]
    pub fn shared() -> &'static Shared {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        SHARED.get_or_init(|| {
            let (say, hear) = std::sync::mpsc::channel();
            // The emulator is killed when the thread that started it ends, which is when this process does.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    let between = Between::of_nothing().await;
                    let killed = ["setpriv", "--pdeathsig", "KILL"];
                    let mut account = Self::start(Emulator::Ministack, &killed, Some(between.endpoint())).await;
                    between.turn_to(&account.endpoint);
                    let shared = Shared {
                        endpoint: account.endpoint.clone(),
                        between,
                        hands: Mutex::new(Session::start(SCRIPT, &account.endpoint)),
                    };
                    say.send(shared).expect("somebody waits");
                    let _ = account.child.wait().await;
                });
            });
            hear.recv().expect("an emulator")
        })
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What the emulator and the functions said.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Sends entries, one a line, to the deployment's bus.
    pub async fn put_events(&self, entries: &str) -> Answered {
        let file = lines(entries);
        let said = self.work(&["put-events", &format!("{PREFIX}-events"), path(&file)]).await;
        serde_json::from_str(&said).expect("the script's answer")
    }

    /// Writes items, one a line of JSON, to the event store, as another audit consumer would.
    pub async fn put_items(&self, items: &str) {
        self.put_items_into("event-store", items).await;
    }

    /// Writes items, one a line of JSON, to a table of the deployment.
    pub async fn put_items_into(&self, table: &str, items: &str) {
        let file = lines(items);
        let table = format!("{PREFIX}-{table}");
        self.work(&["put-items", &table, path(&file)]).await;
    }

    /// Sends a message to a queue of the deployment.
    pub async fn send(&self, queue: &str, body: &str) {
        let queue = format!("{PREFIX}-{queue}");
        self.work(&["send", &queue, body]).await;
    }

    /// Sends messages to a queue of the deployment, one a line: `body`, and `attributes` as SQS has them.
    pub async fn send_all(&self, queue: &str, messages: &str) {
        let file = lines(messages);
        let queue = format!("{PREFIX}-{queue}");
        self.work(&["send-all", &queue, path(&file)]).await;
    }

    /// How many messages a queue holds, received or not.
    ///
    /// # Panics
    /// There is no such queue.
    pub async fn messages(&self, queue: &str) -> u64 {
        let queue = format!("{PREFIX}-{queue}");
        let said = self.work(&["count", &queue]).await;
        said.trim().parse().expect("a number")
    }

    /// Makes metrics of what the functions log, as CloudWatch does, until so many attempts of a consumer are counted.
    pub async fn measure(&self, consumer: &str, attempts: usize) {
        self.work(&["measure", consumer, &attempts.to_string()]).await;
    }

    /// Puts metrics, one a line: `namespace`, `dimensions`, `name`, and `points` of how many seconds ago and values.
    pub async fn put_metrics(&self, metrics: &str) {
        let file = lines(metrics);
        self.work(&["put-metrics", path(&file)]).await;
    }

    /// Has what is received from a queue of the deployment, and not deleted, come again after so many seconds.
    ///
    /// # Panics
    /// There is no such queue.
    pub async fn comes_again_after(&self, queue: &str, seconds: u32) {
        let name = json!({ "QueueName": format!("{PREFIX}-{queue}") });
        let url = self.call("sqs", "get_queue_url", &name).await["QueueUrl"].clone();
        let attributes = json!({ "QueueUrl": url, "Attributes": { "VisibilityTimeout": seconds.to_string() } });
        self.call("sqs", "set_queue_attributes", &attributes).await;
    }

    /// Has a queue of the deployment take messages of so many bytes, and no larger ones.
    ///
    /// # Panics
    /// There is no such queue.
    pub async fn takes(&self, queue: &str, bytes: usize) {
        let name = json!({ "QueueName": format!("{PREFIX}-{queue}") });
        let url = self.call("sqs", "get_queue_url", &name).await["QueueUrl"].clone();
        let attributes = json!({ "QueueUrl": url, "Attributes": { "MaximumMessageSize": bytes.to_string() } });
        self.call("sqs", "set_queue_attributes", &attributes).await;
    }

    /// Deletes a table of the deployment.
    pub async fn delete_table(&self, name: &str) {
        let table = format!("{PREFIX}-{name}");
        self.work(&["delete-table", &table]).await;
    }

    /// Calls an operation of a service, as boto3 has both, with its parameters.
    ///
    /// # Panics
    /// The service refuses.
    pub async fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        let said = self.work(&["call", service, operation, &parameters.to_string()]).await;
        serde_json::from_str(&said).expect("JSON")
    }

    /// Makes a function of the deployment with variables in its environment, or changes them all to these.
    pub async fn function(&self, name: &str, variables: &Value) {
        let name = format!("{PREFIX}-{name}");
        self.work(&["function", &name, &variables.to_string()]).await;
    }

    /// The variables in the environment of a function of the deployment.
    ///
    /// # Panics
    /// There is no such function.
    pub async fn environment(&self, name: &str) -> Value {
        let name = format!("{PREFIX}-{name}");
        let said = self.work(&["environment", &name]).await;
        serde_json::from_str(&said).expect("JSON")
    }

    async fn work(&self, words: &[&str]) -> String {
        let mut hands = self.hands.lock().await;
        hands.get_or_insert_with(|| Session::start(SCRIPT, &self.endpoint)).run(words).await
    }
}

/// See [`Account::shared`].
pub struct Shared {
    /// Where it is.
    pub endpoint: String,
    /// What is between it and the functions.
    pub between: Between,
    hands: Mutex<Session>,
}

impl Shared {
    /// Makes metrics of what the functions of a deployment have logged since the last time, as CloudWatch does: as of when it was
    /// logged, or as of `at`, Unix milliseconds. Says of how many attempts.
    ///
    /// # Panics
    /// It can't be done.
    pub async fn carry(&self, prefix: &str, at: Option<i64>) -> u64 {
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        let said = self.hands.lock().await.run(&["carry", prefix, &at]).await;
        said.trim().parse().expect("a number")
    }

    /// Writes items, one a line of JSON, to a table, as another audit consumer would.
    pub async fn put_items(&self, table: &str, items: &str) {
        let file = lines(items);
        self.hands.lock().await.run(&["put-items", table, path(&file)]).await;
    }
}

/// A file with these lines.
fn lines(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("a path in UTF-8")
}

/// Deploys the template at `endpoint`, and waits until it is there.
///
/// # Panics
/// It can't be.
pub fn deploy(endpoint: &str, prefix: &str) {
    let consumer = consumer();
    script(
        endpoint,
        &["deploy".as_ref(), prefix.as_ref(), TEMPLATE.as_ref(), consumer.as_os_str()],
    );
}

/// The functions' binary.
fn consumer() -> PathBuf {
    let consumer = binary().with_file_name("cutover-consumer");
    assert!(consumer.exists(), "{}: no such binary; build the workspace", consumer.display());
    consumer
}

/// Removes what was deployed at `endpoint`: its functions are processes.
///
/// # Panics
/// It can't be.
pub fn remove(endpoint: &str, prefix: &str) {
    script(endpoint, &["remove".as_ref(), prefix.as_ref()]);
}

/// Makes a function at `endpoint`, or changes its variables, before this returns: for whoever decides on a call.
///
/// # Panics
/// It can't be.
pub fn function_at(endpoint: &str, name: &str, variables: &Value) {
    let (name, variables) = (format!("{PREFIX}-{name}"), variables.to_string());
    script(endpoint, &["function".as_ref(), name.as_ref(), variables.as_ref()]);
}

fn script(endpoint: &str, arguments: &[&OsStr]) {
    let output = std::process::Command::new(sdk::python())
        .args(["-B", SCRIPT, endpoint])
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Account {
    fn drop(&mut self) {
        // The functions are its children: they end with it.
        if let Some(group) = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
