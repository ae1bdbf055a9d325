//! Which metrics there are: only what CloudWatch lists is asked for.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric};

use super::STORE;
use super::quantity::{ALL, Key, Part, Quantity};
use crate::aws::Names;
use crate::aws::error::failed;
use crate::ports::StoreError;

/// A metric that is there, and the number that a statistic of it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) quantity: Quantity,
    pub(super) dimensions: Vec<Dimension>,
}

/// What the deployment's metrics are found by: namespace, dimension and value.
fn filters(names: &Names) -> Vec<(Part, &'static str, Option<&str>)> {
    // Those of a rule have the bus beside it, or not.
    let mut filters = vec![
        (Part::Own, "Deployment", Some(names.prefix.as_str())),
        (Part::Rule, "RuleName", None),
    ];
    for consumer in &names.consumers {
        filters.push((Part::Function, "FunctionName", Some(&consumer.function)));
        filters.push((Part::Queue, "QueueName", Some(&consumer.queue)));
        filters.push((Part::DeadLetters, "QueueName", Some(&consumer.dead_letters)));
    }
    filters.push((Part::DeadLetters, "QueueName", Some(&names.dead_letter_queue)));
    filters
}

/// Lists them; `pay` is asked before each call, and says why not.
pub(super) async fn discover(client: &Client, names: &Names, pay: impl Fn() -> Result<(), StoreError>) -> Result<Vec<Found>, StoreError> {
    let mut found = Vec::new();
    for (part, dimension, value) in filters(names) {
        let listing = client.list_metrics().namespace(part.namespace()).dimensions(
            DimensionFilter::builder()
                .name(dimension)
                .set_value(value.map(ToOwned::to_owned))
                .build(),
        );
        let mut token = None;
        loop {
            pay()?;
            let page = listing.clone().set_next_token(token).send().await;
            let page = page.map_err(|e| failed(STORE, &format!("ListMetrics of {}", part.namespace()), &e))?;
            found.extend(page.metrics().iter().flat_map(|metric| of_metric(metric, part, names)));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
    }
    Ok(without_copies(found))
}

/// Of what is there with the rule's bus and without it, only the former.
fn without_copies(found: Vec<Found>) -> Vec<Found> {
    let most = |key: &Key| found.iter().filter(|f| f.key == *key).map(|f| f.dimensions.len()).max();
    let kept = found.iter().filter(|f| Some(f.dimensions.len()) == most(&f.key)).cloned();
    kept.collect()
}

/// The numbers that a metric gives.
fn of_metric(metric: &Metric, part: Part, names: &Names) -> Vec<Found> {
    let dimension = |name: &str| {
        let found = metric.dimensions().iter().find(|d| d.name() == Some(name));
        found.and_then(Dimension::value)
    };
    // A metric with more dimensions than these, of a function's version say, is a part of the one without.
    let (known, consumer): (usize, Option<&str>) = match part {
        Part::Own => match dimension("Consumer") {
            Some(consumer) => (2, Some(consumer)),
            None => (1, None),
        },
        Part::Function => (1, dimension("FunctionName").and_then(|f| consumer(names, |c| c.function == f))),
        Part::Rule => {
            let bus = dimension("EventBusName");
            let ours = bus.is_none_or(|bus| bus == names.event_bus);
            let rule = dimension("RuleName").filter(|_| ours);
            (1 + usize::from(bus.is_some()), rule.and_then(|rule| names.consumer_of_rule(rule)))
        }
        Part::Queue => (1, dimension("QueueName").and_then(|q| consumer(names, |c| c.queue == q))),
        Part::DeadLetters => (1, dimension("QueueName").and_then(|q| consumer(names, |c| c.dead_letters == q))),
        Part::Sampled => return Vec::new(),
    };
    let ours = consumer.is_some() || matches!(part, Part::Own | Part::DeadLetters);
    if !ours || metric.dimensions().len() != known {
        return Vec::new();
    }
    let quantities = ALL
        .iter()
        .filter(|quantity| quantity.part == part && Some(quantity.metric) == metric.metric_name());
    let found = quantities.map(|quantity| Found {
        key: Key::new(consumer, quantity),
        quantity: *quantity,
        dimensions: metric.dimensions().to_vec(),
    });
    found.collect()
}

fn consumer(names: &Names, is: impl Fn(&crate::aws::names::ConsumerNames) -> bool) -> Option<&str> {
    names.consumers.iter().find(|c| is(c)).map(|c| c.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, dimensions: &[(&str, &str)]) -> Metric {
        let dimensions = dimensions
            .iter()
            .map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
        Metric::builder()
            .metric_name(name)
            .set_dimensions(Some(dimensions.collect()))
            .build()
    }

    #[test]
    fn each_metric_is_somebodys() {
        let names = Names::of("h");
        let found = |part, name, dimensions: &[(&str, &str)]| {
            let all = of_metric(&metric(name, dimensions), part, &names);
            let keys = all
                .into_iter()
                .map(|found| (found.key.consumer.unwrap_or_default(), found.key.quantity));
            keys.collect::<Vec<_>>()
        };
        let key = |consumer: &str, quantity| (consumer.to_owned(), quantity);
        assert_eq!(
            found(Part::Own, "Latency", &[("Deployment", "h")]),
            [key("", "p50"), key("", "p95"), key("", "p99")]
        );
        assert_eq!(
            found(Part::Own, "Failed", &[("Deployment", "h"), ("Consumer", "audit")]),
            [key("audit", "failed")]
        );
        assert_eq!(
            found(Part::Function, "Errors", &[("FunctionName", "h-audit-consumer")]),
            [key("audit", "errors")]
        );
        assert_eq!(
            found(
                Part::Function,
                "Errors",
                &[("FunctionName", "h-audit-consumer"), ("Resource", "h-audit-consumer:3")]
            ),
            [],
            "a version is counted with its function"
        );
        assert_eq!(
            found(
                Part::Rule,
                "MatchedEvents",
                &[("EventBusName", "h-events"), ("RuleName", "h-analytics-events")]
            ),
            [key("analytics", "matched")]
        );
        assert_eq!(
            found(Part::Rule, "MatchedEvents", &[("RuleName", "h-audit")]),
            [key("audit", "matched")]
        );
        assert_eq!(
            found(Part::Rule, "MatchedEvents", &[("EventBusName", "other"), ("RuleName", "h-audit")]),
            []
        );
        assert_eq!(
            found(Part::Queue, "ApproximateAgeOfOldestMessage", &[("QueueName", "h-audit")]),
            [key("audit", "queue_age")]
        );
        assert_eq!(found(Part::Function, "Errors", &[("FunctionName", "somebody-elses")]), []);
        assert_eq!(found(Part::Function, "NeverHeardOf", &[("FunctionName", "h-audit-consumer")]), []);
    }

    #[test]
    fn a_rules_events_are_counted_once() {
        let names = Names::of("h");
        let rule = [("RuleName", "h-audit"), ("EventBusName", "h-events")];
        let all = [&rule[..1], &rule].map(|dimensions| of_metric(&metric("MatchedEvents", dimensions), Part::Rule, &names));
        let kept = without_copies(all.concat());
        assert_eq!((kept.len(), kept[0].dimensions.len()), (1, 2));
    }
}
