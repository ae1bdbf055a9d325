//! What the parts of a deployment are like, as the services say.

mod collect;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value;

use super::Clients;
use super::clock::Clock;
use crate::aws::Names;
use crate::aws::arn::name_of;
use crate::finding::Finding;
use collect::{alarms, function, look_at, rules, table};

/// What is known of something, or why it isn't.
type Known<T> = Result<T, Vec<Finding>>;

/// A rule of the bus.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) enabled: bool,
    /// Its pattern, as JSON text.
    pub(super) pattern: String,
    pub(super) targets: Vec<Target>,
}

/// Where a rule sends events.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) arn: String,
    /// The queue for what can't be delivered.
    pub(super) dead_letters: Option<String>,
}

/// A queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub(super) policy: Option<Value>,
    /// Where messages go that were received too often, and how often that is.
    pub(super) redrive: Option<(String, u64)>,
    /// Seconds.
    pub(super) visibility: u64,
    /// Seconds.
    pub(super) retention: u64,
    pub(super) messages: u64,
}

/// A consumer's function.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    /// Seconds.
    pub(super) timeout: u64,
    /// Whether what it gives up on after it was invoked asynchronously goes anywhere.
    pub(super) keeps: bool,
    /// How often Lambda tries again then.
    pub(super) retries: u64,
    pub(super) feeds: Vec<Feed>,
}

/// What feeds a function.
#[derive(Clone, Debug, Default)]
pub(super) struct Feed {
    pub(super) queue: String,
    /// Whether messages that failed come again alone.
    pub(super) alone: bool,
}

/// An alarm.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarm {
    pub(super) name: String,
    pub(super) on: bool,
    /// Whether anybody hears it.
    pub(super) heard: bool,
    /// Of an alarm on a criterion, whether CloudWatch has been told lately how that stands.
    pub(super) told: Option<bool>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) key: (String, Option<String>),
    pub(super) indexes: Vec<Index>,
}

/// An index of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) key: (String, Option<String>),
    /// All attributes are in it.
    pub(super) whole: bool,
    /// It can be asked.
    pub(super) ready: bool,
}

/// All of that.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) rules: Known<Vec<Rule>>,
    /// By name; `None` for one that isn't there.
    pub(super) queues: BTreeMap<String, Known<Option<Queue>>>,
    /// By consumer; `None` for one that isn't there.
    pub(super) functions: BTreeMap<String, Known<Option<Function>>>,
    pub(super) alarms: Known<Vec<Alarm>>,
    /// By name; `None` for one that isn't there.
    pub(super) tables: BTreeMap<String, Known<Option<Table>>>,
}

impl Default for Facts {
    /// Of a deployment with nothing in it.
    fn default() -> Self {
        Self {
            rules: Ok(Vec::new()),
            queues: BTreeMap::new(),
            functions: BTreeMap::new(),
            alarms: Ok(Vec::new()),
            tables: BTreeMap::new(),
        }
    }
}

impl Facts {
    pub(super) async fn of(clients: &Clients, names: &Names, place: &str, clock: &Clock) -> Self {
        let (rules, functions, alarms, tables) = tokio::join!(
            rules(clients, names, place),
            join_all(
                names
                    .consumers
                    .iter()
                    .map(async |c| (c.name.clone(), function(clients, &c.function).await))
            ),
            alarms(clients, &names.prefix),
            join_all(names.tables().into_iter().map(async |name| {
                let table = table(clients, &name, clock).await;
                (name, table)
            })),
        );
        let mut wanted: BTreeSet<String> = names.dead_letter_queues().into_iter().map(|(name, _)| name).collect();
        wanted.extend(names.consumers.iter().map(|c| c.queue.clone()));
        for target in rules.iter().flatten().flat_map(|rule: &Rule| &rule.targets) {
            let arns = [Some(&target.arn), target.dead_letters.as_ref()];
            wanted.extend(
                arns.into_iter()
                    .flatten()
                    .filter(|arn| arn.contains(":sqs:"))
                    .map(|arn| name_of(arn).to_owned()),
            );
        }
        let mut queues = look_at(clients, wanted).await;
        // And where those send what was received too often.
        let beyond = queues
            .values()
            .flatten()
            .flatten()
            .filter_map(|queue| Some(name_of(&queue.redrive.as_ref()?.0).to_owned()));
        let beyond = beyond.filter(|name| !queues.contains_key(name)).collect();
        queues.extend(look_at(clients, beyond).await);
        Self {
            rules,
            queues,
            functions: functions.into_iter().collect(),
            alarms,
            tables: tables.into_iter().collect(),
        }
    }

    /// A queue that is there.
    pub(super) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)?.as_ref().ok()?.as_ref()
    }
}
