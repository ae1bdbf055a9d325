//! What is asked of CloudWatch, and what the numbers are.

use crate::metric::Unit;

/// Of a rule: from the bus taking an event to a target accepting it, the slowest hundredth.
pub(in crate::aws) const DELIVERED_WITHIN: &str = "Delivered within, p99";

/// What a metric is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Part {
    /// What our functions count themselves: namespace `Cutover`.
    Own,
    /// The consumer's function: namespace `AWS/Lambda`.
    Function,
    /// The rule that feeds it: namespace `AWS/Events`.
    Rule,
    /// The queue between the two: namespace `AWS/SQS`.
    Queue,
    /// The queue of what was given up: namespace `AWS/SQS`.
    DeadLetters,
    /// Not CloudWatch's: looked at each minute.
    Sampled,
}

impl Part {
    pub(super) const fn namespace(self) -> &'static str {
        match self {
            Self::Own => crate::aws::measured::NAMESPACE,
            Self::Function => "AWS/Lambda",
            Self::Rule => "AWS/Events",
            Self::Queue | Self::DeadLetters => "AWS/SQS",
            Self::Sampled => "",
        }
    }

    /// Its name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Own => "Consumer",
            Self::Function => "Function",
            Self::Rule => "Rule",
            Self::Queue => "Queue",
            Self::DeadLetters => "Dead-letter queue",
            Self::Sampled => "",
        }
    }
}

/// A number that is kept: one statistic of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::aws) struct Quantity {
    /// Its name in the cache; never to be given another meaning.
    pub(super) name: &'static str,
    pub(super) part: Part,
    /// CloudWatch's names.
    pub(super) metric: &'static str,
    pub(super) stat: &'static str,
    /// What CloudWatch's value is multiplied by to be in `unit`.
    pub(super) scale: f64,
    pub(super) unit: Unit,
    /// For people: what it is called, and what it is.
    pub(super) title: &'static str,
    pub(super) definition: &'static str,
    /// AWS reports nothing while it is zero: true of EventBridge's failures alone.
    pub(super) absent_is_zero: bool,
}

impl Quantity {
    /// Whether values of several metrics, of two rules say, are added; otherwise the largest counts.
    pub(super) fn adds_up(&self) -> bool {
        self.stat == "Sum"
    }

    /// Whether it is asked for by the minute: what the criteria rest on. The rest of the platform is asked for by five of them.
    pub(super) fn by_the_minute(&self) -> bool {
        self.part == Part::Own || [MATCHED, INVOCATIONS, ERRORS].contains(self)
    }
}

const fn of(
    part: Part,
    name: &'static str,
    metric: &'static str,
    stat: &'static str,
    title: &'static str,
    definition: &'static str,
) -> Quantity {
    Quantity {
        name,
        part,
        metric,
        stat,
        scale: 1.0,
        unit: Unit::Count,
        title,
        definition,
        absent_is_zero: false,
    }
}

const fn seconds(mut quantity: Quantity, scale: f64) -> Quantity {
    quantity.unit = Unit::Seconds;
    quantity.scale = scale;
    quantity
}

const fn silent_at_zero(mut quantity: Quantity) -> Quantity {
    quantity.absent_is_zero = true;
    quantity
}

const MILLIS: f64 = 0.001;

use Part::{DeadLetters, Function, Own, Queue, Rule, Sampled};

pub(super) const PROCESSED: Quantity = of(Own, "processed", "Processed", "Sum", "", "");
pub(super) const FAILED: Quantity = of(Own, "failed", "Failed", "Sum", "", "");
pub(super) const P50: Quantity = seconds(of(Own, "p50", "Latency", "p50", "", ""), MILLIS);
pub(super) const P95: Quantity = seconds(of(Own, "p95", "Latency", "p95", "", ""), MILLIS);
pub(super) const P99: Quantity = seconds(of(Own, "p99", "Latency", "p99", "", ""), MILLIS);
/// The percentiles, in the order of [`crate::consumer::ConsumerCounts`].
pub(super) const PERCENTILES: [Quantity; 3] = [P50, P95, P99];
pub(super) const INVOCATIONS: Quantity = of(
    Function,
    "invocations",
    "Invocations",
    "Sum",
    "Invocations",
    "How often the function ran, failed runs included.",
);
pub(super) const ERRORS: Quantity = of(
    Function,
    "errors",
    "Errors",
    "Sum",
    "Errors",
    "Invocations that ended in an error of the function's.",
);
pub(super) const MATCHED: Quantity = of(
    Rule,
    "matched",
    "MatchedEvents",
    "Sum",
    "Matched",
    "Events that the rule's pattern matched.",
);
pub(in crate::aws) const QUEUE_AGE: Quantity = seconds(
    of(
        Queue,
        "queue_age",
        "ApproximateAgeOfOldestMessage",
        "Maximum",
        "Oldest message",
        "The age of the oldest message that was there.",
    ),
    1.0,
);
pub(in crate::aws) const LETTERS_AGE: Quantity = seconds(
    of(
        DeadLetters,
        "dlq_age",
        "ApproximateAgeOfOldestMessage",
        "Maximum",
        "Oldest message",
        "The age of the oldest message that was there.",
    ),
    1.0,
);
/// Open dead letters, and deliveries that wait or are being worked on, at the end of each step.
pub(super) const OPEN: Quantity = of(Sampled, "open", "", "", "", "");
pub(super) const IN_FLIGHT: Quantity = of(Sampled, "in_flight", "", "", "", "");

/// All that is kept.
pub(super) const ALL: [Quantity; 30] = [
    PROCESSED,
    FAILED,
    P50,
    P95,
    P99,
    INVOCATIONS,
    ERRORS,
    of(
        Function,
        "throttles",
        "Throttles",
        "Sum",
        "Throttles",
        "Invocations that Lambda put off for want of concurrency.",
    ),
    seconds(
        of(
            Function,
            "duration",
            "Duration",
            "p99",
            "Duration, p99",
            "How long 99 % of the runs stayed within.",
        ),
        MILLIS,
    ),
    of(
        Function,
        "concurrency",
        "ConcurrentExecutions",
        "Maximum",
        "Concurrency",
        "The most runs at once.",
    ),
    seconds(
        of(
            Function,
            "async_age",
            "AsyncEventAge",
            "Maximum",
            "Age at Lambda",
            "The longest that an event waited in Lambda's own queue before a run: its retries wait one and two minutes there.",
        ),
        MILLIS,
    ),
    of(
        Function,
        "async_received",
        "AsyncEventsReceived",
        "Sum",
        "Received at Lambda",
        "Events that Lambda queued for the function.",
    ),
    of(
        Function,
        "async_dropped",
        "AsyncEventsDropped",
        "Sum",
        "Dropped at Lambda",
        "Events that Lambda gave up without a run that succeeded.",
    ),
    of(
        Function,
        "dead_letter_errors",
        "DeadLetterErrors",
        "Sum",
        "Dead letters lost",
        "Events that Lambda could not put into the function's dead-letter queue.",
    ),
    MATCHED,
    of(
        Rule,
        "attempts",
        "InvocationAttempts",
        "Sum",
        "Attempts",
        "How often EventBridge called the rule's targets, retries included.",
    ),
    silent_at_zero(of(
        Rule,
        "retries",
        "RetryInvocationAttempts",
        "Sum",
        "Retries",
        "Calls of targets that were retries.",
    )),
    silent_at_zero(of(
        Rule,
        "failed_invocations",
        "FailedInvocations",
        "Sum",
        "Given up",
        "Events that EventBridge could not deliver to a target, for good.",
    )),
    silent_at_zero(of(
        Rule,
        "sent_to_dlq",
        "InvocationsSentToDlq",
        "Sum",
        "Sent to the DLQ",
        "Undeliverable events that went to the target's dead-letter queue.",
    )),
    silent_at_zero(of(
        Rule,
        "not_sent_to_dlq",
        "InvocationsFailedToBeSentToDlq",
        "Sum",
        "Lost",
        "Undeliverable events that could not be written to the target's dead-letter queue either.",
    )),
    seconds(
        of(
            Rule,
            "delivered_within",
            "IngestionToInvocationSuccessLatency",
            "p99",
            DELIVERED_WITHIN,
            "From the bus taking an event to a target accepting it.",
        ),
        MILLIS,
    ),
    seconds(
        of(
            Rule,
            "started_within",
            "IngestiontoInvocationStartLatency",
            "p99",
            "First tried within, p99",
            "From the bus taking an event to the first call of a target.",
        ),
        MILLIS,
    ),
    seconds(
        of(
            Rule,
            "completed_within",
            "IngestiontoInvocationCompleteLatency",
            "p99",
            "Done within, p99",
            "From the bus taking an event to the end of its last call, successful or not.",
        ),
        MILLIS,
    ),
    of(
        Queue,
        "queue_waiting",
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
        "Waiting",
        "The most messages that waited to be received.",
    ),
    of(
        Queue,
        "queue_in_flight",
        "ApproximateNumberOfMessagesNotVisible",
        "Maximum",
        "Received",
        "The most messages that were received and not yet deleted.",
    ),
    QUEUE_AGE,
    of(
        DeadLetters,
        "dlq_waiting",
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
        "Waiting",
        "The most messages that waited to be taken over.",
    ),
    LETTERS_AGE,
    OPEN,
    IN_FLIGHT,
];

/// Whose number: a consumer's, or, without one, the deployment's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) consumer: Option<String>,
    pub(super) quantity: &'static str,
}

impl Key {
    pub(super) fn new(consumer: Option<&str>, quantity: &Quantity) -> Self {
        Self {
            consumer: consumer.map(ToOwned::to_owned),
            quantity: quantity.name,
        }
    }

    /// As the cache has it, and back.
    pub(super) fn parse(consumer: &str, quantity: &str) -> Option<Self> {
        let quantity = ALL.iter().find(|known| known.name == quantity)?;
        Some(Self::new((!consumer.is_empty()).then_some(consumer), quantity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_cache_are_distinct() {
        let names: std::collections::HashSet<_> = ALL.iter().map(|quantity| quantity.name).collect();
        assert_eq!(names.len(), ALL.len());
        for quantity in ALL {
            let key = Key::new(Some("audit"), &quantity);
            assert_eq!(Key::parse("audit", key.quantity), Some(key));
        }
        assert_eq!(Key::parse("", "nonsense"), None);
    }
}
