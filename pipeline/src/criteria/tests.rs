//! Tables of evidence, and what is judged of it.

use super::*;
use crate::flag::Stage;
use crate::ledger::LedgerSummary;
use crate::parity::ParityRow;
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
    // A consumer that nobody has asked much of doesn't fail the criterion, and doesn't let it pass either.
    let two = |processed, failed| {
        let mut evidence = consumer(5000, 0, 1.0);
        let other = ConsumerEvidence {
            name: "b".into(),
            processed,
            failed,
            p99: Some(1.0),
        };
        evidence.consumers.as_mut().expect("consumers").push(other);
        evidence
    };
    assert_eq!(status(&two(20, 0), "error_rate"), Status::Passing);
    assert_eq!(status(&two(4, 1), "error_rate"), Status::Unknown);
    assert_eq!(status(&two(40, 1), "error_rate"), Status::Failing);
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
        Some(Stage::Shadow),
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
