//! What CloudWatch doesn't have as it is meant here: how many letters are open and how many deliveries wait, at the end of a step.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::CloudWatch;
use super::quantity::{IN_FLIGHT, Key, OPEN};
use crate::aws::queues::Queues;
use crate::aws::{Connection, Names};
use crate::ports::Letters;
use crate::time::Timestamp;

/// How often one looks: what stands for a minute is what was there when it ended, to a few seconds.
const EVERY: Duration = Duration::from_secs(20);

/// Looks, each minute.
pub struct Sampler {
    metrics: Arc<CloudWatch>,
    letters: Arc<dyn Letters>,
    queues: Queues,
    consumers: Vec<String>,
}

impl Sampler {
    /// In a deployment; nothing is called yet.
    #[must_use]
    pub fn new(connection: &Connection, names: &Names, metrics: Arc<CloudWatch>, letters: Arc<dyn Letters>) -> Self {
        Self {
            metrics,
            letters,
            queues: Queues::new(connection, names),
            consumers: names.consumers.iter().map(|c| c.name.clone()).collect(),
        }
    }

    /// Looks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut beat = tokio::time::interval(EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                () = stop.cancelled() => return,
            }
            self.sample().await;
        }
    }

    /// Looks once.
    pub async fn sample(&self) {
        let samples = self.look().await;
        if !samples.is_empty() {
            self.metrics.book.sample(&samples, Timestamp::now());
        }
    }

    /// What there is now, of what answers.
    #[allow(clippy::cast_precision_loss)] // counts
    async fn look(&self) -> Vec<(Key, f64)> {
        let (depth, queued, waiting) = tokio::join!(self.letters.depth(), self.letters.queues(), self.queues.waiting());
        let mut samples = Vec::new();
        match depth.and_then(|depth| Ok((depth, queued?))) {
            Ok((depth, queued)) => {
                // What stays in its queue is a dead letter too.
                let queued = queued.filter(|queues| !queues.taken_over).unwrap_or_default();
                samples.push((Key::new(None, &OPEN), (depth.open + queued.staying()) as f64));
                for name in &self.consumers {
                    let open = depth.by_consumer.iter().filter(|(of, _)| of == name).map(|(_, open)| *open);
                    let own = queued
                        .items
                        .iter()
                        .filter(|queue| queue.consumer.as_ref() == Some(name))
                        .map(|queue| queue.waiting);
                    samples.push((Key::new(Some(name), &OPEN), open.chain(own).sum::<u64>() as f64));
                }
            }
            Err(error) => tracing::debug!(%error, "dead letters can't be counted"),
        }
        match waiting {
            Ok(waiting) => {
                samples.extend(
                    waiting
                        .iter()
                        .map(|(name, count)| (Key::new(Some(name), &IN_FLIGHT), *count as f64)),
                );
                if !waiting.is_empty() {
                    samples.push((Key::new(None, &IN_FLIGHT), waiting.values().sum::<u64>() as f64));
                }
            }
            Err(error) => tracing::debug!(%error, "the queues can't be counted"),
        }
        samples
    }
}
