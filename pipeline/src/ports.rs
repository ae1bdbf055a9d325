//! What the pipeline and the dashboard need of the world, as traits. The embedded adapter is [`crate::sqlite`].

mod error;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use error::{FlagError, OperationError, PublishError, StoreError};

use crate::activity::{Activity, NewActivity};
use crate::consumer::{ConsumerCounts, ConsumerFault, ConsumerStatus};
use crate::criteria::AuditEvidence;
use crate::event::{Event, InvalidField};
use crate::finding::{Check, Finding};
use crate::flag::{FlagChange, FlagFunction, FlagRecord, FlagState, Flags};
use crate::ledger::{LedgerEntry, LedgerSummary};
use crate::letter::{Depth, Letter, LetterDetail, LetterFilter, LetterGroup, LetterQueues};
use crate::metric::{MetricsSource, Reading, SeriesQuery, Vitals};
use crate::notification::Notification;
use crate::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem};
use crate::page::Page;
use crate::parity::ParityReport;
use crate::time::{Span, Timestamp, check_range};
use crate::trigger::{AnalyticsStatus, Trigger};

/// Everything the dashboard reads and does, behind one adapter or another.
#[derive(Clone)]
#[allow(missing_docs)] // each port says what it is
pub struct Ports {
    pub events: Arc<dyn EventStore>,
    pub ledger: Arc<dyn Ledger>,
    pub letters: Arc<dyn Letters>,
    pub operations: Arc<dyn Operations>,
    pub flags: Arc<dyn FlagStore>,
    pub metrics: Arc<dyn Metrics>,
    pub consumers: Arc<dyn ConsumerControl>,
    pub parity: Arc<dyn Parity>,
    pub activity: Arc<dyn ActivityLog>,
    pub deployment: Option<Arc<dyn Deployment>>,
}

/// What the pipeline runs on, where that is something to be set up: rules, queues, functions, tables.
#[async_trait]
pub trait Deployment: Send + Sync {
    /// Why nothing of it can be looked at, if so: no credentials, or nobody who answers.
    async fn access(&self) -> Option<Finding>;
    /// Looks at its parts. What can't be looked at is a finding itself.
    async fn checks(&self, now: Timestamp) -> Vec<Check>;
    /// The services that don't answer right now; who looks at a page asks each two seconds.
    async fn missing(&self) -> Vec<&'static str>;
    /// Those among them that were asked and say nothing: whatever needs them may take long.
    fn silent(&self) -> Vec<&'static str>;
    /// The services that have kept a call waiting for at least so long.
    fn late(&self, after: Duration) -> Vec<&'static str>;
}

/// Which events of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventFilter {
    /// Only of this type.
    pub event_type: Option<String>,
    /// Only from this source.
    pub source: Option<String>,
    /// Only of this user.
    pub user: Option<String>,
    /// Only of this correlation.
    pub correlation: Option<String>,
    /// Only those whose id or payload contains this text, case aside.
    pub q: Option<String>,
    /// Only that happened at or after.
    pub from: Option<Timestamp>,
    /// Only that happened before.
    pub to: Option<Timestamp>,
}

impl EventFilter {
    /// Whether anything can match.
    ///
    /// # Errors
    /// The range ends before it begins.
    pub fn check(&self) -> Result<(), InvalidField> {
        check_range(self.from, self.to)
    }
}

/// A page of events, and what finding it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, newest first.
    pub page: Page<StoredEvent>,
    /// With a text filter: how many events were looked through.
    pub searched: u64,
    /// Whether the search stopped at its limit, with more left to look through from `page.next`.
    pub partial: bool,
    /// How many event types there are beyond those that a list is merged of: their events are found by their type.
    pub left_out: u64,
    /// What reading it consumed, in DynamoDB's read units; `None` where reading costs nothing.
    pub capacity: Option<f64>,
}

/// An event in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// When the audit consumer stored it.
    pub stored_at: Timestamp,
}

/// The record of every event.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Newest first, `limit` at most; `cursor` is the `next` of the page before.
    async fn list(&self, filter: &EventFilter, limit: u32, cursor: Option<&str>) -> Result<EventPage, StoreError>;
    /// One event.
    async fn get(&self, event_id: &str) -> Result<Option<StoredEvent>, StoreError>;
    /// The events that name this one as their cause, oldest first, 500 at most.
    async fn effects(&self, event_id: &str) -> Result<Vec<StoredEvent>, StoreError>;
    /// The types and sources that were seen, each sorted.
    async fn facets(&self) -> Result<Facets, StoreError>;
    /// How complete the audit trail is.
    async fn completeness(&self) -> Result<AuditEvidence, StoreError>;
    /// What was met in the store and is no event: the id, and what is wrong with it. A hundred at most.
    fn unreadable(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What filters can choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// Event types seen.
    pub types: Vec<String>,
    /// Sources seen.
    pub sources: Vec<String>,
}

/// The account of what became of each event.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// One event's account.
    async fn entry(&self, event_id: &str) -> Result<Option<LedgerEntry>, StoreError>;
    /// The totals.
    async fn summary(&self) -> Result<LedgerSummary, StoreError>;
    /// Events still open, oldest first; costs what is open, not what is stored.
    async fn open(&self, limit: u32) -> Result<Vec<LedgerEntry>, StoreError>;
}

/// The dead letters.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Newest first, `limit` at most; `cursor` is the `next` of the page before.
    async fn list(&self, filter: &LetterFilter, limit: u32, cursor: Option<&str>) -> Result<Page<Letter>, StoreError>;
    /// How many match.
    async fn count(&self, filter: &LetterFilter) -> Result<u64, StoreError>;
    /// One letter with all that is known of it.
    async fn get(&self, id: &str) -> Result<Option<LetterDetail>, StoreError>;
    /// How many are open, and how old.
    async fn depth(&self) -> Result<Depth, StoreError>;
    /// Open letters by consumer and kind of error, largest group first.
    async fn groups(&self) -> Result<Vec<LetterGroup>, StoreError>;
    /// How many dead letters stay in queues that nothing takes over from: they are none of those above.
    async fn staying(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
    /// The queues that letters arrive in; `None`, where they are written as letters at once.
    async fn queues(&self) -> Result<Option<LetterQueues>, StoreError> {
        Ok(None)
    }
}

/// Work over many letters. Whoever calls has authorised it; see the dashboard's `act`.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Freezes the selection and starts.
    async fn start(&self, operation: &NewOperation, actor: &str) -> Result<Operation, OperationError>;
    /// Newest first, `limit` at most; `cursor` is the `next` of the page before.
    async fn list(&self, limit: u32, cursor: Option<&str>) -> Result<Page<Operation>, StoreError>;
    /// One operation, item by item.
    async fn get(&self, id: &str) -> Result<Option<OperationDetail>, StoreError>;
    /// An operation's items in the order of its selection, with `only` that status if one is named, `limit` at most; `cursor`
    /// is the `next` of the page before. None if there is no such operation.
    async fn items(&self, id: &str, only: Option<ItemStatus>, limit: u32, cursor: Option<&str>) -> Result<Page<OperationItem>, StoreError>;
    /// Stops it: items not begun are left alone.
    async fn cancel(&self, id: &str) -> Result<Operation, OperationError>;
}

/// The two flags.
#[async_trait]
pub trait FlagStore: Send + Sync {
    /// Whether the publishers read their flags from here, so that a change here is one of what they do.
    fn followed(&self) -> bool;
    /// The flags that apply to a publisher: its own if it has them, else the global ones.
    async fn effective(&self, source: &str) -> Result<Flags, StoreError>;
    /// Every scope that was ever set, also where that was taken back; the global one first.
    async fn all(&self) -> Result<Vec<FlagState>, StoreError>;
    /// Makes a change, if the version still is what was looked at. `criteria` is what they said at that moment.
    async fn set(&self, change: &FlagChange, actor: &str, criteria: &[String]) -> Result<FlagState, FlagError>;
    /// The changes, newest first.
    async fn history(&self, limit: u32) -> Result<Vec<FlagRecord>, StoreError>;
    /// The functions whose environment has the flags, as they are; none, unless some are configured.
    async fn functions(&self) -> Result<Vec<FlagFunction>, StoreError> {
        Ok(Vec::new())
    }
    /// Writes the flags to the environment of the functions that should have them and don't. The answer is every function as it is
    /// after that; of one that could not be written it says why.
    async fn write_functions(&self) -> Result<Vec<FlagFunction>, StoreError> {
        Ok(Vec::new())
    }
}

/// The measurements.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// One metric over a span.
    async fn series(&self, query: &SeriesQuery) -> Result<Reading, StoreError>;
    /// Each consumer's counts over a span.
    async fn counts(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError>;
    /// The most events published in one whole minute of the span, and how many in all.
    async fn peak(&self, span: Span) -> Result<(f64, u64), StoreError>;
    /// What the platform under a consumer measures, over a span in steps of about `step` milliseconds; nothing, where there is none.
    async fn vitals(&self, consumer: &str, span: Span, step: i64) -> Result<Vitals, StoreError>;
    /// The service that the measurements come from, if it is one with a pace and a price of its own.
    fn source(&self) -> Option<MetricsSource>;
}

/// All consumers, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerList {
    /// In the rules' order.
    pub items: Vec<ConsumerStatus>,
    /// Why something isn't known of them: one error for each source that could not be read.
    pub unread: Vec<StoreError>,
}

/// The consumers: how they are, and stopping and starting them.
#[async_trait]
pub trait ConsumerControl: Send + Sync {
    /// All of them, with what they did over `span`. Their health is of the last minutes, whatever the span. A source that can't be read
    /// leaves what rests on it unknown; it is an error only where nothing could be said.
    async fn list(&self, span: Span) -> Result<ConsumerList, StoreError>;
    /// Stops (`true`) or starts one; what it has begun is finished. `false` if there is no such consumer.
    async fn set_paused(&self, name: &str, paused: bool) -> Result<bool, StoreError>;
    /// Its newest failed attempts.
    async fn faults(&self, name: &str, limit: u32) -> Result<Vec<ConsumerFault>, StoreError>;
}

/// A direct trigger that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectCall {
    /// The operation's id: that of the event it publishes, or would.
    pub operation_id: String,
    /// The operation's event type.
    pub event_type: String,
    /// Whose.
    pub user_id: String,
    /// What was asked for.
    pub trigger: Trigger,
    /// When.
    pub at: Timestamp,
    /// Whether the event path runs as well; if not, nothing is missing when it doesn't.
    pub both: bool,
}

/// The trigger ledger: what both paths did.
#[async_trait]
pub trait Parity: Send + Sync {
    /// Records what the direct path asked for.
    async fn record_direct(&self, call: DirectCall) -> Result<(), StoreError>;
    /// Compares the paths over the operations of `span`, of one type if given, as of `now`.
    async fn report(&self, span: Span, event_type: Option<&str>, now: Timestamp) -> Result<ParityReport, StoreError>;
}

/// What people did.
#[async_trait]
pub trait ActivityLog: Send + Sync {
    /// Appends an entry.
    async fn record(&self, entry: NewActivity) -> Result<Activity, StoreError>;
    /// Newest first; `cursor` is the `next` of the page before.
    async fn list(&self, limit: u32, cursor: Option<&str>) -> Result<Page<Activity>, StoreError>;
}

/// What both paths come to: which analytics are to be computed. Consumers mark them through their effects, the direct path
/// through [`Parity::record_direct`]; the application's analytics processor takes them from here.
#[async_trait]
pub trait AnalyticsQueue: Send + Sync {
    /// All that was ever asked for of a user, in the design's order.
    async fn of_user(&self, user_id: &str) -> Result<Vec<AnalyticsStatus>, StoreError>;
    /// What is to be computed, the most urgent first, of those the one that has waited longest; `limit` at most.
    async fn needed(&self, limit: u32) -> Result<Vec<AnalyticsStatus>, StoreError>;
    /// What `status` asked for was computed, for the day `date`. `false` if it was asked for again meanwhile, and stays to be done.
    async fn computed(&self, status: &AnalyticsStatus, date: &str) -> Result<bool, StoreError>;
}

/// Notifications that wait to be sent.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Those due at `now`, the longest waiting first, `limit` at most.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Notification>, StoreError>;
    /// One was sent.
    async fn sent(&self, id: i64) -> Result<(), StoreError>;
    /// One was not, for `error`; it is due again at `next_at`, or given up.
    async fn failed(&self, id: i64, error: &str, next_at: Option<Timestamp>) -> Result<(), StoreError>;
}

/// An event that the bus took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The event's id.
    pub event_id: String,
    /// Whether the same event had been accepted before; it is not delivered again.
    pub duplicate: bool,
}

/// The bus: takes events, durably, and sees to it that every consumer whose rule matches gets them.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Takes a batch. Success for an entry means that it is on disk.
    async fn put(&self, events: Vec<Event>, published_at: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>>;
    /// Keeps what could not be published, after so many attempts: a dead letter of the publisher.
    async fn bury(&self, body: String, error: &PublishError, attempts: u32) -> Result<(), StoreError>;
}

/// A user's category rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryRule {
    /// Its id.
    pub rule_id: String,
    /// Whose.
    pub user_id: String,
    /// The category it assigns.
    pub category_id: String,
    /// A regular expression over the transaction's description.
    pub pattern: String,
    /// Lower goes first.
    pub priority: u32,
}

/// A transaction, as far as categorization looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its id.
    pub transaction_id: String,
    /// Whose.
    pub user_id: String,
    /// On which account.
    pub account_id: String,
    /// The bank's text.
    pub description: String,
    /// Its category, if it has one.
    pub category_id: Option<String>,
}

/// The application's transactions and category rules.
#[async_trait]
pub trait Transactions: Send + Sync {
    /// Those with these ids that exist, in no order.
    async fn by_ids(&self, user_id: &str, ids: &[String]) -> Result<Vec<Transaction>, StoreError>;
    /// The user's transactions without a category, `limit` at most, ids after `after`, in order of id.
    async fn uncategorized(&self, user_id: &str, after: &str, limit: u32) -> Result<Vec<Transaction>, StoreError>;
    /// The user's active rules, first to apply first.
    async fn rules(&self, user_id: &str) -> Result<Vec<CategoryRule>, StoreError>;
    /// Adds or replaces transactions.
    async fn put(&self, transactions: Vec<Transaction>) -> Result<(), StoreError>;
    /// Adds or replaces a rule.
    async fn put_rule(&self, rule: CategoryRule) -> Result<(), StoreError>;
}
