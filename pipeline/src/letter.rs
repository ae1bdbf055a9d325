//! Dead letters: events that a consumer gave up on.

pub mod arrival;
pub mod filter;

pub use filter::LetterFilter;

use serde::{Deserialize, Serialize};

use crate::event::Json;
use crate::ledger::Attempt;
use crate::operation::LetterOperation;
use crate::time::Timestamp;

/// What has become of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LetterStatus {
    /// Nobody has dealt with it.
    Open,
    /// Sent back to its consumer; not yet verified.
    Redriving,
    /// Sent back, and the consumer completed it.
    Redriven,
    /// Set aside by a person.
    Discarded,
}

impl LetterStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Redriving, Self::Redriven, Self::Discarded];

    /// Its name in URLs and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Redriving => "redriving",
            Self::Redriven => "redriven",
            Self::Discarded => "discarded",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// The consumer that gave up, or `publisher` for what could not be published.
    pub consumer: String,
    /// The event's id, if it could be read.
    pub event_id: Option<String>,
    /// The event's type, if it could be read.
    pub event_type: Option<String>,
    /// The event's user, if it could be read.
    pub user_id: Option<String>,
    /// Kind of error, for example `InvalidPayload`.
    pub error_code: String,
    /// What the last attempt said.
    pub error_message: String,
    /// Whether the error was permanent: retrying the same event can't help until something changes.
    pub permanent: bool,
    /// How many attempts were made in all.
    pub attempts: u32,
    /// How often it was redriven and failed again.
    pub failed_redrives: u32,
    /// When the event was published.
    pub published_at: Timestamp,
    /// When it first became a dead letter.
    pub first_failed_at: Timestamp,
    /// When it last failed.
    pub failed_at: Timestamp,
    /// What has become of it.
    pub status: LetterStatus,
    /// When its status last changed.
    pub status_at: Timestamp,
}

impl Letter {
    /// An open one, of something that failed for the first time at `at`, after one attempt, and of which nothing more is known.
    #[must_use]
    pub fn open(id: String, consumer: &str, at: Timestamp) -> Self {
        Self {
            id,
            consumer: consumer.to_owned(),
            event_id: None,
            event_type: None,
            user_id: None,
            error_code: String::new(),
            error_message: String::new(),
            permanent: false,
            attempts: 1,
            failed_redrives: 0,
            published_at: at,
            first_failed_at: at,
            failed_at: at,
            status: LetterStatus::Open,
            status_at: at,
        }
    }
}

/// A dead letter with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterDetail {
    /// The letter.
    pub letter: Letter,
    /// The body as it arrived: the event's JSON, or whatever could not be read as one.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub body: String,
    /// Every attempt, oldest first.
    pub history: Vec<Attempt>,
    /// The consumers that had already completed the event; a redrive doesn't run them again.
    pub done_by: Vec<String>,
    /// What people did, or are doing, with it, newest first; the last fifty operations.
    pub operations: Vec<LetterOperation>,
}

impl LetterDetail {
    /// The body, indented, if it is JSON; as it is otherwise.
    #[must_use]
    pub fn pretty_body(&self) -> String {
        Json::from_text(self.body.clone()).map_or_else(|_| self.body.clone(), |json| json.pretty())
    }
}

/// How many letters are open, and how old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Depth {
    /// Open letters.
    pub open: u64,
    /// Letters being redriven.
    pub redriving: u64,
    /// When the oldest open one failed.
    pub oldest: Option<Timestamp>,
    /// Open letters by consumer, by name.
    pub by_consumer: Vec<(String, u64)>,
}

/// The queues that dead letters arrive in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterQueues {
    /// Whether what arrives in them is taken over and listed among the letters; if not, it stays where it is.
    pub taken_over: bool,
    /// Those that are there.
    pub items: Vec<LetterQueue>,
}

impl LetterQueues {
    /// How many messages are in all of them.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.items.iter().map(|queue| queue.waiting).sum()
    }

    /// How many dead letters stay in them, and are none of those that are listed.
    #[must_use]
    pub fn staying(&self) -> u64 {
        if self.taken_over { 0 } else { self.waiting() }
    }
}

/// A queue that dead letters arrive in. Nothing is received to know this of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterQueue {
    /// Its name.
    pub name: String,
    /// Whose letters it holds, if it is one consumer's alone.
    pub consumer: Option<String>,
    /// Messages in it, received or not.
    pub waiting: u64,
    /// About when the oldest of them was sent, as far as it was measured since.
    pub oldest: Option<Timestamp>,
}

/// Letters with the same consumer and error code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterGroup {
    /// The consumer.
    pub consumer: String,
    /// The error code.
    pub error_code: String,
    /// One message of the group, the newest.
    pub example: String,
    /// How many are open.
    pub open: u64,
    /// When the first of them failed.
    pub first: Timestamp,
    /// When the last of them failed.
    pub last: Timestamp,
}
