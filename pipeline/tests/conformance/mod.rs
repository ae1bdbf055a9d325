//! What every backend of the ports has to do, whatever it is built on: events in, effects out, across failures and
//! restarts. A backend says how it is started ([`Backend`]) and runs the suite with [`conformance!`].
//!
//! One file a noun. The tests say what the ports' documentation says, and know nothing of any adapter.

#![allow(unreachable_pub, missing_docs, reason = "shared by the tests of each backend")]

pub mod activity;
pub mod analytics;
pub mod audit;
pub mod bus;
pub mod consumers;
pub mod delivery;
pub mod depth;
pub mod effects;
pub mod events;
pub mod flags;
pub mod gauges;
pub mod latency;
pub mod ledger;
pub mod letters;
pub mod metrics;
pub mod operations;
pub mod parity;
pub mod redrives;
pub mod series;
mod suite;
pub mod text;
pub mod transactions;
pub mod wishes;

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pipeline::consumer::HEALTH_WINDOW;
use pipeline::demo::Faults;
use pipeline::event::{Draft, Event};
use pipeline::letter::{Letter, LetterFilter, LetterStatus};
use pipeline::operation::{NewOperation, OperationDetail, OperationKind, OperationStatus, Selection};
use pipeline::page::Page;
use pipeline::ports::{AnalyticsQueue, Bus, Ports, StoreError, Transactions};
use pipeline::publisher::Publisher;
use pipeline::time::{Span, Timestamp};
use serde_json::Value;
pub(crate) use suite::{conformance, each, noun};
use tempfile::TempDir;

/// The last minutes: the span that most questions are about.
pub fn lately() -> Span {
    Span::ending(Timestamp::now(), HEALTH_WINDOW)
}

/// A pipeline at work.
pub struct Running {
    pub ports: Ports,
    pub bus: Arc<dyn Bus>,
    pub transactions: Arc<dyn Transactions>,
    pub analytics: Arc<dyn AnalyticsQueue>,
    pub publisher: Publisher,
    pub stopping: Box<dyn Stopping>,
}

/// What it takes to stop one.
#[async_trait]
pub trait Stopping: Send + Sync {
    async fn stop(self: Box<Self>);
}

impl Running {
    async fn stop(self) {
        self.stopping.stop().await;
    }

    /// Puts events on the bus, which has to take them all.
    pub async fn accept(&self, events: Vec<Event>, published_at: Option<Timestamp>) {
        for answer in self.bus.put(events, published_at).await {
            answer.expect("the bus takes it");
        }
    }

    /// The event is in the store, and says what it said.
    async fn has_stored(&self, event: &Event) {
        let stored = self.ports.events.get(&event.event_id).await.expect("a store").expect("the event");
        assert_eq!(fields(&stored.event), fields(event));
    }

    async fn letters(&self, filter: &LetterFilter) -> Vec<Letter> {
        answered(|| self.ports.letters.list(filter, 500, None)).await.items
    }

    async fn letter(&self, id: &str) -> Letter {
        answered(|| self.ports.letters.get(id)).await.expect("the letter").letter
    }

    async fn operation(&self, id: &str) -> OperationDetail {
        answered(|| self.ports.operations.get(id)).await.expect("the operation")
    }

    /// Waits for an operation's end.
    async fn ended(&self, id: &str) -> OperationDetail {
        eventually("the operation ends", || async {
            self.operation(id).await.operation.status != OperationStatus::Running
        })
        .await;
        self.operation(id).await
    }

    /// Starts an operation over `ids` and waits for its end.
    async fn operate(&self, kind: OperationKind, ids: &[&str]) -> OperationDetail {
        let wish = over(kind, Selection::Ids(ids.iter().map(|id| (*id).to_owned()).collect()));
        let operation = self.ports.operations.start(&wish, "me").await.expect("an operation");
        self.ended(&operation.id).await
    }
}

/// A way to start a pipeline on what an earlier one left in `dir`, and what the ports leave to it.
pub trait Backend {
    /// Whether measurements are kept by type of event; where not, whoever asks is told that.
    const BY_TYPE: bool;
    /// What is measured in a minute in which nothing happened: nothing was measured, or it was zero.
    const QUIET: Option<f64>;
    /// How long measurements are kept by the minute; by the hour they are kept longer.
    const BY_THE_MINUTE: i64;
    /// How an outage says itself in an error.
    const OUTAGE: &str;
    /// More events than it holds at once, wherever that is.
    const BACKLOG: usize;
    /// More events than one search looks through.
    const SEARCHED: usize;

    fn start(dir: &Path, faults: &Faults) -> Running;

    /// Puts many events into the store, by whatever way is the shortest.
    fn keep(pipeline: &Fresh, events: Vec<Event>) -> impl Future<Output = ()> {
        async {
            pipeline.accept(events, None).await;
            drained(pipeline).await;
        }
    }
}

/// A pipeline that starts on nothing, with its own directory and faults.
pub struct Fresh {
    running: Running,
    pub faults: Faults,
    pub dir: TempDir,
}

impl Fresh {
    pub fn start<B: Backend>() -> Self {
        let (dir, faults) = (tempfile::tempdir().expect("a directory"), Faults::default());
        Self {
            running: B::start(dir.path(), &faults),
            faults,
            dir,
        }
    }

    async fn restart<B: Backend>(self) -> Self {
        self.running.stop().await;
        Self {
            running: B::start(self.dir.path(), &self.faults),
            faults: self.faults,
            dir: self.dir,
        }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl Deref for Fresh {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

fn event(event_type: &str, source: &str, data: &str) -> Event {
    let text = format!(r#"{{"eventType":"{event_type}","source":"{source}","userId":"u-1","data":{data}}}"#);
    Publisher::stamp(Draft::from_json(&text).expect("a draft"), false).expect("an event")
}

/// Goes to analytics and audit, and both can do with it.
pub fn updated() -> Event {
    event(
        "transaction.updated",
        "transaction.service",
        r#"{"transactionId":"t","accountId":"a","changes":[]}"#,
    )
}

/// Goes to audit alone, which takes anything.
fn unknown() -> Event {
    event("weather.changed", "weather.service", "{}")
}

/// Bad data for categorization, which needs the ids of the transactions; analytics and audit do without.
fn poison() -> Event {
    event(
        "file.processed",
        "transaction.service",
        r#"{"fileId":"f","transactionCount":2,"processingStatus":"success"}"#,
    )
}

/// Bad data for analytics; audit takes it.
fn broken_update() -> Event {
    event("transaction.updated", "transaction.service", r#"{"accountId":"a","changes":[]}"#)
}

/// A new rule whose pattern is no regular expression: bad data for categorization, under another code than [`poison`]'s.
fn broken_rule() -> Event {
    event(
        "category.rule_created",
        "category.service",
        r#"{"categoryId":"c","ruleId":"r","rulePattern":"(","autoApply":true}"#,
    )
}

/// What an event says: the order of the members of an object says nothing.
fn fields(event: &Event) -> Value {
    serde_json::from_str(&event.to_json()).expect("JSON")
}

fn open() -> LetterFilter {
    LetterFilter {
        status: Some(LetterStatus::Open),
        ..Default::default()
    }
}

/// A wish for an operation, as fast as any test needs it.
fn over(kind: OperationKind, select: Selection) -> NewOperation {
    NewOperation {
        kind,
        select,
        reason: "a test".into(),
        rate: Some(200),
        dry_run: false,
    }
}

/// Every page of a list, in order. A list that never ends fails.
async fn pages<T>(page: impl AsyncFn(Option<String>) -> Page<T>) -> Vec<Vec<T>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    while pages.len() < 1000 {
        let Page { items, next } = page(cursor).await;
        pages.push(items);
        cursor = next;
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("a thousand pages, and still a next one");
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// How long anything may take: what is in the process takes less than a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `condition` holds, or says what it was waiting for.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// What a port answers; one that is kept waiting by a busy machine is asked again.
pub async fn answered<T, F: Future<Output = Result<T, StoreError>>>(mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Unavailable { .. }) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn drained(pipeline: &Running) {
    eventually("everything delivered", || async {
        answered(|| pipeline.ports.ledger.summary()).await.in_flight == 0
    })
    .await;
}
