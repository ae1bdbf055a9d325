//! Operations: work over many dead letters that runs in the background, item by item, on the record.

use serde::{Deserialize, Serialize};

use crate::event::InvalidField;
use crate::letter::filter::LetterFilter;
use crate::time::Timestamp;

/// What is done to each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OperationKind {
    /// Send the event back to the one consumer that gave up, and verify that it completed.
    Redrive,
    /// Set the letter aside.
    Discard,
    /// Open a discarded letter again.
    Restore,
}

impl OperationKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redrive, Self::Discard, Self::Restore];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redrive => "redrive",
            Self::Discard => "discard",
            Self::Restore => "restore",
        }
    }
}

/// Which letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Selection {
    /// These.
    Ids(Vec<String>),
    /// All that match when the operation starts; later arrivals are not part of it.
    Filter(LetterFilter),
}

/// A wish for an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewOperation {
    /// What to do.
    pub kind: OperationKind,
    /// To which letters.
    pub select: Selection,
    /// Why; shown for ever.
    pub reason: String,
    /// At most this many items a second; 50 when not said.
    #[serde(default)]
    pub rate: Option<u32>,
    /// Only count what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// The most letters one operation takes.
pub const MAX_ITEMS: usize = 100_000;
/// The most items listed with an operation.
pub const LISTED: usize = 1_000;
/// Items a second when the caller doesn't say.
const DEFAULT_RATE: u32 = 50;
/// The fastest an operation may go, items a second.
const MAX_RATE: u32 = 1_000;

impl NewOperation {
    /// Whether it can be done at all.
    ///
    /// # Errors
    /// No reason, or one that is too long; a rate that is none; no letters, or too many.
    pub fn check(&self) -> Result<(), InvalidField> {
        if self.reason.trim().is_empty() {
            return Err(InvalidField::new("reason", "is empty; say why, for those who read the record"));
        }
        if self.reason.len() > 500 {
            return Err(InvalidField::new("reason", "is longer than 500 bytes"));
        }
        if self.rate.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
            return Err(InvalidField::new("rate", format!("must be between 1 and {MAX_RATE} a second")));
        }
        match &self.select {
            Selection::Ids(ids) if ids.is_empty() => Err(InvalidField::new("select.ids", "is empty")),
            Selection::Ids(ids) if ids.len() > MAX_ITEMS => {
                Err(InvalidField::new("select.ids", format!("holds more than {MAX_ITEMS} letters")))
            }
            _ => Ok(()),
        }
    }

    /// The operation that it becomes, with nothing done yet.
    #[must_use]
    pub fn begun(&self, id: String, actor: &str, total: u64, now: Timestamp) -> Operation {
        Operation {
            id,
            kind: self.kind,
            status: if self.dry_run {
                OperationStatus::DryRun
            } else {
                OperationStatus::Running
            },
            actor: actor.to_owned(),
            reason: self.reason.trim().to_owned(),
            rate: self.rate.unwrap_or(DEFAULT_RATE),
            created_at: now,
            finished_at: self.dry_run.then_some(now),
            total,
            succeeded: 0,
            failed: 0,
            skipped: 0,
        }
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OperationStatus {
    /// Only counted, as asked.
    DryRun,
    /// At work.
    Running,
    /// Every item has its outcome.
    Done,
    /// Stopped by a person; items not begun were left alone.
    Cancelled,
}

impl OperationStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DryRun, Self::Running, Self::Done, Self::Cancelled];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An operation and its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// What is done.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// Who asked.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Items a second, at most.
    pub rate: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Items in all.
    pub total: u64,
    /// Items done: for a redrive, completed by the consumer.
    pub succeeded: u64,
    /// Items that failed again.
    pub failed: u64,
    /// Items passed over, because they were no longer in a state to act on.
    pub skipped: u64,
}

impl Operation {
    /// Items whose outcome is known.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.succeeded + self.failed + self.skipped
    }
}

/// What became of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ItemStatus {
    /// Not begun.
    Waiting,
    /// Sent; its outcome is awaited.
    Sent,
    /// Done.
    Succeeded,
    /// Failed again.
    Failed,
    /// Passed over.
    Skipped,
}

impl ItemStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Sent, Self::Succeeded, Self::Failed, Self::Skipped];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One item of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationItem {
    /// The letter.
    pub letter_id: String,
    /// The consumer that gave up; `None` if there is no such letter.
    pub consumer: Option<String>,
    /// The event's type; `None` if there is no such letter, or it can't be read.
    pub event_type: Option<String>,
    /// What became of it.
    pub status: ItemStatus,
    /// Why it failed or was passed over.
    pub note: Option<String>,
}

/// An operation with its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationDetail {
    /// The operation.
    pub operation: Operation,
    /// Its items, the first thousand.
    pub items: Vec<OperationItem>,
}

/// An operation, as one of its letters sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterOperation {
    /// The operation's id.
    pub operation: String,
    /// What is done.
    pub kind: OperationKind,
    /// Who asked.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// What became of this letter.
    pub status: ItemStatus,
    /// Why it failed or was passed over.
    pub note: Option<String>,
}
