//! Messages that a function can't handle: put off, or given up, with the reason.

use crate::aws::queues::{GivenUp, Queues};
use crate::aws::{Connection, Names};
use crate::consumers::ConsumerError;

/// Gives up for one consumer.
pub(super) struct GiveUp {
    queues: Queues,
    consumer: String,
    /// Its own dead-letter queue, and the one for everybody's.
    targets: [String; 2],
}

impl GiveUp {
    pub(super) fn new(connection: &Connection, names: &Names, consumer: &str) -> Self {
        let own = names.consumers.iter().find(|c| c.name == consumer).map(|c| c.dead_letters.clone());
        Self {
            queues: Queues::new(connection, names),
            consumer: consumer.to_owned(),
            targets: [own.unwrap_or_default(), names.dead_letter_queue.clone()],
        }
    }

    /// Has a message come again after `delay` milliseconds, instead of after its queue's visibility timeout. It comes again in any
    /// case.
    pub(super) async fn postpone(&self, queue_arn: &str, receipt: &str, delay: u64) {
        let Some(queue) = queue_arn.rsplit(':').next().filter(|name| !name.is_empty()) else {
            return;
        };
        let seconds = i32::try_from(delay.div_ceil(1_000)).unwrap_or(i32::MAX);
        if let Err(error) = self.queues.postpone(queue, receipt, seconds).await {
            tracing::warn!(%error, "a message waits for its queue's visibility timeout");
        }
    }

    /// Writes a message to the dead letters, with the reason.
    ///
    /// # Errors
    /// There is no queue for it, or it doesn't take it.
    pub(super) async fn bury(&self, body: &str, attempts: u32, error: &ConsumerError) -> Result<(), ConsumerError> {
        let why = GivenUp {
            consumer: &self.consumer,
            code: &error.code,
            message: &error.message,
            permanent: error.permanent,
            attempts,
        };
        for queue in self.targets.iter().filter(|queue| !queue.is_empty()) {
            if self.queues.bury(queue, body, &why).await? {
                return Ok(());
            }
        }
        let [own, all] = &self.targets;
        Err(ConsumerError::transient(
            "NotBuried",
            format!("there is neither a queue {own} nor {all}"),
        ))
    }
}
