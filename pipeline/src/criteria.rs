//! The six success criteria, judged on evidence. Pure: whoever calls brings the evidence and the clock.

mod evidence;
mod verdict;

use serde::{Deserialize, Serialize};

pub use evidence::{AuditEvidence, ConsumerEvidence, Evidence};
pub use verdict::verdict;

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
            let why = if lost == 0 && l.dead_lettered > 0 {
                format!(
                    "{} published, all accounted for, {} of them as dead letters",
                    group(l.published),
                    group(l.dead_lettered)
                )
            } else if lost == 0 {
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

/// Judges each consumer on its own samples: one that is over the limit fails the criterion, or, if it has too few of them to
/// tell, makes it unknown. `measure` is a consumer's value and how many samples it rests on; `word` says which is named.
fn by_consumer(
    consumers: &[ConsumerEvidence],
    measure: impl Fn(&ConsumerEvidence) -> Option<(f64, u64)>,
    limit: f64,
    word: &str,
) -> Judged {
    let measured: Vec<(f64, u64, &str)> = consumers
        .iter()
        .filter_map(|c| measure(c).map(|(value, samples)| (value, samples, c.name.as_str())))
        .filter(|(_, samples, _)| *samples > 0)
        .collect();
    let samples = measured.iter().map(|(_, samples, _)| samples).sum();
    let worst = |of: &dyn Fn(u64) -> bool| measured.iter().filter(|m| of(m.1)).max_by(|a, b| a.0.total_cmp(&b.0));
    let (judged, unjudged) = (worst(&|n| n >= MIN_SAMPLES), worst(&|n| n < MIN_SAMPLES));
    let (status, found) = match (judged, unjudged) {
        (Some(worst), _) if worst.0 >= limit => (Status::Failing, Some(worst)),
        (_, Some(worst)) if worst.0 >= limit => (Status::Unknown, Some(worst)),
        (Some(worst), _) => (Status::Passing, Some(worst)),
        (None, few) => (Status::Unknown, few),
    };
    let why = match (status, found) {
        (Status::Unknown, Some((_, n, name))) => format!("{name}: {n} of {MIN_SAMPLES} samples needed"),
        (_, Some((_, _, name))) => format!("{word}: {name}"),
        (_, None) => "nothing processed in the window".to_owned(),
    };
    Judged {
        status,
        value: found.map(|(value, _, _)| *value),
        samples,
        why,
    }
}

#[allow(clippy::cast_precision_loss)]
fn error_rate(evidence: &Evidence) -> Criterion {
    let judged = evidence.consumers.as_ref().map_or_else(
        || Judged::unanswered("the metrics store"),
        |consumers| {
            let rate = |c: &ConsumerEvidence| {
                let attempts = c.processed + c.failed;
                Some((c.failed as f64 / attempts.max(1) as f64 * 100.0, attempts))
            };
            let mut judged = by_consumer(consumers, rate, MAX_ERROR_RATE * 100.0, "worst");
            if judged.status == Status::Passing && judged.value == Some(0.0) {
                "no failed attempt".clone_into(&mut judged.why);
            }
            judged
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
        |consumers| by_consumer(consumers, |c| c.p99.map(|p99| (p99, c.processed)), MAX_LATENCY_SECONDS, "slowest"),
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
mod tests;
