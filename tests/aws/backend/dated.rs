//! A past that is filled in. The functions run now, whatever the time that EventBridge is told; what they measure of such events is what
//! CloudWatch is told of that time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pipeline::aws::bus::EventBridge;
use pipeline::event::Event;
use pipeline::ledger::{Delivery, DeliveryState};
use pipeline::ports::{Bus, ConsumerControl, Ledger, Ports, PublishError, Receipt, StoreError};
use pipeline::time::Timestamp;
use tests::deployment::Account;

use super::conformance::lately;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) struct DatedBus {
    bus: EventBridge,
    ledger: Arc<dyn Ledger>,
    consumers: Arc<dyn ConsumerControl>,
    prefix: String,
}

impl DatedBus {
    pub(super) fn new(bus: EventBridge, ports: &Ports, prefix: &str) -> Self {
        Self {
            bus,
            ledger: ports.ledger.clone(),
            consumers: ports.consumers.clone(),
            prefix: prefix.to_owned(),
        }
    }

    /// The consumers that do nothing now.
    async fn paused(&self) -> BTreeSet<String> {
        let all = self.consumers.list(lately()).await.expect("consumers").items;
        all.into_iter().filter(|c| c.paused == Some(true)).map(|c| c.name).collect()
    }

    /// How many attempts it took until nothing was left to do for an event, but for those who do nothing now.
    async fn settled(&self, id: &str, paused: &BTreeSet<String>) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let entry = self.ledger.entry(id).await.expect("a ledger").expect("an entry");
            let done = |d: &Delivery| d.state != DeliveryState::Open || paused.contains(&d.consumer);
            if entry.deliveries.iter().all(done) {
                return entry.deliveries.iter().map(|d| d.attempts.len() as u64).sum();
            }
            assert!(Instant::now() < deadline, "{entry:?}: not settled within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[async_trait]
impl Bus for DatedBus {
    async fn put(&self, events: Vec<Event>, published_at: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>> {
        let Some(at) = published_at else {
            return self.bus.put(events, None).await;
        };
        let metrics = Account::shared();
        // What was logged so far is of when it was logged.
        metrics.carry(&self.prefix, None).await;
        let answers = self.bus.put(events, Some(at)).await;
        let new = answers.iter().flatten().filter(|receipt| !receipt.duplicate);
        let new: BTreeSet<&str> = new.map(|receipt| receipt.event_id.as_str()).collect();
        let (mut attempts, paused) = (0, self.paused().await);
        for id in new {
            attempts += self.settled(id, &paused).await;
        }
        let (mut carried, deadline) = (0, Instant::now() + PATIENCE);
        while carried < attempts {
            assert!(Instant::now() < deadline, "{carried} of {attempts} attempts were logged");
            carried += metrics.carry(&self.prefix, Some(at.0)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        answers
    }

    async fn bury(&self, body: String, error: &PublishError) -> Result<(), StoreError> {
        self.bus.bury(body, error).await
    }
}
