//! The conformance suite that the embedded backend passes, as far as the aws backend goes: unchanged, over the emulator.

#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "the nouns that this backend does not offer yet"
)]
#[path = "../../pipeline/tests/conformance/mod.rs"]
pub(crate) mod conformance;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use pipeline::aws::analytics::DynamoAnalytics;
use pipeline::aws::bus::EventBridge;
use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::takeover::Takeover;
use pipeline::aws::transactions::DynamoTransactions;
use pipeline::aws::{Connection, Names, configuration, ports};
use pipeline::demo::{Fault, Faults};
use pipeline::publisher::Publisher;
use pipeline::rule::Rules;
use tests::between::{Between, Fate};
use tests::deployment::{Account, REGION, deploy};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use conformance::{Backend, Running, Stopping, conformance};

/// A prefix of its own for each directory of the suite, in one emulator.
struct Aws;

impl Backend for Aws {
    fn start(dir: &Path, faults: &Faults) -> Running {
        let (endpoint, between) = Account::shared();
        let prefix: String = dir
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let prefix = format!("c-{}", prefix.to_lowercase());
        afflict(between, &prefix, faults);
        let deployed = dir.join("deployed");
        if !deployed.exists() {
            deploy(endpoint, &prefix);
            std::fs::write(deployed, "").expect("written");
        }
        let (connection, names) = (connection(endpoint), Names::of(&prefix));
        let metrics = CloudWatch::open(&connection, &names, Some(endpoint), &MetricsConfig::default()).expect("no cache");
        let (ports, worker) = ports(&connection, &names, metrics);
        let bus = Arc::new(EventBridge::with_ledger(&connection, &names, Rules::default()));
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(Takeover::new(&connection, &names).run(stop.clone())),
            tokio::spawn(worker.run(stop.clone())),
        ];
        Running {
            publisher: Publisher::new(bus.clone(), ports.flags.clone()),
            ports,
            bus,
            transactions: Arc::new(DynamoTransactions::of(&connection, &names)),
            analytics: Arc::new(DynamoAnalytics::of(&connection, &names)),
            stopping: Box::new(Stop { stop, tasks }),
        }
    }
}

/// Has the tables that a consumer can't do without refuse it, for as long as the suite wants an outage of it.
fn afflict(between: &Between, prefix: &str, faults: &Faults) {
    static ALL: Mutex<Vec<(String, Faults)>> = Mutex::new(Vec::new());
    let all = || ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all().retain(|(known, _)| known != prefix);
    all().push((prefix.to_owned(), faults.clone()));
    between.set_by_body(move |call, body| {
        let tables = [
            ("analytics", "-analytics-status\""),
            ("categorization", "-category-rules\""),
            ("notification", "-cutover-notifications\""),
            ("audit", "-event-store\""),
        ];
        let out = all().iter().any(|(prefix, faults)| {
            let of = |table: &str| call.service == "dynamodb" && body.contains(&format!("\"{prefix}{table}"));
            tables
                .iter()
                .any(|(consumer, table)| faults.of(consumer) == Some(Fault::Outage) && of(table))
        });
        if out {
            Fate::Refused(400, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
}

/// The functions go on, as on AWS; what runs in this process ends.
struct Stop {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

#[async_trait]
impl Stopping for Stop {
    async fn stop(self: Box<Self>) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("it ends");
        }
    }
}

/// The suite starts a backend where it can't await.
fn connection(endpoint: &'static str) -> Connection {
    let thread = std::thread::spawn(move || {
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let loader = configuration(Some(REGION), Some(endpoint)).credentials_provider(credentials);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Connection::from(runtime.block_on(loader.load()))
    });
    thread.join().expect("a connection")
}

conformance!(
    Aws; activity, analytics, audit, bus, delivery, depth, effects, events, flags, ledger, letters, operations, parity, redrives, text,
    transactions, wishes
);
