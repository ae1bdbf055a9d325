//! Looking at a deployment for what is wrong with it.
//!
//! | module | has |
//! |---|---|
//! | [`access`] | whether anything can be looked at |
//! | [`answers`] | which services answer right now |
//! | [`asking`] | what a call that failed means |
//! | [`facts`] | what rules, queues, functions, tables and alarms are like |
//! | [`rules`], [`policy`], [`queues`], [`functions`], [`tables`], [`alarms`] | what is wrong with them: pure |
//! | [`runs`] | what was measured: runs without completions, losses |
//! | [`reads`], [`writes`] | what the dashboard may not do |
//! | [`clock`] | how far the clocks are apart |
//!
//! Nothing is changed: the writes that are tried have a condition that never holds.

mod access;
mod alarms;
mod answers;
mod asking;
mod clock;
mod facts;
mod functions;
mod policy;
mod queues;
mod reads;
mod rules;
mod runs;
mod tables;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;

use super::metrics::CloudWatch;
use super::pending::Pending;
use super::recent::Recent;
use super::{Connection, DashboardConfig, Names};
use crate::finding::{Check, Finding};
use crate::ports::{Deployment, EventStore};
use crate::time::Timestamp;
use answers::Answers;
use clock::Clock;
use facts::Facts;

/// How old what was found may be: a look is some eighty calls.
const FOUND_FOR: Duration = Duration::from_secs(60);
/// How old it may be that the deployment can be looked at, or why not.
const ACCESS_FOR: Duration = Duration::from_secs(10);

/// The clients of all services that are asked.
#[derive(Clone, Debug)]
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    events: aws_sdk_eventbridge::Client,
    sqs: aws_sdk_sqs::Client,
    lambda: aws_sdk_lambda::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
}

/// Looks at a deployment.
pub(super) struct Examiner {
    credentials: Option<SharedCredentialsProvider>,
    clients: Clients,
    answers: Arc<Answers>,
    names: Names,
    config: DashboardConfig,
    pending: Pending,
    /// Where it looks, for people.
    place: String,
    metrics: Arc<CloudWatch>,
    store: Arc<dyn EventStore>,
    clock: Clock,
    access: Recent<Option<Finding>>,
    found: Recent<Vec<Check>>,
}

impl Examiner {
    pub(super) fn new(
        connection: &Connection,
        names: &Names,
        metrics: Arc<CloudWatch>,
        store: Arc<dyn EventStore>,
        config: DashboardConfig,
    ) -> Self {
        let sdk = &connection.sdk;
        let clients = Clients {
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            events: aws_sdk_eventbridge::Client::new(sdk),
            sqs: aws_sdk_sqs::Client::new(sdk),
            lambda: aws_sdk_lambda::Client::new(sdk),
            cloudwatch: metrics.charged(connection),
        };
        Self {
            credentials: sdk.credentials_provider(),
            answers: Answers::new(&clients, names, Arc::clone(&metrics)),
            clients,
            names: names.clone(),
            config,
            pending: connection.pending.clone(),
            place: connection.place(),
            metrics,
            store,
            clock: Clock::default(),
            access: Recent::new(ACCESS_FOR),
            found: Recent::new(FOUND_FOR),
        }
    }

    async fn look(&self, now: Timestamp) -> Vec<Check> {
        let (facts, runs, writes, sources) = tokio::join!(
            Facts::of(&self.clients, &self.names, &self.place, &self.clock),
            runs::look(&self.metrics, &self.names, self.store.as_ref(), now),
            writes::look(&self.clients, &self.names, self.config),
            self.sources()
        );
        let names = &self.names;
        let reads = reads::look(&self.clients, names, &facts).await;
        let judged = |found: Result<Vec<Finding>, Vec<Finding>>| found.unwrap_or_else(|failed| failed);
        vec![
            Check::new(
                "Tables",
                "The event store and Cutover's own tables are there, with their indexes.",
                tables::judge(&facts.tables, names, &self.place),
            ),
            Check::new(
                "Rules and their targets",
                "Every consumer has a rule that is on, every target a dead-letter queue, and every source is audited.",
                judged(facts.rules.as_ref().map_err(Clone::clone).map(|all| {
                    let ours = |consumer: &str| self.metrics.counts_itself(Some(consumer));
                    let unexpected = rules::unexpected(all, names, ours);
                    rules::judge(all, names, &sources).into_iter().chain(unexpected).collect()
                })),
            ),
            Check::new(
                "Queues",
                "Rules may write to their queues, and nothing moves or forgets a dead letter.",
                queues::judge(&facts, names),
            ),
            Check::new(
                "Functions",
                "Every consumer's function is there, and what it gives up on goes somewhere.",
                functions::judge(&facts, names),
            ),
            Check::new(
                "Alarms",
                "Alarms watch the deployment, and somebody hears them.",
                judged(
                    facts
                        .alarms
                        .as_ref()
                        .map_err(Clone::clone)
                        .map(|all| alarms::judge(all, &names.prefix)),
                ),
            ),
            Check::new(
                "What was measured",
                "Consumers complete what they are run for, and AWS lost nothing in the last day.",
                runs,
            ),
            Check::new(
                "Permissions",
                "The dashboard may read what its pages show, and do what they offer.",
                reads.into_iter().chain(writes).collect(),
            ),
            Check::new("Clocks", "This machine's clock agrees with AWS's.", self.clock.judge()),
        ]
    }

    /// Every source that is known of: what can't be asked for is left out.
    async fn sources(&self) -> Vec<String> {
        self.store.facets().await.map(|facets| facets.sources).unwrap_or_default()
    }
}

#[async_trait]
impl Deployment for Examiner {
    async fn access(&self) -> Option<Finding> {
        let look = async || Ok(access::look(self.credentials.as_ref(), &self.clients, &self.names).await);
        self.access.get(look).await.ok().and_then(|found| (*found).clone())
    }

    async fn checks(&self, now: Timestamp) -> Vec<Check> {
        let found = self.found.get(async || Ok(self.look(now).await)).await;
        found.map_or_else(|_| Vec::new(), |found| found.to_vec())
    }

    async fn missing(&self) -> Vec<&'static str> {
        self.answers.missing().await
    }

    fn silent(&self) -> Vec<&'static str> {
        self.answers.silent()
    }

    fn late(&self, after: Duration) -> Vec<&'static str> {
        self.pending.late(after)
    }
}
