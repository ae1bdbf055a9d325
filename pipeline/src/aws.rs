//! The AWS adapter: the ports over DynamoDB, and the consumers as Lambda functions.
//!
//! | module | has |
//! |---|---|
//! | [`names`] | what a deployment's parts are called |
//! | [`connection`], [`pending`] | the SDK's configuration: region, endpoint, time limits, retries; and what is being waited for |
//! | [`schema`] | what Cutover's own tables are like |
//! | [`init`] | making them |
//! | [`attribute`] | JSON as DynamoDB has it, and back, to the digit |
//! | [`merge`] | one list out of several partitions, a page at a time |
//! | [`events`] | the event store |
//! | [`flags`], [`activity`] | the flags and what people did, in tables of Cutover's own |
//! | [`letters`], [`takeover`] | the dead letters, and how they come from their queues |
//! | [`dashboard`] | how a dashboard behaves: what it changes, and what it takes over |
//! | [`dead_letters`] | the port of them, with what still waits in the queues |
//! | [`operations`] | redriving them and setting them aside, and the worker that does it |
//! | [`metrics`] | the measurements, out of CloudWatch |
//! | [`consumers`], [`queues`], [`rules`] | the functions, what waits for them and what feeds them |
//! | [`bus`], [`publish`] | the publishers' side: `PutEvents`, and the flags that they keep to |
//! | [`ledger`], [`parity`] | what became of each event, and what both paths asked of analytics |
//! | [`analytics`], [`transactions`] | the application's tables |
//! | [`measured`] | what the functions measure, as lines for CloudWatch |
//! | [`examine`] | looking for what is wrong with a deployment |
//! | [`consume`] | what a consumer asked for, done; and the entry point of the functions |
//!
//! Nothing here but [`init`] creates anything in an account.

mod activity;
mod again;
pub mod analytics;
mod arn;
mod attribute;
pub mod bus;
mod connection;
pub mod consume;
mod consumers;
mod dashboard;
mod dead_letters;
mod error;
mod events;
mod examine;
mod flags;
pub mod init;
mod ledger;
mod letters;
pub mod measured;
mod merge;
pub mod metrics;
pub mod names;
pub mod operations;
mod parity;
mod pending;
mod publish;
mod query;
mod queues;
mod recent;
mod record;
mod rules;
pub mod schema;
pub mod takeover;
mod transaction;
pub mod transactions;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use connection::{Connection, configuration, connect};
pub use dashboard::DashboardConfig;
pub use names::Names;
pub use publish::publisher;

use crate::ports::Ports;
use crate::trigger::TriggerMaps;
use activity::DynamoActivity;
use consumers::Functions;
use dead_letters::DeadLetters;
use events::DynamoEvents;
use examine::Examiner;
use flags::DynamoFlags;
use ledger::DynamoLedger;
use letters::DynamoLetters;
use metrics::CloudWatch;
use operations::{DynamoOperations, Worker};
use parity::DynamoParity;
use queues::Queues;
use rules::BusRules;

/// The ports of the dashboard over a deployment, and what drives the operations that are started through them.
#[must_use]
pub fn ports(connection: &Connection, names: &Names, metrics: Arc<CloudWatch>, config: DashboardConfig) -> (Ports, Worker) {
    let client = Client::new(&connection.sdk);
    let ledger = DynamoLedger::of(connection, names).with_ages(metrics.clone());
    let letters = DynamoLetters::new(client.clone(), names, ledger.clone());
    let events = Arc::new(DynamoEvents::new(
        client.clone(),
        names,
        ledger.clone(),
        BusRules::new(connection, names),
    ));
    let operations = DynamoOperations::new(client.clone(), names, letters.clone());
    let worker = Worker::new(connection, names, operations.clone(), letters.clone(), events.clone(), config);
    let examiner = Examiner::new(connection, names, metrics.clone(), events.clone(), config);
    let ports = Ports {
        deployment: Some(Arc::new(examiner)),
        events,
        consumers: Arc::new(Functions::new(connection, names, metrics.clone(), letters, ledger.clone())),
        ledger: Arc::new(ledger),
        letters: Arc::new(DeadLetters {
            operations: operations.clone(),
            queues: Queues::new(connection, names),
            metrics: metrics.clone(),
            config,
        }),
        operations: Arc::new(operations),
        flags: Arc::new(DynamoFlags::new(connection, names)),
        metrics,
        parity: Arc::new(DynamoParity::new(client.clone(), names, &TriggerMaps::default())),
        activity: Arc::new(DynamoActivity::new(client, names)),
    };
    (ports, worker)
}
