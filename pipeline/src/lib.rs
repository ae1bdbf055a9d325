//! Cutover's event pipeline.
//!
//! Two layers share this crate. The *nouns* and the *pure decisions* over them have no I/O and compile to
//! wasm, so the dashboard in the browser speaks the same types as the server:
//!
//! | nouns | decisions |
//! |---|---|
//! | [`event`], [`letter`], [`flag`], [`ledger`], [`metric`], [`operation`], [`activity`], [`consumer`], [`trigger`], [`notification`], [`finding`], [`time`], [`page`] | [`pattern`], [`rule`], [`criteria`], [`parity`], [`retry`] |
//!
//! With the `runtime` feature come the [`ports`] (what the pipeline needs of the world), the pipeline itself
//! ([`publisher`], [`delivery`], [`consumers`], [`redrive`], [`courier`], [`retention`]), looking for what is wrong ([`examine`]), the embedded adapter [`sqlite`] and the
//! [`demo`] application that makes traffic down both paths.
//!
//! With the `aws` feature comes [`aws`], the same over EventBridge, SQS, Lambda, DynamoDB and CloudWatch. A service of one's own publishes
//! with [`aws::publisher`]: it stamps what happened, keeps to the flags, sends in calls that `PutEvents` takes, sends again what failed
//! alone, and leaves what can't be published among the dead letters. `examples/publish.rs` is such a service, whole.
//!
//! An event travels: `publisher` validates and stamps it, the bus writes it durably and routes it
//! by `rule`, `delivery` hands it to each consumer, and the consumer's effects are applied in the same
//! transaction as the mark that they were.

pub mod activity;
pub mod consumer;
pub mod criteria;
pub mod event;
pub mod finding;
pub mod flag;
pub mod ledger;
pub mod letter;
pub mod metric;
pub mod notification;
pub mod operation;
pub mod page;
pub mod parity;
pub mod pattern;
pub mod retry;
pub mod rule;
pub mod time;
pub mod trigger;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "runtime")]
pub mod consumers;
#[cfg(feature = "runtime")]
pub mod courier;
#[cfg(feature = "runtime")]
pub mod delivery;
#[cfg(feature = "runtime")]
pub mod demo;
#[cfg(feature = "runtime")]
pub mod examine;
#[cfg(feature = "runtime")]
pub mod ports;
#[cfg(feature = "runtime")]
pub mod publisher;
#[cfg(feature = "runtime")]
pub mod redrive;
#[cfg(feature = "runtime")]
pub mod retention;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "runtime")]
pub mod sqlite;
#[cfg(feature = "runtime")]
mod text;
