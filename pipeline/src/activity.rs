//! What people did: an append-only record, each entry chained to the one before by a hash.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One thing that someone did, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// Position in the record, from 1.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, dotted: `flags.change`, `letters.redrive`, `consumer.pause`, …
    pub action: String,
    /// To what: a scope, a consumer, an operation.
    pub target: String,
    /// In one sentence.
    pub summary: String,
    /// The reason given, if one was.
    pub reason: Option<String>,
    /// Whether it succeeded, or what it was refused for.
    pub outcome: Outcome,
    /// SHA-256 over this entry and the hash before it, hex.
    pub hash: String,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused or failed, and why.
    Refused(String),
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewActivity {
    /// See [`Activity::actor`].
    pub actor: String,
    /// See [`Activity::action`].
    pub action: String,
    /// See [`Activity::target`].
    pub target: String,
    /// See [`Activity::summary`].
    pub summary: String,
    /// See [`Activity::reason`].
    pub reason: Option<String>,
    /// See [`Activity::outcome`].
    pub outcome: Outcome,
}
