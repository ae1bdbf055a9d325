//! What was measured of the consumers: that they complete what they are run for, and that AWS lost nothing on the way to them.

use crate::aws::Names;
use crate::aws::metrics::{CloudWatch, DELIVERED_WITHIN, Runs};
use crate::finding::Finding;
use crate::finding::Severity::{Error, Note, Warning};
use crate::metric::Vital;
use crate::ports::{EventFilter, EventStore};
use crate::time::{DAY, HOUR, Span, Timestamp};

/// Runs fewer than this prove nothing.
const FEW: f64 = 5.0;
/// The consumer that stores every event.
const AUDIT: &str = "audit";

/// Measures that say that events were lost, by title, with what to do.
const LOSSES: [(&str, &str, &str); 4] = [
    (
        "Given up",
        "EventBridge could not deliver events of this consumer's rule, for good.",
        "They are in the target's dead-letter queue, if it has one that EventBridge may write to.",
    ),
    (
        "Lost",
        "EventBridge could neither deliver events nor write them to the dead-letter queue.",
        "Allow events.amazonaws.com to send to the dead-letter queue. The events can be published again from their source.",
    ),
    (
        "Dropped at Lambda",
        "Lambda gave events up after its last retry.",
        "They are in the function's dead-letter queue, or its destination for failures, if it has one.",
    ),
    (
        "Dead letters lost",
        "Lambda could not write events to the function's dead-letter queue.",
        "Allow the function's role to send messages to that queue.",
    ),
];

/// How long EventBridge may take to hand events over, seconds; it is a fraction of one as a rule.
const HANDED_OVER_WITHIN: f64 = 5.0;

/// What is wrong, as far as CloudWatch has said so far.
pub(super) async fn look(metrics: &CloudWatch, names: &Names, store: &dyn EventStore, now: Timestamp) -> Vec<Finding> {
    let newest = store.list(&EventFilter::default(), 1, None).await;
    // An event store that doesn't answer is another finding.
    let stored = newest
        .ok()
        .map(|found| found.page.items.first().map(|stored| Timestamp(stored.event.timestamp)));
    let mut found = Vec::new();
    for consumer in &names.consumers {
        let name = &consumer.name;
        if let Some(runs) = metrics.runs(name, Span::ending(now, HOUR)) {
            found.extend(judge(name, &runs));
            if let Some(newest) = stored.filter(|_| name == AUDIT) {
                found.extend(unaudited(&consumer.function, &runs, newest, now));
            }
        }
        if let Ok(vitals) = metrics.vitals_of(name, Span::ending(now, DAY), HOUR) {
            found.extend(
                vitals
                    .items
                    .iter()
                    .filter_map(|vital| loss(name, vital).or_else(|| held_up(name, vital))),
            );
        }
    }
    found
}

/// A consumer whose runs are far ahead of its completions.
fn judge(name: &str, runs: &Runs) -> Option<Finding> {
    let succeeded = runs.invocations - runs.errors;
    if succeeded < FEW {
        return None;
    }
    let Some(counted) = runs.counted else {
        return Some(Finding::new(
            Note,
            "consumer.uncounted",
            name,
            "It can't be seen whether this consumer completes what it is run for: it counts nothing itself.",
            format!("{} runs in the last hour ended without an error.", runs.invocations),
            "Cutover's consumers count. Others can: Processed and Failed in the namespace Cutover, by Deployment and Consumer.",
        ));
    };
    // A run is of one event at least.
    (counted < succeeded / 2.0).then(|| {
        Finding::new(
            Error,
            "consumer.swallows",
            name,
            "This consumer is run far more often than it completes: it swallows its errors.",
            format!("In the last hour {succeeded} runs ended without an error, and {counted} events were completed or failed."),
            "Have the function fail when it can't do its work: an answer with statusCode 500 is a success to Lambda.",
        )
    })
}

/// A busy bus beside an event store that gets nothing.
fn unaudited(function: &str, runs: &Runs, newest: Option<Timestamp>, now: Timestamp) -> Option<Finding> {
    let busy = runs.matched.max(runs.invocations - runs.errors);
    let old = newest.is_none_or(|newest| now.since(newest) > HOUR);
    (busy >= FEW && old).then(|| {
        Finding::new(
            Error,
            "audit.nothing_stored",
            function,
            "The bus is busy, and nothing new is in the event store.",
            format!(
                "In the last hour the audit rule matched {} events and its function ran {} times without an error; {}.",
                runs.matched,
                runs.invocations - runs.errors,
                newest.map_or_else(
                    || "the store is empty".to_owned(),
                    |newest| format!("the newest event is of {newest}")
                )
            ),
            "See the function's log: a write without the sort key timestamp is refused, and that error may be swallowed.",
        )
    })
}

fn loss(consumer: &str, vital: &Vital) -> Option<Finding> {
    let (title, what, remedy) = LOSSES.iter().find(|(title, ..)| *title == vital.title)?;
    let count = vital.overall().filter(|count| *count > 0.0)?;
    Some(Finding::new(
        Error,
        &format!("lost.{}", title.to_lowercase().replace(' ', "_")),
        consumer,
        *what,
        format!("{count} in the last day: {} of the {}.", vital.title, vital.part.to_lowercase()),
        *remedy,
    ))
}

/// What a consumer that is fed by a queue can't measure itself: its latency counts from when an event came into the queue.
fn held_up(consumer: &str, vital: &Vital) -> Option<Finding> {
    let worst = vital
        .overall()
        .filter(|worst| vital.title == DELIVERED_WITHIN && *worst > HANDED_OVER_WITHIN)?;
    Some(Finding::new(
        Warning,
        "rule.held_up",
        consumer,
        "EventBridge took long to hand events over to this consumer: the latency of what comes through a queue is without that.",
        format!(
            "{DELIVERED_WITHIN} of the {}: {worst:.1} s in the worst hour of the last day.",
            vital.part.to_lowercase()
        ),
        "See whether the target refuses or throttles: EventBridge tries again for a day. If it doesn't, see AWS's health.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Unit;

    fn runs(invocations: f64, errors: f64, counted: Option<f64>, matched: f64) -> Runs {
        Runs {
            invocations,
            errors,
            counted,
            matched,
        }
    }

    #[test]
    fn a_consumer_that_succeeds_without_completing_is_found() {
        for (runs, wanted) in [
            (runs(100.0, 0.0, Some(100.0), 0.0), None),
            (runs(100.0, 0.0, Some(900.0), 0.0), None),
            (runs(100.0, 0.0, Some(2.0), 0.0), Some("consumer.swallows")),
            (runs(100.0, 99.0, Some(1.0), 0.0), None),
            (runs(100.0, 0.0, None, 0.0), Some("consumer.uncounted")),
            (runs(3.0, 0.0, Some(0.0), 0.0), None),
        ] {
            assert_eq!(judge("c", &runs).map(|f| f.kind).as_deref(), wanted, "{runs:?}");
        }
    }

    #[test]
    fn events_that_eventbridge_held_up_are_found() {
        let vital = |title: &str, values: [f64; 2]| Vital {
            part: "Rule".to_owned(),
            title: title.to_owned(),
            definition: String::new(),
            unit: Unit::Seconds,
            adds_up: false,
            newest: None,
            values: values.map(Some).to_vec(),
        };
        assert!(held_up("c", &vital(DELIVERED_WITHIN, [0.4, 5.0])).is_none());
        assert!(held_up("c", &vital("Done within, p99", [60.0, 0.4])).is_none());
        let found = held_up("c", &vital(DELIVERED_WITHIN, [42.0, 0.4])).expect("a finding");
        assert!(found.evidence.contains("of the rule: 42.0 s"), "{}", found.evidence);
    }

    #[test]
    fn an_empty_store_beside_a_busy_bus_is_found() {
        let (now, busy) = (Timestamp(100 * HOUR), runs(50.0, 0.0, None, 50.0));
        assert!(unaudited("f", &busy, None, now).is_some());
        assert!(unaudited("f", &busy, Some(Timestamp(now.0 - 2 * HOUR)), now).is_some());
        assert!(unaudited("f", &busy, Some(Timestamp(now.0 - 1_000)), now).is_none());
        assert!(unaudited("f", &runs(0.0, 0.0, None, 0.0), None, now).is_none());
    }
}
