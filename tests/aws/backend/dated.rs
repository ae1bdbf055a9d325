//! A past that is filled in. The functions run now, whatever the time that EventBridge is told; what they measure of such events is what
//! CloudWatch is told of that time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use pipeline::aws::bus::EventBridge;
use pipeline::event::Event;
use pipeline::ledger::{Delivery, DeliveryState};
use pipeline::ports::{Bus, ConsumerControl, Ledger, Ports, PublishError, Receipt, StoreError};
use pipeline::time::Timestamp;
use tests::deployment::Account;

use super::conformance::{eventually, lately};

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
        let deliveries = || async { self.ledger.entry(id).await.expect("a ledger").expect("an entry").deliveries };
        let done = |d: &Delivery| d.state != DeliveryState::Open || paused.contains(&d.consumer);
        eventually("the event is settled", || async { deliveries().await.iter().all(done) }).await;
        deliveries().await.iter().map(|d| d.attempts.len() as u64).sum()
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
        let carried = AtomicU64::new(0);
        eventually("its attempts are carried", || async {
            let more = metrics.carry(&self.prefix, Some(at.0)).await;
            carried.fetch_add(more, Ordering::Relaxed) + more >= attempts
        })
        .await;
        answers
    }

    async fn bury(&self, body: String, error: &PublishError, attempts: u32) -> Result<(), StoreError> {
        self.bus.bury(body, error, attempts).await
    }
}
