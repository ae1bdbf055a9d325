//! Faults that can be turned on: how the dashboard looks when something is wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::consumers::{Consumer, ConsumerError, Effect};
use crate::event::Event;

/// What is wrong with a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 3 % of its attempts fail for a passing reason.
    Flaky,
    /// Each event takes a quarter of a second.
    Slow,
    /// Every attempt fails.
    Outage,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flaky, Self::Slow, Self::Outage];

    /// Its name in the API and in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flaky => "flaky",
            Self::Slow => "slow",
            Self::Outage => "outage",
        }
    }
}

#[derive(Default)]
struct State {
    consumers: BTreeMap<String, Fault>,
    poison: bool,
}

/// The faults that are on. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub struct Faults(Arc<RwLock<State>>);

impl Faults {
    /// The fault of a consumer.
    #[must_use]
    pub fn of(&self, consumer: &str) -> Option<Fault> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .consumers
            .get(consumer)
            .copied()
    }

    /// Turns a consumer's fault on, or off with `None`.
    pub fn set(&self, consumer: &str, fault: Option<Fault>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) => state.consumers.insert(consumer.to_owned(), fault),
            None => state.consumers.remove(consumer),
        };
    }

    /// Whether publishers send poison: 2 % of events with a payload that no consumer can use.
    #[must_use]
    pub fn poison(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).poison
    }

    /// Turns poison on or off.
    pub fn set_poison(&self, on: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).poison = on;
    }
}

/// A consumer with whatever fault is on for it.
pub struct Faulty {
    consumer: Arc<dyn Consumer>,
    faults: Faults,
}

impl Faulty {
    /// Wraps `consumer`.
    #[must_use]
    pub fn new(consumer: Arc<dyn Consumer>, faults: Faults) -> Self {
        Self { consumer, faults }
    }
}

#[async_trait]
impl Consumer for Faulty {
    fn name(&self) -> &str {
        self.consumer.name()
    }

    fn does(&self) -> &str {
        self.consumer.does()
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Effect>, ConsumerError> {
        match self.faults.of(self.name()) {
            Some(Fault::Outage) => {
                return Err(ConsumerError::transient(
                    "Outage",
                    "the store behind this consumer does not answer (demo fault)",
                ));
            }
            Some(Fault::Flaky) if rand::random::<f64>() < 0.03 => {
                return Err(ConsumerError::transient("Throttled", "rate exceeded (demo fault)"));
            }
            Some(Fault::Slow) => tokio::time::sleep(Duration::from_millis(250)).await,
            Some(Fault::Flaky) | None => {}
        }
        self.consumer.handle(event).await
    }
}
