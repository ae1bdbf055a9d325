//! The six success criteria, judged on evidence. Pure: whoever calls brings the evidence and the clock.

use serde::{Deserialize, Serialize};

use crate::flag::Stage;
use crate::ledger::LedgerSummary;
use crate::parity::ParityRow;

/// Criterion 3: events a minute that a peak must reach.
pub const MIN_PEAK_PER_MINUTE: f64 = 100.0;
/// Criterion 4: the error rate, as a share, that a consumer must stay under.
pub const MAX_ERROR_RATE: f64 = 0.01;
/// Criterion 5: the latency, seconds, that the 99th percentile must stay under.
pub const MAX_LATENCY_SECONDS: f64 = 30.0;
/// With fewer samples than this a criterion is unknown, whatever they say.
pub const MIN_SAMPLES: u64 = 30;

/// Where a criterion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// The evidence is enough and within the target.
    Passing,
    /// The evidence is enough and outside the target.
    Failing,
    /// Too few samples, or a source that doesn't answer. Never shown as passing.
    Unknown,
}

impl Status {
    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::Failing => "failing",
            Self::Unknown => "unknown",
        }
    }
}

/// One criterion, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Criterion {
    /// `data_loss`, `parity`, `throughput`, `error_rate`, `latency` or `audit`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// The measured value; `None` when there is none.
    pub value: Option<f64>,
    /// The value's unit: `events`, `percent`, `per_minute`, `seconds`.
    pub unit: String,
    /// What it must be, in words.
    pub target: String,
    /// How many samples the value rests on.
    pub samples: u64,
    /// Over how long, milliseconds; 0 for all time.
    pub window: i64,
    /// The path of the page with its evidence.
    pub evidence: String,
    /// Why it stands where it stands, in a few words.
    pub why: String,
}

/// What one consumer did in the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConsumerEvidence {
    /// Its name.
    pub name: String,
    /// Attempts that completed.
    pub processed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Published to processed, 99th percentile, seconds.
    pub p99: Option<f64>,
}

/// What the criteria are judged on. `None`: the source did not answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The ledger's totals.
    pub ledger: Option<LedgerSummary>,
    /// Parity over operations that ran both paths.
    pub parity: Option<ParityRow>,
    /// The most events published in one whole minute of the window, and how many events the window holds.
    pub peak: Option<(f64, u64)>,
    /// Each consumer's counts.
    pub consumers: Option<Vec<ConsumerEvidence>>,
    /// Events that are neither in the event store nor on their way there, and how many there are in all.
    pub audit: Option<AuditEvidence>,
    /// The window of the evidence, milliseconds.
    pub window: i64,
}

/// How complete the audit trail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvidence {
    /// Events published.
    pub published: u64,
    /// Events in the event store.
    pub stored: u64,
    /// Events whose audit delivery is still open.
    pub on_the_way: u64,
    /// Stored events whose `causationId` names an event that was never seen.
    pub orphaned: u64,
}

impl AuditEvidence {
    /// Events that should be in the store and aren't.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.published.saturating_sub(self.stored + self.on_the_way)
    }
}

/// Judges all six, in the design's order.
#[must_use]
pub fn judge(evidence: &Evidence) -> Vec<Criterion> {
    vec![
        data_loss(evidence),
        parity(evidence),
        throughput(evidence),
        error_rate(evidence),
        latency(evidence),
        audit(evidence),
    ]
}

struct Judged {
    status: Status,
    value: Option<f64>,
    samples: u64,
    why: String,
}

impl Judged {
    fn unanswered(what: &str) -> Self {
        Self {
            status: Status::Unknown,
            value: None,
            samples: 0,
            why: format!("{what} does not answer"),
        }
    }

    fn of(value: f64, samples: u64, needed: u64, good: bool, why: String) -> Self {
        let (status, why) = if samples < needed {
            (Status::Unknown, format!("{samples} of {needed} samples needed"))
        } else if good {
            (Status::Passing, why)
        } else {
            (Status::Failing, why)
        };
        Self {
            status,
            value: Some(value),
            samples,
            why,
        }
    }
}

fn criterion(id: &str, name: &str, unit: &str, target: &str, window: i64, evidence: &str, judged: Judged) -> Criterion {
    Criterion {
        id: id.to_owned(),
        name: name.to_owned(),
        status: judged.status,
        value: judged.value,
        unit: unit.to_owned(),
        target: target.to_owned(),
        samples: judged.samples,
        window,
        evidence: evidence.to_owned(),
        why: judged.why,
    }
}

#[allow(clippy::cast_precision_loss)] // counts far below 2^53
fn data_loss(evidence: &Evidence) -> Criterion {
    let judged = evidence.ledger.map_or_else(
        || Judged::unanswered("the ledger"),
        |l| {
            let lost = l.unaccounted.max(l.published.abs_diff(l.completed + l.dead_lettered + l.in_flight));
            let why = if lost == 0 {
                format!("{} published, all accounted for", group(l.published))
            } else {
                format!("{} of {} unaccounted for", group(lost), group(l.published))
            };
            Judged::of(lost as f64, l.published, 1, lost == 0, why)
        },
    );
    criterion(
        "data_loss",
        "Zero data loss",
        "events",
        "0 unaccounted",
        0,
        "/events?ledger=open",
        judged,
    )
}

#[allow(clippy::cast_precision_loss)]
fn parity(evidence: &Evidence) -> Criterion {
    let judged = evidence.parity.as_ref().map_or_else(
        || Judged::unanswered("the trigger ledger"),
        |p| {
            let compared = p.compared();
            let share = if compared == 0 {
                0.0
            } else {
                p.matched as f64 / compared as f64 * 100.0
            };
            let mut judged = Judged::of(
                share,
                compared,
                MIN_SAMPLES,
                p.matched == compared,
                format!("{} of {} operations identical", group(p.matched), group(compared)),
            );
            if compared == 0 {
                judged.value = None;
            }
            judged
        },
    );
    criterion(
        "parity",
        "Analytics as before",
        "percent",
        "100 % identical",
        evidence.window,
        "/cutover?range=24h",
        judged,
    )
}

fn throughput(evidence: &Evidence) -> Criterion {
    let judged = evidence.peak.map_or_else(
        || Judged::unanswered("the metrics store"),
        |(peak, events)| {
            let good = peak >= MIN_PEAK_PER_MINUTE;
            let why = if good {
                "busiest minute; 100 needed".to_owned()
            } else {
                "no minute has reached 100 yet".to_owned()
            };
            let mut judged = Judged::of(peak, events, MIN_SAMPLES, good, why);
            // A quiet window proves nothing: nobody asked for more.
            if judged.status == Status::Failing {
                judged.status = Status::Unknown;
            }
            judged
        },
    );
    criterion(
        "throughput",
        "Throughput",
        "per_minute",
        "100+ a minute at peak",
        evidence.window,
        "/?range=24h#throughput-title",
        judged,
    )
}

#[allow(clippy::cast_precision_loss)]
fn error_rate(evidence: &Evidence) -> Criterion {
    let judged = evidence.consumers.as_ref().map_or_else(
        || Judged::unanswered("the metrics store"),
        |consumers| {
            let attempts: u64 = consumers.iter().map(|c| c.processed + c.failed).sum();
            let rate = |c: &ConsumerEvidence| {
                if c.processed + c.failed == 0 {
                    0.0
                } else {
                    c.failed as f64 / (c.processed + c.failed) as f64
                }
            };
            let worst = consumers.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
            let value = worst.map_or(0.0, &rate);
            let why = match worst {
                Some(c) if value > 0.0 => format!("worst: {}", c.name),
                _ => "no failed attempt".to_owned(),
            };
            Judged::of(value * 100.0, attempts, MIN_SAMPLES, value < MAX_ERROR_RATE, why)
        },
    );
    criterion(
        "error_rate",
        "Error rate",
        "percent",
        "under 1 %",
        evidence.window,
        "/consumers?range=24h",
        judged,
    )
}

fn latency(evidence: &Evidence) -> Criterion {
    let judged = evidence.consumers.as_ref().map_or_else(
        || Judged::unanswered("the metrics store"),
        |consumers| {
            let processed: u64 = consumers.iter().map(|c| c.processed).sum();
            let slowest = consumers
                .iter()
                .filter_map(|c| c.p99.map(|p| (p, &c.name)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            match slowest {
                Some((p99, name)) => Judged::of(p99, processed, MIN_SAMPLES, p99 < MAX_LATENCY_SECONDS, format!("slowest: {name}")),
                None => Judged {
                    status: Status::Unknown,
                    value: None,
                    samples: processed,
                    why: "nothing processed in the window".to_owned(),
                },
            }
        },
    );
    criterion(
        "latency",
        "Latency p99",
        "seconds",
        "under 30 s",
        evidence.window,
        "/consumers?range=24h",
        judged,
    )
}

#[allow(clippy::cast_precision_loss)]
fn audit(evidence: &Evidence) -> Criterion {
    let judged = evidence.audit.map_or_else(
        || Judged::unanswered("the event store"),
        |a| {
            let gaps = a.missing() + a.orphaned;
            let why = match (a.missing(), a.orphaned) {
                (0, 0) => format!("{} events stored", group(a.stored)),
                (0, orphaned) => format!("{} with a cause never seen", group(orphaned)),
                (missing, _) => format!("{} of {} not in the store", group(missing), group(a.published)),
            };
            Judged::of(gaps as f64, a.published, 1, gaps == 0, why)
        },
    );
    criterion("audit", "Audit trail", "events", "no gaps", 0, "/events", judged)
}

/// The verdict in a sentence or two: what stage, and what stands in the way.
#[must_use]
pub fn verdict(stage: Stage, criteria: &[Criterion]) -> (String, String) {
    let of = |status| criteria.iter().filter(|c| c.status == status).collect::<Vec<_>>();
    let (failing, unknown) = (of(Status::Failing), of(Status::Unknown));
    let names = |list: &[&Criterion]| {
        let names: Vec<_> = list.iter().map(|c| c.name.to_lowercase()).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [most @ .., last] => format!("{} and {last}", most.join(", ")),
        }
    };
    let head = match stage {
        Stage::EventsOnly if failing.is_empty() && unknown.is_empty() => "Cut over, and all is well.",
        Stage::EventsOnly if failing.is_empty() => "Cut over; not everything can be judged.",
        Stage::EventsOnly => "Cut over, but not all is well.",
        Stage::DirectOnly => "Events are off.",
        Stage::Shadow if failing.is_empty() && unknown.is_empty() => "Ready to cut over.",
        Stage::Shadow => "Not ready to cut over.",
    };
    let rest = match (failing.as_slice(), unknown.as_slice()) {
        _ if stage == Stage::DirectOnly => "Only the direct path runs, so there is nothing new to judge.".to_owned(),
        ([], []) => "All six criteria pass.".to_owned(),
        ([], unknown) => format!("Not yet known: {}.", names(unknown)),
        (failing, []) => format!("Failing: {}.", names(failing)),
        (failing, unknown) => format!("Failing: {}. Not yet known: {}.", names(failing), names(unknown)),
    };
    (head.to_owned(), rest)
}

/// Digits in groups of three.
#[must_use]
pub fn group(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(evidence: &Evidence, id: &str) -> Status {
        judge(evidence).into_iter().find(|c| c.id == id).expect("criterion").status
    }

    #[test]
    fn nothing_known_is_unknown_throughout() {
        for criterion in judge(&Evidence::default()) {
            assert_eq!(criterion.status, Status::Unknown, "{}", criterion.id);
            assert_eq!(criterion.value, None, "{}", criterion.id);
        }
    }

    #[test]
    fn each_turns_at_its_limit() {
        let consumer = |processed, failed, p99| Evidence {
            consumers: Some(vec![ConsumerEvidence {
                name: "a".into(),
                processed,
                failed,
                p99: Some(p99),
            }]),
            ..Default::default()
        };
        assert_eq!(status(&consumer(991, 9, 1.0), "error_rate"), Status::Passing);
        assert_eq!(status(&consumer(990, 10, 1.0), "error_rate"), Status::Failing);
        assert_eq!(status(&consumer(29, 0, 1.0), "error_rate"), Status::Unknown);
        assert_eq!(status(&consumer(100, 0, 29.9), "latency"), Status::Passing);
        assert_eq!(status(&consumer(100, 0, 30.0), "latency"), Status::Failing);
        let peak = |peak| Evidence {
            peak: Some((peak, 1000)),
            ..Default::default()
        };
        assert_eq!(status(&peak(100.0), "throughput"), Status::Passing);
        assert_eq!(status(&peak(99.0), "throughput"), Status::Unknown, "a quiet window proves nothing");
        let ledger = |completed| Evidence {
            ledger: Some(LedgerSummary {
                published: 10,
                completed,
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(status(&ledger(10), "data_loss"), Status::Passing);
        assert_eq!(status(&ledger(9), "data_loss"), Status::Failing);
        let parity = |matched, different| Evidence {
            parity: Some(ParityRow {
                matched,
                different,
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(status(&parity(30, 0), "parity"), Status::Passing);
        assert_eq!(status(&parity(5000, 1), "parity"), Status::Failing);
        let audit = |stored, on_the_way, orphaned| Evidence {
            audit: Some(AuditEvidence {
                published: 10,
                stored,
                on_the_way,
                orphaned,
            }),
            ..Default::default()
        };
        assert_eq!(status(&audit(9, 1, 0), "audit"), Status::Passing);
        assert_eq!(status(&audit(9, 0, 0), "audit"), Status::Failing);
        assert_eq!(status(&audit(10, 0, 1), "audit"), Status::Failing);
    }

    #[test]
    fn the_verdict_names_what_blocks() {
        let (head, rest) = verdict(
            Stage::Shadow,
            &judge(&Evidence {
                parity: Some(ParityRow {
                    different: 40,
                    ..Default::default()
                }),
                ..Default::default()
            }),
        );
        assert_eq!(head, "Not ready to cut over.");
        assert!(
            rest.starts_with("Failing: analytics as before. Not yet known: zero data loss, "),
            "{rest}"
        );
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 12, 999, 1000, 1_234_567].map(group), ["0", "12", "999", "1,000", "1,234,567"]);
    }

    proptest! {
        #[test]
        fn too_few_samples_never_pass(matched in 0..MIN_SAMPLES, processed in 0..MIN_SAMPLES, peak in 0.0f64..1e6) {
            let evidence = Evidence {
                parity: Some(ParityRow { matched, ..Default::default() }),
                consumers: Some(vec![ConsumerEvidence { processed, p99: Some(0.1), ..Default::default() }]),
                peak: Some((peak, processed)),
                ..Default::default()
            };
            for id in ["parity", "error_rate", "latency", "throughput"] {
                prop_assert_eq!(status(&evidence, id), Status::Unknown);
            }
        }
    }
}
