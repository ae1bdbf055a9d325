//! The AWS adapter: the ports over DynamoDB, and the consumers as Lambda functions.
//!
//! | module | has |
//! |---|---|
//! | [`names`] | what a deployment's parts are called |
//! | [`connection`] | the SDK's configuration: region, endpoint, time limits, retries |
//! | [`attribute`] | JSON as DynamoDB has it, and back, to the digit |
//! | [`events`] | the event store |
//! | [`consume`] | what a consumer asked for, done; and the entry point of the functions |
//! | [`absent`] | the ports that this backend does not offer yet, which say so |
//!
//! Nothing here creates anything in an account.

mod absent;
mod attribute;
mod connection;
pub mod consume;
mod error;
pub mod events;
pub mod names;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use connection::{Connection, connect};
pub use names::Names;

use crate::ports::Ports;
use absent::Absent;
use events::DynamoEvents;

/// The ports of the dashboard over a deployment.
#[must_use]
pub fn ports(connection: &Connection, names: &Names) -> Ports {
    let absent = Arc::new(Absent);
    Ports {
        events: Arc::new(DynamoEvents::new(Client::new(&connection.sdk), names)),
        ledger: absent.clone(),
        letters: absent.clone(),
        operations: absent.clone(),
        flags: absent.clone(),
        metrics: absent.clone(),
        consumers: absent.clone(),
        parity: absent.clone(),
        activity: absent,
    }
}
