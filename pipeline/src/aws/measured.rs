//! What a function measures, as CloudWatch takes it from a log: the embedded metric format,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use serde_json::{Map, Value, json};

use crate::time::Timestamp;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Cutover";
/// The most values of one metric in one line.
const MAX_VALUES: usize = 100;

/// What became of the events of one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Events that the consumer completed.
    pub processed: u64,
    /// Events that it failed for.
    pub failed: u64,
    /// From published to processed, milliseconds, of those completed events whose envelope says when they were published.
    pub latency: Vec<i64>,
}

impl Measured {
    /// Adds what became of one event.
    pub(super) fn count(&mut self, completed: bool, published: Option<Timestamp>, now: Timestamp) {
        if completed {
            self.processed += 1;
            self.latency.extend(published.map(|at| now.since(at).max(0)));
        } else {
            self.failed += 1;
        }
    }

    /// The lines for the log, by consumer, and over all consumers of the deployment.
    #[must_use]
    pub fn lines(&self, deployment: &str, consumer: &str, now: Timestamp) -> Vec<String> {
        if self.processed + self.failed == 0 {
            return Vec::new();
        }
        let line = |metrics: &[(&str, &str, Value)]| {
            let definitions: Vec<Value> = metrics
                .iter()
                .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
                .collect();
            let mut line = Map::new();
            line.insert(
                "_aws".to_owned(),
                json!({
                    "Timestamp": now.0,
                    "CloudWatchMetrics": [{
                        "Namespace": NAMESPACE,
                        "Dimensions": [["Deployment", "Consumer"], ["Deployment"]],
                        "Metrics": definitions,
                    }],
                }),
            );
            line.insert("Deployment".to_owned(), deployment.into());
            line.insert("Consumer".to_owned(), consumer.into());
            for (name, _, value) in metrics {
                line.insert((*name).to_owned(), value.clone());
            }
            Value::Object(line).to_string()
        };
        let latency = |values: &[i64]| ("Latency", "Milliseconds", json!(values));
        let (first, more) = self.latency.split_at(self.latency.len().min(MAX_VALUES));
        let mut all = vec![
            ("Processed", "Count", self.processed.into()),
            ("Failed", "Count", self.failed.into()),
        ];
        if !first.is_empty() {
            all.push(latency(first));
        }
        let rest = more.chunks(MAX_VALUES).map(|values| line(&[latency(values)]));
        std::iter::once(line(&all)).chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_latencies_are_lines_that_cloudwatch_reads() {
        let mut measured = Measured::default();
        assert!(
            measured.lines("d", "audit", Timestamp(5_000)).is_empty(),
            "nothing happened, nothing is said"
        );
        measured.count(true, Some(Timestamp(3_000)), Timestamp(5_000));
        measured.count(true, None, Timestamp(5_000));
        // A publisher's clock may be ahead.
        measured.count(true, Some(Timestamp(9_000)), Timestamp(5_000));
        measured.count(false, Some(Timestamp(0)), Timestamp(5_000));
        let lines: Vec<Value> = measured
            .lines("d", "audit", Timestamp(5_000))
            .iter()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 1);
        assert_eq!((&lines[0]["Processed"], &lines[0]["Failed"]), (&json!(3), &json!(1)));
        assert_eq!(lines[0]["Latency"], json!([2_000, 0]), "of what was completed");
        for line in &lines {
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(
                (&line["_aws"]["Timestamp"], &directive["Namespace"]),
                (&json!(5_000), &json!("Cutover"))
            );
            for dimension in directive["Dimensions"]
                .as_array()
                .expect("sets")
                .iter()
                .flat_map(|set| set.as_array().expect("a set"))
            {
                assert!(
                    line[dimension.as_str().expect("a name")].is_string(),
                    "each dimension has its value beside the metrics"
                );
            }
            for metric in directive["Metrics"].as_array().expect("metrics") {
                assert!(!line[metric["Name"].as_str().expect("a name")].is_null());
            }
        }
    }

    #[test]
    fn where_nothing_was_completed_there_is_no_latency() {
        let mut measured = Measured::default();
        measured.count(false, Some(Timestamp(0)), Timestamp(1));
        let lines = measured.lines("d", "audit", Timestamp(1));
        assert!(lines.len() == 1 && !lines[0].contains("Latency"), "{lines:?}");
    }

    #[test]
    fn a_line_holds_a_hundred_values() {
        let mut measured = Measured::default();
        for _ in 0..250 {
            measured.count(true, Some(Timestamp(0)), Timestamp(1));
        }
        let lines = measured.lines("d", "audit", Timestamp(1));
        let sizes: Vec<usize> = lines
            .iter()
            .map(|line| {
                serde_json::from_str::<Value>(line).expect("JSON")["Latency"]
                    .as_array()
                    .expect("values")
                    .len()
            })
            .collect();
        assert_eq!(sizes, [100, 100, 50]);
    }
}
