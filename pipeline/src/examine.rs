//! Looking for what is wrong: what any backend's ports tell, and what the deployment under them is like.

use crate::consumer::Health;
use crate::finding::Severity::{Error, Note, Warning};
use crate::finding::{Check, Examination, Finding};
use crate::flag::{FlagFunction, Stage};
use crate::ports::{EventFilter, Ports, StoreError};
use crate::time::{HOUR, MINUTE, Span, Timestamp};

/// How far ahead of our clock an event may be.
const AHEAD: i64 = MINUTE;

/// Looks at everything.
pub async fn examine(ports: &Ports, now: Timestamp) -> Examination {
    // What can't be seen at all is neither right nor wrong: one finding, and no check that seems to be passed.
    if let Some(deployment) = &ports.deployment
        && let Some(finding) = deployment.access().await
    {
        let about = "The deployment's services answer, and accept the credentials.";
        return Examination {
            at: now,
            checks: vec![Check::new("Access", about, vec![finding])],
        };
    }
    let deployment = async {
        match &ports.deployment {
            Some(deployment) => deployment.checks(now).await,
            None => Vec::new(),
        }
    };
    let (deployed, events, audit, consumers, flags, clocks) = tokio::join!(
        deployment,
        events(ports),
        audit(ports),
        consumers(ports, now),
        flags(ports),
        clocks(ports, now)
    );
    let own = [
        (
            "Events",
            "Every event that was published is completed, dead-lettered or on its way.",
            events,
        ),
        ("Audit trail", "Every event is in the event store, and so is what caused it.", audit),
        ("Consumers", "Every consumer runs.", consumers),
        ("Flags", "What is said of the flags is what publishers do.", flags),
        ("Clocks of publishers", "No event is from the future.", clocks),
    ];
    let own = own.into_iter().map(|(name, about, found)| {
        let findings = found.unwrap_or_else(|error| vec![unanswered(name, &error)]);
        Check::new(name, about, findings)
    });
    Examination {
        at: now,
        checks: own.chain(deployed).collect(),
    }
}

/// What can't be looked at is no good sign. What the backend doesn't offer is none at all.
fn unanswered(name: &str, error: &StoreError) -> Finding {
    let (severity, what, remedy) = match error {
        StoreError::NotOffered { .. } => (
            Note,
            "This can't be looked at.",
            "cutover aws init says which of Cutover's own tables are missing, and makes them.",
        ),
        _ => (
            Error,
            "This can't be looked at: a part of the system doesn't answer.",
            "See what the answer says. It is tried again by itself.",
        ),
    };
    Finding::new(severity, "unanswered", name, what, error.to_string(), remedy)
}

async fn events(ports: &Ports) -> Result<Vec<Finding>, StoreError> {
    let summary = ports.ledger.summary().await?;
    if summary.unaccounted == 0 {
        return Ok(Vec::new());
    }
    Ok(vec![Finding::new(
        Error,
        "events.unaccounted",
        "ledger",
        "Events are open and nothing is going to attempt them.",
        format!("{} of {} published events.", summary.unaccounted, summary.published),
        "Events, still open, lists them with the consumer that each waits for. Look at that consumer's queue and dead letters.",
    )])
}

async fn audit(ports: &Ports) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    let unreadable = ports.events.unreadable();
    if !unreadable.is_empty() {
        let some: Vec<String> = unreadable.iter().take(10).map(|(id, fault)| format!("{id}: {fault}")).collect();
        found.push(Finding::new(
            Warning,
            "audit.unreadable",
            "event store",
            "Items of the event store are no events: lists pass them over.",
            format!("{} were met: {}.", unreadable.len(), some.join("; ")),
            "See who writes to the table besides the audit consumer.",
        ));
    }
    let evidence = match ports.events.completeness().await {
        Ok(evidence) => evidence,
        Err(error) => {
            found.push(unanswered("Audit trail", &error));
            return Ok(found);
        }
    };
    if evidence.missing() > 0 {
        found.push(Finding::new(
            Error,
            "audit.missing",
            "event store",
            "Published events are not in the event store.",
            format!("{} of {} published events.", evidence.missing(), evidence.published),
            "See the dead letters of the audit consumer and redrive them.",
        ));
    }
    if evidence.orphaned > 0 {
        found.push(Finding::new(
            Warning,
            "audit.orphaned",
            "event store",
            "Events name a cause that was never seen.",
            format!("{} events.", evidence.orphaned),
            "See whether what caused them is published to this bus at all, and whether the audit rule takes its source.",
        ));
    }
    Ok(found)
}

async fn consumers(ports: &Ports, now: Timestamp) -> Result<Vec<Finding>, StoreError> {
    let all = ports.consumers.list(Span::ending(now, HOUR)).await?;
    // A service that has not been asked yet is no fault.
    let awaited = ports
        .metrics
        .source()
        .filter(|source| source.fault.is_none() && source.until.is_none());
    let unread = all.unread.iter().map(|error| match (error, &awaited) {
        (StoreError::Unavailable { what, .. }, Some(source)) if *what == source.name => Finding::new(
            Note,
            "measurements.awaited",
            "measurements",
            "It isn't known yet how the consumers are.",
            error.to_string(),
            "Wait a few seconds.",
        ),
        _ => unanswered("Consumers", error),
    });
    let found = all.items.into_iter().filter_map(|consumer| {
        let waiting = consumer
            .in_flight
            .map_or_else(String::new, |count| format!(" {count} events wait for it."));
        match consumer.health {
            Health::Paused => Some(Finding::new(
                Warning,
                "consumer.stopped",
                consumer.name,
                "A person has stopped this consumer.",
                format!("Its health is “{}”.{waiting}", consumer.health.word()),
                "Start it on its page before its queue's retention ends.",
            )),
            Health::Failing => Some(Finding::new(
                Error,
                "consumer.failing",
                consumer.name.as_str(),
                "This consumer fails, or is too slow.",
                format!(
                    "In the last hour {} of {} attempts failed, and 99 % of the events took {} at most.{waiting}",
                    consumer.failed.unwrap_or(0),
                    consumer.attempts().unwrap_or(0),
                    consumer
                        .p99
                        .map_or_else(|| "an unknown time".to_owned(), |p99| format!("{p99:.1} s"))
                ),
                "Its page has the newest errors; what it gave up on waits among the dead letters.",
            )),
            Health::Healthy | Health::Idle | Health::Unknown => None,
        }
    });
    Ok(unread.chain(found).collect())
}

async fn flags(ports: &Ports) -> Result<Vec<Finding>, StoreError> {
    Ok(ports.flags.functions().await?.iter().filter_map(drift).collect())
}

/// What is wrong with a function that reads its flags from its environment.
fn drift(function: &FlagFunction) -> Option<Finding> {
    let words = |flags: crate::flag::Flags| flags.stage().map_or("neither", Stage::words);
    let remedy = "Cutover, functions, write the flags. If a deployment takes it back, change the variables there as well.";
    let Some(found) = function.found else {
        return Some(Finding::new(
            Error,
            "flags.unknown",
            function.function.as_str(),
            "It isn't known which paths this publisher runs.",
            function.fault.clone().unwrap_or_default(),
            "See aws.flag_functions in the configuration, and lambda:GetFunctionConfiguration in the dashboard's policy.",
        ));
    };
    if found.stage().is_none() {
        return Some(Finding::new(
            Error,
            "flags.neither",
            function.function.as_str(),
            "This publisher runs neither path: analytics go stale.",
            "Its environment turns both ENABLE_EVENT_PUBLISHING and ENABLE_DIRECT_TRIGGERS off.",
            remedy,
        ));
    }
    (found != function.wanted).then(|| {
        Finding::new(
            Warning,
            "flags.drifted",
            function.function.as_str(),
            "This publisher does something else than the flags say.",
            format!(
                "Its environment says “{}”, the flags say “{}”.",
                words(found),
                words(function.wanted)
            ),
            remedy,
        )
    })
}

async fn clocks(ports: &Ports, now: Timestamp) -> Result<Vec<Finding>, StoreError> {
    // Why the event store doesn't answer, if so, is said by those who ask it for more.
    let Ok(newest) = ports.events.list(&EventFilter::default(), 1, None).await else {
        return Ok(Vec::new());
    };
    let ahead = newest
        .page
        .items
        .first()
        .map(|stored| (&stored.event, Timestamp(stored.event.timestamp).since(now)));
    Ok(ahead
        .filter(|(_, ahead)| *ahead > AHEAD)
        .map(|(event, ahead)| {
            Finding::new(
                Warning,
                "clock.publisher",
                event.source.as_str(),
                "This publisher's clock is ahead, or it doesn't write milliseconds.",
                format!("Event {} is {} s from the future.", event.event_id, ahead / 1_000),
                "Set the publisher's clock, or write timestamp in Unix milliseconds: latencies are measured from it.",
            )
        })
        .into_iter()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flag::Flags;

    #[test]
    fn a_function_is_found_for_what_its_environment_says() {
        let flags = |publishing, direct| Flags { publishing, direct };
        for (found, kind) in [
            (Some(flags(true, true)), None),
            (Some(flags(true, false)), Some("flags.drifted")),
            (Some(flags(false, false)), Some("flags.neither")),
            (None, Some("flags.unknown")),
        ] {
            let function = FlagFunction {
                function: "f".to_owned(),
                scope: "global".to_owned(),
                wanted: flags(true, true),
                found,
                fault: None,
                settling: false,
            };
            assert_eq!(drift(&function).map(|f| f.kind).as_deref(), kind, "{found:?}");
        }
    }
}
