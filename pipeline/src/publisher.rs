//! The publisher: validates, stamps, batches, gates on the flags, retries what failed, and loses nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::event::{Draft, Event, InvalidField, Stamp, new_event_id};
use crate::flag::Flags;
use crate::ports::{Bus, DirectCall, FlagStore, Parity, PublishError, Receipt, StoreError};
use crate::retry::RetryPolicy;
use crate::time::Timestamp;
use crate::trigger::TriggerMaps;

/// How many entries one call to the bus takes: EventBridge's limit.
pub const BATCH: usize = 10;
/// How many calls run at once.
const CALLS: usize = 64;

/// How a publisher tries again when the bus is unavailable.
const RETRY: RetryPolicy = RetryPolicy {
    max_attempts: 4,
    base_millis: 100,
    max_millis: 2_000,
};

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is on disk.
    Accepted(Receipt),
    /// Event publishing is off for its source; nothing was sent.
    Off,
    /// The bus would not take it; it is a dead letter of the publisher now.
    Buried(PublishError),
    /// The bus would not take it and neither would the dead letters: only the caller still has it.
    Lost(PublishError),
}

/// Publishes events.
#[derive(Clone)]
pub struct Publisher {
    bus: Arc<dyn Bus>,
    flags: Arc<dyn FlagStore>,
    calls: Arc<Semaphore>,
}

impl Publisher {
    /// Over a bus and the flags.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, flags: Arc<dyn FlagStore>) -> Self {
        Self {
            bus,
            flags,
            calls: Arc::new(Semaphore::new(CALLS)),
        }
    }

    /// Fills in the id, the time and the version where a draft doesn't say them, and checks the event.
    ///
    /// # Errors
    /// The first field that is missing or wrong.
    pub fn stamp(draft: Draft, strict: bool) -> Result<Event, InvalidField> {
        let now = Timestamp::now().0;
        let event = draft.complete(Some(Stamp {
            event_id: new_event_id(),
            timestamp: now,
        }))?;
        event.validate(now)?;
        if strict {
            event.payload()?;
        }
        Ok(event)
    }

    /// Publishes events, in batches; the answers are in the order of the events.
    pub async fn publish(&self, events: Vec<Event>) -> Vec<Published> {
        self.publish_at(events, None).await
    }

    /// Publishes events as if at `published_at`, for a history that is filled in.
    pub async fn publish_at(&self, events: Vec<Event>, published_at: Option<Timestamp>) -> Vec<Published> {
        let mut calls = Vec::with_capacity(events.len().div_ceil(BATCH));
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let batch: Vec<Event> = events.by_ref().take(BATCH).collect();
            let publisher = self.clone();
            calls.push(tokio::spawn(
                async move { publisher.publish_batch(batch, published_at, None).await },
            ));
        }
        let mut answers = Vec::new();
        for call in calls {
            match call.await {
                Ok(batch) => answers.extend(batch),
                Err(e) => std::panic::resume_unwind(e.into_panic()),
            }
        }
        answers
    }

    /// Publishes a batch by the flags that are `known`; without, they are read for each event.
    async fn publish_batch(&self, events: Vec<Event>, published_at: Option<Timestamp>, known: Option<Flags>) -> Vec<Published> {
        let _permit = self.calls.acquire().await;
        let now = Timestamp::now().0;
        let mut answers: Vec<Option<Published>> = vec![None; events.len()];
        let mut waiting = Vec::with_capacity(events.len());
        for (i, event) in events.into_iter().enumerate() {
            let flags = match known {
                Some(flags) => flags,
                None => flags_of(self.flags.as_ref(), &event.source).await,
            };
            if !flags.publishing {
                answers[i] = Some(Published::Off);
            } else if let Err(fault) = event.validate(now) {
                answers[i] = Some(self.bury(&event, fault.into(), 1).await);
            } else {
                waiting.push((i, event));
            }
        }
        self.put(waiting, answers, published_at).await
    }

    /// Puts what is `waiting` on the bus, what failed again alone, and buries what can't be published.
    async fn put(
        &self,
        mut waiting: Vec<(usize, Event)>,
        mut answers: Vec<Option<Published>>,
        published_at: Option<Timestamp>,
    ) -> Vec<Published> {
        let mut attempt = 1;
        while !waiting.is_empty() {
            let (indices, batch): (Vec<usize>, Vec<Event>) = waiting.iter().cloned().unzip();
            let results = self.bus.put(batch, published_at).await;
            let mut failed = Vec::new();
            for (slot, (i, result)) in indices.into_iter().zip(results).enumerate() {
                match result {
                    Ok(receipt) => answers[i] = Some(Published::Accepted(receipt)),
                    Err(error) => failed.push((slot, error)),
                }
            }
            let delay = RETRY.delay(attempt, rand::random());
            let mut again = Vec::new();
            for (slot, error) in failed {
                let (i, event) = &waiting[slot];
                if error.is_transient() && delay.is_some() {
                    again.push((*i, event.clone()));
                } else {
                    answers[*i] = Some(self.bury(event, error, attempt).await);
                }
            }
            waiting = again;
            if let (false, Some(delay)) = (waiting.is_empty(), delay) {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            attempt += 1;
        }
        answers.into_iter().flatten().collect()
    }

    async fn bury(&self, event: &Event, error: PublishError, attempts: u32) -> Published {
        match self.bus.bury(event.to_json(), &error, attempts).await {
            Ok(()) => Published::Buried(error),
            Err(e) => {
                tracing::error!(event_id = %event.event_id, error = %e, "an event could be neither published nor buried");
                Published::Lost(error)
            }
        }
    }
}

/// The flags of a publisher. Where they can't be read, both paths run, as by default: doing too much is the safe side.
async fn flags_of(flags: &dyn FlagStore, source: &str) -> Flags {
    flags.effective(source).await.unwrap_or_else(|error| {
        tracing::warn!(source, %error, "the flags can't be read; both paths run");
        Flags::default()
    })
}

/// What an operation of the application did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    /// Whether the direct trigger ran.
    pub direct: bool,
    /// What became of its event.
    pub published: Published,
}

/// An application's side of the migration: each operation goes down the paths that the flags say, read for each.
#[derive(Clone)]
pub struct Paths {
    publisher: Publisher,
    flags: Arc<dyn FlagStore>,
    parity: Arc<dyn Parity>,
    maps: Arc<TriggerMaps>,
}

impl Paths {
    /// With what each path does for each kind of operation.
    #[must_use]
    pub fn new(publisher: Publisher, flags: Arc<dyn FlagStore>, parity: Arc<dyn Parity>, maps: Arc<TriggerMaps>) -> Self {
        Self {
            publisher,
            flags,
            parity,
            maps,
        }
    }

    /// Performs the operation that `event` is about. `at` dates it back, for a history that is filled in.
    ///
    /// The flags are read once, so that a change in between can't make the operation run down neither path. The event is
    /// published first: should the trigger ledger fail, the event is not lost with it.
    ///
    /// # Errors
    /// The direct trigger could not be recorded.
    pub async fn perform(&self, event: Event, at: Option<Timestamp>) -> Result<Performed, StoreError> {
        let flags = flags_of(self.flags.as_ref(), &event.source).await;
        let trigger = self.maps.direct_for(&event).filter(|_| flags.direct);
        let call = trigger.map(|trigger| DirectCall {
            operation_id: event.event_id.clone(),
            event_type: event.event_type.clone(),
            user_id: event.user_id.clone(),
            trigger,
            at: at.unwrap_or_else(Timestamp::now),
            both: flags.publishing,
        });
        let direct = call.is_some();
        let mut published = self.publisher.publish_batch(vec![event], at, Some(flags)).await;
        let published = published.pop().unwrap_or(Published::Off);
        if let Some(call) = call {
            self.parity.record_direct(call).await?;
        }
        Ok(Performed { direct, published })
    }
}

#[cfg(test)]
mod tests;
