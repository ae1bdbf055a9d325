//! Ids for new events.

use uuid::Uuid;

/// A new event's id: UUID version 7, so that ids sort by the time they were made and index well.
#[must_use]
pub fn new_event_id() -> String {
    Uuid::now_v7().to_string()
}
