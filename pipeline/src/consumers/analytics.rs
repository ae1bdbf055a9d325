//! Analytics: marks what an event makes stale for recomputation.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Consumer, ConsumerError, Effect};
use crate::event::Event;
use crate::trigger::Trigger;

/// Marks analytics types for recomputation at the priority that its map gives to the event's type.
#[derive(Clone, Debug)]
pub struct Analytics {
    map: BTreeMap<String, Trigger>,
}

impl Analytics {
    /// With the map from event type to trigger.
    #[must_use]
    pub const fn new(map: BTreeMap<String, Trigger>) -> Self {
        Self { map }
    }
}

impl Analytics {
    /// What it does, in one sentence.
    pub const DOES: &str = "Marks the analytics that an event makes stale for recomputation, at a priority.";
}

#[async_trait]
impl Consumer for Analytics {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn does(&self) -> &'static str {
        Self::DOES
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Effect>, ConsumerError> {
        event.payload()?;
        Ok(self
            .map
            .get(&event.event_type)
            .map(|trigger| Effect::MarkAnalytics {
                user_id: event.user_id.clone(),
                trigger: *trigger,
            })
            .into_iter()
            .collect())
    }
}
