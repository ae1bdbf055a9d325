//! What is wrong with a deployment: how bad it is, how it shows, and what to do about it.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Severity {
    /// Events are lost, not audited or not seen, or will be.
    Error,
    /// All is well until something else goes wrong.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    /// The word shown to people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// A stable name for this kind of finding, such as `target.no_dead_letter_queue`.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// The part that it is about: a rule, a queue, a table, a call.
    pub subject: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// How it shows.
    pub evidence: String,
    /// How to mend it.
    pub remedy: String,
}

impl Finding {
    /// A finding of `kind` about `subject`: what is wrong, how it shows, how to mend it.
    pub fn new(
        severity: Severity,
        kind: &str,
        subject: impl Into<String>,
        what: impl Into<String>,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            severity,
            subject: subject.into(),
            what: what.into(),
            evidence: evidence.into(),
            remedy: remedy.into(),
        }
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// What: `Rules and their targets`.
    pub name: String,
    /// What is right about it if nothing is found.
    pub about: String,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Check {
    /// A check, with its findings in order and none of them twice.
    pub fn new(name: &str, about: &str, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| (a.severity, &a.kind, &a.subject).cmp(&(b.severity, &b.kind, &b.subject)));
        findings.dedup_by(|a, b| a.kind == b.kind && a.subject == b.subject);
        Self {
            name: name.to_owned(),
            about: about.to_owned(),
            findings,
        }
    }
}

/// All that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Examination {
    /// When.
    pub at: Timestamp,
    /// Each thing that was looked at.
    pub checks: Vec<Check>,
}

impl Examination {
    /// What was found, the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self.checks.iter().flat_map(|check| &check.findings).collect();
        all.sort_by_key(|finding| finding.severity);
        all
    }

    /// How many there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().iter().filter(|finding| finding.severity == severity).count()
    }

    /// In a few words: `2 errors, 1 note`, or that there is nothing.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = Severity::ALL.map(|severity| (severity.word(), self.count(severity)));
        let said: Vec<String> = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
            .collect();
        if said.is_empty() {
            "nothing found".to_owned()
        } else {
            said.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, subject: &str) -> Finding {
        Finding::new(severity, "kind", subject, "", "", "")
    }

    #[test]
    fn the_worst_comes_first_and_nothing_twice() {
        let all = vec![
            finding(Severity::Note, "a"),
            finding(Severity::Error, "b"),
            finding(Severity::Note, "a"),
            finding(Severity::Error, "c"),
        ];
        let examination = Examination {
            at: Timestamp(0),
            checks: vec![Check::new("", "", all), Check::new("", "", vec![finding(Severity::Warning, "d")])],
        };
        let subjects: Vec<&str> = examination.findings().iter().map(|f| f.subject.as_str()).collect();
        assert_eq!(subjects, ["b", "c", "d", "a"]);
        assert_eq!(examination.summary(), "2 errors, 1 warning, 1 note");
    }
}
