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

#[cfg(feature = "runtime")]
impl NewActivity {
    /// The hash of this entry as number `id` at `at`, in hex: SHA-256 over the hash before it and every field, each with its
    /// length, so that no two records read alike.
    pub(crate) fn hash(&self, previous: &str, id: u64, at: Timestamp) -> String {
        use sha2::{Digest, Sha256};

        let mut hash = Sha256::new();
        let refused = match &self.outcome {
            Outcome::Done => "",
            Outcome::Refused(why) => why,
        };
        let (id, at) = (id.to_string(), at.0.to_string());
        for field in [
            previous,
            &id,
            &at,
            &self.actor,
            &self.action,
            &self.target,
            &self.summary,
            self.reason.as_deref().unwrap_or(""),
            refused,
        ] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            use std::fmt::Write;
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The entry as it is kept.
    pub(crate) fn kept(self, id: u64, at: Timestamp, hash: String) -> Activity {
        Activity {
            id,
            at,
            actor: self.actor,
            action: self.action,
            target: self.target,
            summary: self.summary,
            reason: self.reason,
            outcome: self.outcome,
            hash,
        }
    }
}
