//! Parity: whether the two paths asked the same of analytics, operation by operation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Span, Timestamp};
use crate::trigger::Trigger;

/// How long the event path may lag behind the direct one before its trigger counts as missing, milliseconds:
/// criterion 5's limit.
pub const LATE_AFTER_MILLIS: i64 = 30_000;

/// How one operation compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Verdict {
    /// Same priority, same types, in time.
    Matched,
    /// Both ran; priority or types differ.
    Different,
    /// Only the direct path ran, and the event path has had its time.
    Missing,
    /// The same, but the event path took longer than it may.
    Late,
    /// Only the event path ran.
    Extra,
    /// Only the direct path ran, and the event path still has time.
    Pending,
}

/// What the two paths did for one operation, and when: Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What the direct path asked for.
    pub direct: Option<(Trigger, i64)>,
    /// What the event path asked for.
    pub event: Option<(Trigger, i64)>,
}

/// Compares the two paths of one operation as of `now`, Unix milliseconds.
#[must_use]
pub fn compare(pair: Pair, now: i64) -> Verdict {
    match (pair.direct, pair.event) {
        (Some((direct, _)), Some((event, _))) if direct != event => Verdict::Different,
        (Some((_, direct_at)), Some((_, event_at))) if event_at - direct_at > LATE_AFTER_MILLIS => Verdict::Late,
        (Some(_), Some(_)) => Verdict::Matched,
        (Some((_, at)), None) if now - at <= LATE_AFTER_MILLIS => Verdict::Pending,
        (Some(_), None) => Verdict::Missing,
        (None, _) => Verdict::Extra,
    }
}

/// Counts of one kind of operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // the counts are the verdicts'
pub struct ParityRow {
    /// The operation's event type.
    pub event_type: String,
    /// What the direct path asked for, most recently.
    pub direct: Option<Trigger>,
    /// What the event path asked for, most recently.
    pub event: Option<Trigger>,
    pub matched: u64,
    pub different: u64,
    pub missing: u64,
    pub late: u64,
    pub extra: u64,
    pub pending: u64,
}

impl ParityRow {
    /// Operations that ran both paths, or should have: what the share of matched ones is taken of.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        self.matched + self.different + self.missing + self.late
    }

    /// Adds `count` operations with `verdict`.
    pub const fn add(&mut self, verdict: Verdict, count: u64) {
        match verdict {
            Verdict::Matched => self.matched += count,
            Verdict::Different => self.different += count,
            Verdict::Missing => self.missing += count,
            Verdict::Late => self.late += count,
            Verdict::Extra => self.extra += count,
            Verdict::Pending => self.pending += count,
        }
    }
}

/// One operation on which the paths differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The operation's id: its event's.
    pub operation_id: String,
    /// Its event type.
    pub event_type: String,
    /// Its user.
    pub user_id: String,
    /// When it ran.
    pub at: Timestamp,
    /// How it compares.
    pub verdict: Verdict,
    /// What the direct path asked for.
    pub direct: Option<Trigger>,
    /// What the event path asked for.
    pub event: Option<Trigger>,
}

/// Parity over a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParityReport {
    /// The operations' span.
    pub span: Span,
    /// One row a kind of operation.
    pub rows: Vec<ParityRow>,
    /// All rows added up; its `event_type` is empty.
    pub total: ParityRow,
    /// The newest differences, at most 50.
    pub differences: Vec<Difference>,
}

/// The most differences that a report lists.
const LISTED: usize = 50;

/// An operation, and what its paths did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its id: its event's.
    pub operation_id: String,
    /// Its event type.
    pub event_type: String,
    /// Its user.
    pub user_id: String,
    /// When it ran.
    pub at: Timestamp,
    /// What the paths did.
    pub pair: Pair,
}

impl ParityReport {
    /// Compares the paths of operations as of `now`.
    #[must_use]
    pub fn of(span: Span, mut operations: Vec<Ran>, now: Timestamp) -> Self {
        operations.sort_by_key(|ran| std::cmp::Reverse(ran.at));
        let mut rows = BTreeMap::<String, ParityRow>::new();
        let (mut total, mut differences) = (ParityRow::default(), Vec::new());
        for ran in operations {
            let verdict = compare(ran.pair, now.0);
            let (direct, event) = (ran.pair.direct.map(|(t, _)| t), ran.pair.event.map(|(t, _)| t));
            let row = rows.entry(ran.event_type.clone()).or_insert_with(|| ParityRow {
                event_type: ran.event_type.clone(),
                ..Default::default()
            });
            // Newest first: the first of each kind is the most recent.
            row.direct = row.direct.or(direct);
            row.event = row.event.or(event);
            row.add(verdict, 1);
            total.add(verdict, 1);
            if differences.len() < LISTED && matches!(verdict, Verdict::Different | Verdict::Missing | Verdict::Late) {
                differences.push(Difference {
                    operation_id: ran.operation_id,
                    event_type: ran.event_type,
                    user_id: ran.user_id,
                    at: ran.at,
                    verdict,
                    direct,
                    event,
                });
            }
        }
        Self {
            span,
            rows: rows.into_values().collect(),
            total,
            differences,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::AnalyticTypes;

    #[test]
    fn every_pairing_has_one_verdict() {
        let t = |priority| Trigger {
            priority,
            types: AnalyticTypes::ALL,
        };
        let limit = LATE_AFTER_MILLIS;
        for (direct, event, now, verdict) in [
            (Some((t(2), 0)), Some((t(2), limit)), 0, Verdict::Matched),
            (Some((t(2), 0)), Some((t(2), limit + 1)), 0, Verdict::Late),
            (Some((t(2), 0)), Some((t(3), 1)), 0, Verdict::Different),
            (Some((t(2), 0)), None, limit, Verdict::Pending),
            (Some((t(2), 0)), None, limit + 1, Verdict::Missing),
            (None, Some((t(2), 0)), 0, Verdict::Extra),
            (Some((t(2), 9)), Some((t(2), 0)), 0, Verdict::Matched),
        ] {
            assert_eq!(compare(Pair { direct, event }, now), verdict);
        }
    }
}
