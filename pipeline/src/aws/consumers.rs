//! The consumers as the deployment has them: functions, the rules that feed them, and what waits for them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use futures::future::try_join_all;

use super::error::failed;
use super::ledger::{DynamoLedger, newest_first};
use super::letters::DynamoLetters;
use super::metrics::CloudWatch;
use super::queues::Queues;
use super::recent::Recent;
use super::rules::{BusRule, BusRules};
use super::{Connection, Names};
use crate::consumer::{ConsumerCounts, ConsumerFault, ConsumerStatus, HEALTH_WINDOW, Health};
use crate::consumers::{Analytics, Audit, Categorization, Notification};
use crate::letter::{Letter, LetterFilter};
use crate::metric::{By, Metric, SeriesQuery};
use crate::ports::{ConsumerControl, ConsumerList, Letters, Metrics, StoreError};
use crate::time::{HOUR, MINUTE, Span, Timestamp};

/// Whose answers they are, in errors.
pub(super) const FUNCTIONS: &str = "Lambda";
/// How old it may be which consumers are stopped.
const PAUSED_FOR: Duration = Duration::from_secs(10);
/// How old the rules may be.
const RULES_FOR: Duration = Duration::from_secs(300);
/// How old the consumers' last errors may be in a list.
const FAULTS_FOR: Duration = Duration::from_secs(2);

/// How far apart an attempt and its letter are at most, milliseconds.
const SAME_MOMENT: i64 = 5_000;

/// By consumer, its rules: name and pattern.
type Rules = HashMap<String, Vec<(String, String)>>;

/// What is measured of the consumers.
struct Measured {
    counts: Vec<ConsumerCounts>,
    /// Over the window that their health is judged by.
    lately: Vec<ConsumerCounts>,
    /// By consumer, completed a minute in the last hour.
    recent: HashMap<String, Vec<Option<f64>>>,
}

/// A consumer's counts among all.
fn of(counts: &[ConsumerCounts], name: &str) -> ConsumerCounts {
    counts.iter().find(|c| c.name == name).cloned().unwrap_or_default()
}

/// See the module.
#[derive(Debug)]
pub(super) struct Functions {
    bus: BusRules,
    names: Names,
    metrics: Arc<CloudWatch>,
    letters: DynamoLetters,
    ledger: DynamoLedger,
    queues: Queues,
    rules: Recent<Rules>,
    lambda: aws_sdk_lambda::Client,
    paused: Recent<HashSet<String>>,
    faults: Recent<HashMap<String, Vec<ConsumerFault>>>,
}

impl Functions {
    pub(super) fn new(
        connection: &Connection,
        names: &Names,
        metrics: Arc<CloudWatch>,
        letters: DynamoLetters,
        ledger: DynamoLedger,
    ) -> Self {
        Self {
            bus: BusRules::new(connection, names),
            names: names.clone(),
            metrics,
            letters,
            ledger,
            queues: Queues::new(connection, names),
            rules: Recent::new(RULES_FOR),
            lambda: aws_sdk_lambda::Client::new(&connection.sdk),
            paused: Recent::new(PAUSED_FOR),
            faults: Recent::new(FAULTS_FOR),
        }
    }

    async fn rules(&self) -> Result<Rules, StoreError> {
        let mut rules = Rules::new();
        for BusRule { name, pattern } in self.bus.list().await? {
            if let Some(consumer) = self.names.consumer_of_rule(&name) {
                rules.entry(consumer.to_owned()).or_default().push((name, pattern));
            }
        }
        Ok(rules)
    }

    /// What feeds a function.
    async fn feeds(&self, function: &str) -> Result<Vec<EventSourceMappingConfiguration>, StoreError> {
        let listed = self.lambda.list_event_source_mappings().function_name(function).send().await;
        match listed {
            Ok(listed) => Ok(listed.event_source_mappings.unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(Vec::new()),
            Err(error) => Err(failed(FUNCTIONS, &format!("ListEventSourceMappings of {function}"), &error)),
        }
    }

    /// The consumers that are not fed.
    async fn paused(&self) -> Result<HashSet<String>, StoreError> {
        let all = try_join_all(self.names.consumers.iter().map(async |c| {
            let feeds = self.feeds(&c.function).await?;
            let stopped = |feed: &EventSourceMappingConfiguration| matches!(feed.state(), Some("Disabled" | "Disabling"));
            Ok::<_, StoreError>((!feeds.is_empty() && feeds.iter().all(stopped)).then(|| c.name.clone()))
        }));
        Ok(all.await?.into_iter().flatten().collect())
    }

    /// What is measured of the consumers over a span, up to now.
    async fn measured(&self, span: Span) -> Result<Measured, StoreError> {
        let now = Timestamp::now();
        let hour = SeriesQuery {
            metric: Metric::Throughput,
            by: By::Consumer,
            from: now.0 - HOUR,
            to: now.0,
            step: MINUTE,
            consumer: None,
        };
        let reading = self.metrics.series(&hour).await?;
        Ok(Measured {
            counts: self.metrics.counts(span).await?,
            lately: self.metrics.counts(Span::ending(now, HEALTH_WINDOW)).await?,
            recent: reading.series.into_iter().map(|s| (s.label, s.values)).collect(),
        })
    }

    /// The last errors that the consumers wrote down, by consumer; those of other authors write down none.
    async fn noted(&self, consumers: &[&str]) -> Result<HashMap<String, Vec<ConsumerFault>>, StoreError> {
        match self.ledger.faults(consumers).await {
            Err(StoreError::NotOffered { .. }) => Ok(HashMap::new()),
            other => other,
        }
    }

    fn is_one(&self, name: &str) -> bool {
        self.names.consumers.iter().any(|c| c.name == name)
    }
}

/// What a consumer does, in one sentence.
fn does(name: &str, function: &str) -> String {
    match name {
        "analytics" => Analytics::DOES.to_owned(),
        "categorization" => Categorization::DOES.to_owned(),
        "notification" => Notification::DOES.to_owned(),
        "audit" => Audit::DOES.to_owned(),
        _ => format!("The function {function}."),
    }
}

#[async_trait]
impl ConsumerControl for Functions {
    async fn list(&self, span: Span) -> Result<ConsumerList, StoreError> {
        let all: Vec<&str> = self.names.consumers.iter().map(|c| c.name.as_str()).collect();
        let (measured, rules, stopped, waiting, letters, noted, retrying) = tokio::join!(
            self.measured(span),
            self.rules.get(|| self.rules()),
            self.paused.get(|| self.paused()),
            self.queues.waiting(),
            self.letters.open(),
            self.faults.get(|| self.noted(&all)),
            self.ledger.retrying()
        );
        let mut unread = Vec::new();
        let measured = known(measured, &mut unread);
        let rules = known(rules, &mut unread);
        let stopped = known(stopped, &mut unread);
        let waiting = known(waiting, &mut unread);
        let letters = known(letters, &mut unread);
        // What keeps the ledger from being read, keeps others from it, who say so.
        let noted = noted.ok();
        let retrying = retrying.ok();
        let again = |name: &str| {
            let ours = self.metrics.counts_itself(Some(name));
            let counts = retrying.as_deref().and_then(Option::as_ref).filter(|_| ours)?;
            Some(counts.get(name).copied().unwrap_or(0))
        };
        let items = self.names.consumers.iter().map(|consumer| {
            let name = consumer.name.as_str();
            let counts = measured.as_ref().map(|m| of(&m.counts, name));
            let paused = stopped.as_ref().map(|stopped| stopped.contains(name));
            let open = letters
                .as_ref()
                .map(|all| all.iter().filter(|letter| letter.consumer == name).collect::<Vec<_>>());
            ConsumerStatus {
                name: name.to_owned(),
                does: does(name, &consumer.function),
                rules: rules.as_ref().and_then(|rules| rules.get(name).cloned()).unwrap_or_default(),
                health: match (paused, &measured) {
                    (Some(true), _) => Health::Paused,
                    (_, Some(measured)) => of(&measured.lately, name).health(false),
                    (_, None) => Health::Unknown,
                },
                paused,
                window: span.millis(),
                processed: counts.as_ref().map(|c| c.processed),
                failed: counts.as_ref().map(|c| c.failed),
                per_minute: counts.as_ref().map(|c| c.per_minute(span)),
                error_rate: counts.as_ref().and_then(ConsumerCounts::error_rate),
                p50: counts.as_ref().and_then(|c| c.p50),
                p95: counts.as_ref().and_then(|c| c.p95),
                p99: counts.as_ref().and_then(|c| c.p99),
                in_flight: waiting.as_ref().and_then(|waiting| waiting.get(name).copied()),
                retrying: again(name),
                dead_letters: open.as_ref().map(|open| open.len() as u64),
                recent: measured.as_ref().and_then(|m| m.recent.get(name).cloned()).unwrap_or_default(),
                last_errors: noted.as_ref().zip(open).map(|(noted, open)| {
                    let given_up = open.first().map(|letter| fault((*letter).clone()));
                    together(noted.get(name).cloned().unwrap_or_default(), given_up, 1)
                }),
            }
        });
        Ok(ConsumerList {
            items: items.collect(),
            unread,
        })
    }

    /// A function that a queue feeds is stopped by not feeding it: events wait in the queue, for as long as that keeps them.
    async fn set_paused(&self, name: &str, paused: bool) -> Result<bool, StoreError> {
        let Some(consumer) = self.names.consumers.iter().find(|c| c.name == name) else {
            return Ok(false);
        };
        let feeds = self.feeds(&consumer.function).await?;
        if feeds.is_empty() {
            return Err(StoreError::NotOffered {
                what: "stopping a function that no queue feeds".into(),
            });
        }
        for feed in feeds {
            let Some(id) = feed.uuid() else { continue };
            let changed = self.lambda.update_event_source_mapping().uuid(id).enabled(!paused).send().await;
            changed.map_err(|e| failed(FUNCTIONS, &format!("UpdateEventSourceMapping of {}", consumer.function), &e))?;
        }
        self.paused.forget().await;
        Ok(true)
    }

    /// What the consumer wrote down, and what the dead letters say of others' attempts.
    async fn faults(&self, name: &str, limit: u32) -> Result<Vec<ConsumerFault>, StoreError> {
        if !self.is_one(name) {
            return Ok(Vec::new());
        }
        let filter = LetterFilter {
            consumer: Some(name.to_owned()),
            ..LetterFilter::default()
        };
        let one = [name];
        let (mut noted, letters) = tokio::try_join!(self.noted(&one), self.letters.list(&filter, limit, None))?;
        let given_up = letters.items.into_iter().map(fault);
        Ok(together(noted.remove(name).unwrap_or_default(), given_up, limit as usize))
    }
}

/// What was read; why not, is noted.
fn known<T>(result: Result<T, StoreError>, unread: &mut Vec<StoreError>) -> Option<T> {
    result.map_err(|error| unread.push(error)).ok()
}

/// The newest of the attempts that were written down, and of those that only a dead letter tells of.
fn together(noted: Vec<ConsumerFault>, given_up: impl IntoIterator<Item = ConsumerFault>, limit: usize) -> Vec<ConsumerFault> {
    // What a queue counts as an attempt may never have been written down: then the moment says that it is the same.
    let same = |noted: &ConsumerFault, letter: &ConsumerFault| {
        let moment = noted.at.since(letter.at).abs() <= SAME_MOMENT;
        !letter.event_id.is_empty() && noted.event_id == letter.event_id && (noted.attempt >= letter.attempt || moment)
    };
    let only_letters: Vec<ConsumerFault> = given_up
        .into_iter()
        .filter(|letter| !noted.iter().any(|noted| same(noted, letter)))
        .collect();
    let mut all: Vec<ConsumerFault> = noted.into_iter().chain(only_letters).collect();
    all.sort_by_key(newest_first);
    all.truncate(limit);
    all
}

fn fault(letter: Letter) -> ConsumerFault {
    ConsumerFault {
        at: letter.failed_at,
        event_id: letter.event_id.unwrap_or_default(),
        event_type: letter.event_type.unwrap_or_else(|| "unreadable".to_owned()),
        attempt: letter.attempts,
        error: if letter.error_message.starts_with(&letter.error_code) {
            letter.error_message
        } else {
            format!("{}: {}", letter.error_code, letter.error_message)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64, event_id: &str, attempt: u32) -> ConsumerFault {
        ConsumerFault {
            at: Timestamp(millis),
            event_id: event_id.to_owned(),
            event_type: "a.type".to_owned(),
            attempt,
            error: "it broke".to_owned(),
        }
    }

    #[test]
    fn a_letter_says_once_what_was_written_down_and_alone_what_was_not() {
        let noted = vec![at(30_000, "e", 3), at(20_000, "e", 2), at(10_000, "f", 2)];
        let letters = [
            at(30_100, "e", 3),
            // One attempt of it was never written down.
            at(10_200, "f", 3),
            // Two events of which nothing was, and two messages that were none.
            at(25_000, "g", 3),
            at(24_000, "g", 3),
            at(23_000, "", 1),
            at(22_000, "", 1),
        ];
        let all = together(noted, letters, 10);
        let told: Vec<(i64, &str)> = all.iter().map(|fault| (fault.at.0, fault.event_id.as_str())).collect();
        assert_eq!(
            told,
            [
                (30_000, "e"),
                (25_000, "g"),
                (24_000, "g"),
                (23_000, ""),
                (22_000, ""),
                (20_000, "e"),
                (10_000, "f")
            ]
        );
        assert_eq!(together(all.clone(), [], 2), all[..2]);
    }
}
