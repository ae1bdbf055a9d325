//! Operations and their items, as items of their tables.

use super::{ALL, STORE};
use crate::aws::attribute::Item;
use crate::aws::record::{Record, number, text};
use crate::letter::Letter;
use crate::operation::{ItemStatus, Operation, OperationItem, OperationKind, OperationStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;

/// One letter of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its place in the selection.
    pub(super) n: i64,
    pub(super) letter_id: String,
    pub(super) consumer: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) status: ItemStatus,
    pub(super) note: Option<String>,
    /// When it was sent.
    pub(super) sent_at: Option<Timestamp>,
}

impl Listed {
    pub(super) fn waiting(n: usize, letter_id: String, letter: Option<&Letter>) -> Self {
        Self {
            n: i64::try_from(n).unwrap_or(i64::MAX),
            letter_id,
            consumer: letter.map(|letter| letter.consumer.clone()),
            event_type: letter.and_then(|letter| letter.event_type.clone()),
            status: ItemStatus::Waiting,
            note: None,
            sent_at: None,
        }
    }

    /// As people see it: what a cancelled operation has not begun it has passed over.
    pub(super) fn of(self, operation: &Operation) -> OperationItem {
        let left = self.status == ItemStatus::Waiting && operation.status == OperationStatus::Cancelled;
        OperationItem {
            letter_id: self.letter_id,
            consumer: self.consumer,
            event_type: self.event_type,
            status: if left { ItemStatus::Skipped } else { self.status },
            note: if left { Some("cancelled".to_owned()) } else { self.note },
        }
    }
}

pub(super) fn listed_item(operation: &str, listed: &Listed) -> Item {
    let fields = [
        ("operation", Some(text(operation))),
        ("n", Some(number(listed.n))),
        ("letterId", Some(text(&listed.letter_id)).filter(|_| !listed.letter_id.is_empty())),
        ("consumer", listed.consumer.as_ref().map(text)),
        ("eventType", listed.event_type.as_ref().map(text)),
        ("status", Some(text(listed.status.name()))),
        ("note", listed.note.as_ref().map(text)),
        ("sentAt", listed.sent_at.map(|at| number(at.0))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

pub(super) fn listed(item: &Item) -> Result<Listed, StoreError> {
    let record = Record { what: STORE, item };
    let status = record.text("status")?;
    Ok(Listed {
        n: record.number("n")?,
        letter_id: record.optional_text("letterId").unwrap_or_default(),
        consumer: record.optional_text("consumer"),
        event_type: record.optional_text("eventType"),
        status: ItemStatus::ALL
            .into_iter()
            .find(|s| s.name() == status)
            .ok_or_else(|| corrupt(format!("an item's status {status}")))?,
        note: record.optional_text("note"),
        sent_at: record.number("sentAt").ok().map(Timestamp),
    })
}

/// An operation that nobody drives yet.
pub(super) fn header(operation: &Operation) -> Item {
    let fields = [
        ("id", text(&operation.id)),
        ("list", text(ALL)),
        ("busy", text(ALL)),
        ("kind", text(operation.kind.name())),
        ("status", text(operation.status.name())),
        ("actor", text(&operation.actor)),
        ("reason", text(&operation.reason)),
        ("rate", number(operation.rate)),
        ("createdAt", number(operation.created_at.0)),
        ("total", number(operation.total)),
        ("succeeded", number(operation.succeeded)),
        ("failed", number(operation.failed)),
        ("skipped", number(operation.skipped)),
        ("beat", number(0)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn header_of(item: &Item) -> Result<Operation, StoreError> {
    let record = Record { what: STORE, item };
    let (kind, status) = (record.text("kind")?, record.text("status")?);
    let mut operation = Operation {
        id: record.text("id")?,
        kind: OperationKind::ALL
            .into_iter()
            .find(|k| k.name() == kind)
            .ok_or_else(|| corrupt(format!("an operation of kind {kind}")))?,
        status: OperationStatus::ALL
            .into_iter()
            .find(|s| s.name() == status)
            .ok_or_else(|| corrupt(format!("an operation's status {status}")))?,
        actor: record.text("actor")?,
        reason: record.text("reason")?,
        rate: record.number("rate")?,
        created_at: Timestamp(record.number("createdAt")?),
        finished_at: record.number("finishedAt").ok().map(Timestamp),
        total: record.number("total")?,
        succeeded: record.number("succeeded")?,
        failed: record.number("failed")?,
        skipped: record.number("skipped")?,
    };
    if operation.status == OperationStatus::Cancelled {
        // What was not begun was passed over; what was sent is counted when its outcome is known.
        let sent: u64 = record.number("sent").unwrap_or(0);
        operation.skipped = operation.total.saturating_sub(operation.succeeded + operation.failed + sent);
    }
    Ok(operation)
}

fn corrupt(reason: String) -> StoreError {
    StoreError::Corrupt { what: STORE, reason }
}
