//! Delivery: hands each consumer its events, with bounded concurrency, and settles what became of them.
//!
//! The [`Inbox`] is durable; this module only holds what it is working on. Stopping finishes the batch in hand;
//! a crash loses the work in hand and nothing else, because an attempt counts only once it is settled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::consumers::{Consumer, ConsumerError, Effect};
use crate::event::Event;
use crate::ports::StoreError;
use crate::retry::RetryPolicy;
use crate::time::Timestamp;

/// An event that a consumer should work on.
#[derive(Clone, Debug)]
pub struct Work {
    /// Its position on the bus.
    pub seq: i64,
    /// The event.
    pub event: Arc<Event>,
    /// When the bus accepted it, Unix microseconds.
    pub accepted_us: i64,
    /// How far its history lies before the clock, milliseconds: only back-filled events have one.
    pub shift: i64,
    /// This attempt, from 1; a redrive starts again at 1.
    pub attempt: u32,
    /// Whether it was a dead letter before.
    pub redriven: bool,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Worked: apply these effects and mark the delivery as done.
    Completed(Vec<Effect>),
    /// Failed; try again at this instant.
    Retry(ConsumerError, Timestamp),
    /// Failed for good.
    Dead(ConsumerError),
}

/// An attempt that ended.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What was worked on.
    pub work: Work,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the consumer took, microseconds.
    pub duration_us: u64,
}

/// Where a consumer's events wait, durably.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Waits for work, at most `max` events, none twice at a time. Empty when it is shutting down.
    async fn next(&self, consumer: &str, max: usize, stop: &CancellationToken) -> Vec<Work>;
    /// Whether a consumer may go on with what it was handed: not when a person has stopped it.
    fn goes_on(&self, consumer: &str) -> bool;
    /// Takes back, in order, what was handed out and not begun.
    fn take_back(&self, consumer: &str, work: Vec<Work>);
    /// Applies what became of attempts, each in full or not at all, durably.
    async fn settle(&self, consumer: &str, settled: Arc<Vec<Settled>>) -> Result<(), StoreError>;
}

/// How consumers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// Workers for each consumer.
    pub concurrency: usize,
    /// The most events one worker takes at a time.
    pub batch: usize,
    /// When to try again.
    pub retry: RetryPolicy,
    /// The longest one attempt may take.
    pub timeout: Duration,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            concurrency: 4,
            batch: 128,
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(20),
        }
    }
}

/// Runs `consumers` until `stop`; returns when every batch in hand is settled.
pub async fn run(inbox: Arc<dyn Inbox>, consumers: Vec<Arc<dyn Consumer>>, config: DeliveryConfig, stop: CancellationToken) {
    let mut workers = JoinSet::new();
    for consumer in consumers {
        for _ in 0..config.concurrency.max(1) {
            workers.spawn(work(Arc::clone(&inbox), Arc::clone(&consumer), config, stop.clone()));
        }
    }
    while let Some(ended) = workers.join_next().await {
        if let Err(e) = ended {
            tracing::error!(error = %e, "a delivery worker ended unexpectedly");
        }
    }
}

/// A batch is settled at least this often, so that a slow event doesn't hold back what is done.
const SETTLE_EVERY: Duration = Duration::from_millis(20);

async fn work(inbox: Arc<dyn Inbox>, consumer: Arc<dyn Consumer>, config: DeliveryConfig, stop: CancellationToken) {
    loop {
        let batch = inbox.next(consumer.name(), config.batch, &stop).await;
        if batch.is_empty() {
            return;
        }
        let mut settled = Vec::with_capacity(batch.len());
        let mut since = Instant::now();
        let mut batch = batch.into_iter();
        while !stop.is_cancelled() && inbox.goes_on(consumer.name()) {
            let Some(work) = batch.next() else { break };
            settled.push(attempt(&consumer, work, &config).await);
            if since.elapsed() > SETTLE_EVERY {
                settle(inbox.as_ref(), consumer.name(), std::mem::take(&mut settled)).await;
                since = Instant::now();
            }
        }
        inbox.take_back(consumer.name(), batch.collect());
        settle(inbox.as_ref(), consumer.name(), settled).await;
    }
}

async fn attempt(consumer: &Arc<dyn Consumer>, work: Work, config: &DeliveryConfig) -> Settled {
    let began = Instant::now();
    let (handler, event) = (Arc::clone(consumer), Arc::clone(&work.event));
    // A task of its own: a consumer that panics fails this attempt, not the worker.
    let mut task = tokio::spawn(async move { handler.handle(&event).await });
    let result = match tokio::time::timeout(config.timeout, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(e)) => Err(ConsumerError::transient("Panicked", e.to_string())),
        Err(_) => {
            task.abort();
            Err(ConsumerError::transient(
                "TimedOut",
                format!("took longer than {} s", config.timeout.as_secs()),
            ))
        }
    };
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let outcome = match result {
        Ok(effects) => Outcome::Completed(effects),
        Err(error) if error.permanent => Outcome::Dead(error),
        Err(error) => match config.retry.delay(work.attempt, rand::random()) {
            Some(delay) => Outcome::Retry(error, Timestamp::now().plus(i64::try_from(delay).unwrap_or(i64::MAX))),
            None => Outcome::Dead(error),
        },
    };
    Settled {
        work,
        outcome,
        duration_us,
    }
}

/// Settles, for as long as it takes: an attempt that isn't settled would be lost work, and its event stuck until a restart.
async fn settle(inbox: &dyn Inbox, consumer: &str, settled: Vec<Settled>) {
    if settled.is_empty() {
        return;
    }
    let settled = Arc::new(settled);
    let mut wait = Duration::from_millis(50);
    while let Err(e) = inbox.settle(consumer, Arc::clone(&settled)).await {
        tracing::error!(consumer, error = %e, "could not settle; trying again");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}
