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
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::{Connection, Names, configuration, ports};
use pipeline::demo::Faults;
use pipeline::event::Event;
use pipeline::ports::{AnalyticsQueue, Bus, CategoryRule, PublishError, Receipt, StoreError, Transaction, Transactions};
use pipeline::publisher::Publisher;
use pipeline::time::Timestamp;
use pipeline::trigger::AnalyticsStatus;
use tests::deployment::{Account, REGION, deploy};

use conformance::{Backend, Running, Stopping, conformance};

/// A prefix of its own for each directory of the suite, in one emulator.
struct Aws;

impl Backend for Aws {
    fn start(dir: &Path, _: &Faults) -> Running {
        let endpoint = Account::shared();
        let prefix: String = dir
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let prefix = format!("c-{}", prefix.to_lowercase());
        let deployed = dir.join("deployed");
        if !deployed.exists() {
            deploy(endpoint, &prefix);
            std::fs::write(deployed, "").expect("written");
        }
        let (connection, names) = (connection(endpoint), Names::of(&prefix));
        let metrics = CloudWatch::open(&connection, &names, Some(endpoint), &MetricsConfig::default()).expect("no cache");
        let ports = ports(&connection, &names, metrics);
        let elsewhere = Arc::new(NotHere);
        Running {
            publisher: Publisher::new(elsewhere.clone(), ports.flags.clone()),
            ports,
            bus: elsewhere.clone(),
            transactions: elsewhere.clone(),
            analytics: elsewhere,
            stopping: Box::new(NotHere),
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

/// What the nouns that are run here don't ask for.
struct NotHere;

const WHY: &str = "the aws backend has no such port yet; leave the noun out";

#[async_trait]
impl Stopping for NotHere {
    async fn stop(self: Box<Self>) {}
}

#[async_trait]
impl Bus for NotHere {
    async fn put(&self, _: Vec<Event>, _: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>> {
        unreachable!("{WHY}")
    }
    async fn bury(&self, _: String, _: &PublishError) -> Result<(), StoreError> {
        unreachable!("{WHY}")
    }
}

#[async_trait]
impl Transactions for NotHere {
    async fn by_ids(&self, _: &str, _: &[String]) -> Result<Vec<Transaction>, StoreError> {
        unreachable!("{WHY}")
    }
    async fn uncategorized(&self, _: &str, _: &str, _: u32) -> Result<Vec<Transaction>, StoreError> {
        unreachable!("{WHY}")
    }
    async fn rules(&self, _: &str) -> Result<Vec<CategoryRule>, StoreError> {
        unreachable!("{WHY}")
    }
    async fn put(&self, _: Vec<Transaction>) -> Result<(), StoreError> {
        unreachable!("{WHY}")
    }
    async fn put_rule(&self, _: CategoryRule) -> Result<(), StoreError> {
        unreachable!("{WHY}")
    }
}

#[async_trait]
impl AnalyticsQueue for NotHere {
    async fn of_user(&self, _: &str) -> Result<Vec<AnalyticsStatus>, StoreError> {
        unreachable!("{WHY}")
    }
    async fn needed(&self, _: u32) -> Result<Vec<AnalyticsStatus>, StoreError> {
        unreachable!("{WHY}")
    }
    async fn computed(&self, _: &AnalyticsStatus, _: &str) -> Result<bool, StoreError> {
        unreachable!("{WHY}")
    }
}

conformance!(Aws; activity, flags);
