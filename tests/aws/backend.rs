//! The conformance suite that the embedded backend passes: unchanged, over the emulator.

mod dated;
mod fresh;

#[path = "../../pipeline/tests/conformance/mod.rs"]
pub(crate) mod conformance;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use pipeline::aws::analytics::DynamoAnalytics;
use pipeline::aws::bus::EventBridge;
use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::takeover::Takeover;
use pipeline::aws::transactions::DynamoTransactions;
use pipeline::aws::{Connection, DashboardConfig, Names, configuration, ports};
use pipeline::demo::{Fault, Faults};
use pipeline::event::Event;
use pipeline::ports::Ports;
use pipeline::publisher::Publisher;
use pipeline::rule::Rules;
use pipeline::time::DAY;
use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::deployment::{Account, REGION, Shared, deploy, remove};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use conformance::{Backend, Fresh, Running, Stopping, conformance, drained};
use dated::DatedBus;
use fresh::{FreshConsumers, FreshMetrics};

/// A prefix of its own for each directory of the suite, in one emulator.
struct Aws;

fn prefix(dir: &Path) -> String {
    let name = dir.file_name().expect("a name").to_string_lossy().to_lowercase();
    format!("c-{}", name.replace(|letter: char| !letter.is_ascii_alphanumeric(), ""))
}

/// What a service that is out answers.
const OUTAGE: &str = "AccessDeniedException";

impl Backend for Aws {
    const BY_TYPE: bool = false;
    const QUIET: Option<f64> = None;
    const BY_THE_MINUTE: i64 = 2 * DAY;
    const OUTAGE: &str = OUTAGE;
    // A function is handed ten.
    const BACKLOG: usize = 120;
    const SEARCHED: usize = 2_100;

    fn start(dir: &Path, faults: &Faults) -> Running {
        let Shared { endpoint, between, .. } = Account::shared();
        let prefix = prefix(dir);
        afflict(between, &prefix, faults);
        let deployed = dir.join("deployed");
        if !deployed.exists() {
            tidy(endpoint);
            deploy(endpoint, &prefix);
            std::fs::write(&deployed, "").expect("written");
            DEPLOYED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((prefix.clone(), deployed));
        }
        let (connection, names) = (connection(endpoint), Names::of(&prefix));
        let config = MetricsConfig {
            dollars_a_day: 1_000.0,
            cache: None,
        };
        let metrics = CloudWatch::open(&connection, &names, Some(endpoint), &config).expect("no cache");
        let (ports, worker) = ports(&connection, &names, metrics.clone(), DashboardConfig::default());
        let fresh = Arc::new(FreshMetrics::new(&connection, &names, metrics, ports.letters.clone()));
        let bus = EventBridge::with_ledger(&connection, &names, Rules::default());
        let bus = Arc::new(DatedBus::new(bus, &ports, &prefix));
        let ports = Ports {
            consumers: Arc::new(FreshConsumers::new(ports.consumers, fresh.clone())),
            metrics: fresh,
            ..ports
        };
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

    /// The first goes all the way, so that its type is known; the others are written as another audit consumer would.
    async fn keep(pipeline: &Fresh, mut events: Vec<Event>) {
        let rest = events.split_off(1);
        pipeline.accept(events, None).await;
        drained(pipeline).await;
        let table = Names::of(&prefix(pipeline.dir.path())).event_store_table;
        let items: Vec<String> = rest.iter().map(item).collect();
        Account::shared().put_items(&table, &items.join("\n")).await;
    }
}

/// An event as the design's audit consumer keeps it.
fn item(event: &Event) -> String {
    let data: Value = serde_json::from_str(event.data.text()).expect("JSON");
    json!({
        "eventId": event.event_id,
        "eventType": event.event_type,
        "eventVersion": event.event_version,
        "source": event.source,
        "userId": event.user_id,
        "timestamp": event.timestamp,
        "causationId": event.causation_id,
        "eventData": data,
    })
    .to_string()
}

/// What is deployed, and the file that is there for as long as its test.
static DEPLOYED: Mutex<Vec<(String, PathBuf)>> = Mutex::new(Vec::new());

/// Removes what ended tests have left: their functions go on asking for messages.
fn tidy(endpoint: &str) {
    let ended = {
        let mut all = DEPLOYED.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, ended): (Vec<_>, Vec<_>) = all.drain(..).partition(|(_, file)| file.exists());
        *all = kept;
        ended
    };
    for (prefix, _) in ended {
        remove(endpoint, &prefix);
    }
}

/// Has the tables that a consumer can't do without refuse it, or take their time, for as long as the suite wants it.
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
        let fault = all().iter().find_map(|(prefix, faults)| {
            let of = |table: &str| call.service == "dynamodb" && body.contains(&format!("\"{prefix}{table}"));
            tables
                .iter()
                .filter(|(_, table)| of(table))
                .find_map(|(consumer, _)| faults.of(consumer))
        });
        match fault {
            Some(Fault::Outage) => Fate::Refused(400, OUTAGE),
            Some(Fault::Slow) => Fate::Late(Duration::from_millis(250)),
            _ => Fate::Answered,
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

conformance!(Aws);
