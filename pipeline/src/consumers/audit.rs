//! Audit: keeps every event.

use async_trait::async_trait;

use super::{Consumer, ConsumerError, Effect};
use crate::event::Event;

/// Writes each event to the event store, whatever its type and however odd its payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audit;

impl Audit {
    /// What it does, in one sentence.
    pub const DOES: &str = "Writes every event to the event store, once.";
}

#[async_trait]
impl Consumer for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn does(&self) -> &'static str {
        Self::DOES
    }

    async fn handle(&self, _event: &Event) -> Result<Vec<Effect>, ConsumerError> {
        Ok(vec![Effect::Store])
    }
}
