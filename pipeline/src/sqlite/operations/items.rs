//! The items of operations, and the operations of a letter.

use rusqlite::{Connection, Row, params};

use super::super::{Failure, corrupt};
use super::kind;
use crate::operation::{ItemStatus, LetterOperation, OperationItem};
use crate::page::Page;
use crate::time::Timestamp;

fn status(row: &Row<'_>, column: usize) -> Result<ItemStatus, Failure> {
    let status: String = row.get(column)?;
    ItemStatus::ALL
        .into_iter()
        .find(|s| s.name() == status)
        .ok_or_else(|| corrupt(format!("an item's status {status}")))
}

/// The items after the `after`th, in their order, with `only` that status if one is named.
pub(super) fn of_operation(
    connection: &Connection,
    id: &str,
    only: Option<ItemStatus>,
    page: usize,
    after: i64,
) -> Result<Page<OperationItem>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT i.n,i.letter,i.status,i.note,l.consumer,l.event_type FROM operation_item i LEFT JOIN letter l ON l.id=i.letter
         WHERE i.operation=?1 AND i.n>?2 AND (?3 IS NULL OR i.status=?3) ORDER BY i.n LIMIT ?4",
    )?;
    let mut rows = statement.query(params![id, after, only.map(ItemStatus::name), page + 1])?;
    let (mut items, mut next, mut last) = (Vec::new(), None, after);
    while let Some(row) = rows.next()? {
        if items.len() == page {
            next = Some(last.to_string());
            break;
        }
        last = row.get(0)?;
        items.push(OperationItem {
            letter_id: row.get(1)?,
            consumer: row.get(4)?,
            event_type: row.get(5)?,
            status: status(row, 2)?,
            note: row.get(3)?,
        });
    }
    Ok(Page { items, next })
}

/// The most operations listed with a letter.
const OF_LETTER: u32 = 50;

/// What was done, or is being done, to a letter, newest first.
pub(in super::super) fn of_letter(connection: &Connection, letter: &str) -> Result<Vec<LetterOperation>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT o.id,o.kind,o.actor,o.reason,o.created_at,i.status,i.note FROM operation_item i JOIN operation o ON o.id=i.operation
         WHERE i.letter=?1 ORDER BY o.created_at DESC, o.id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![letter, OF_LETTER])?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        operations.push(LetterOperation {
            operation: row.get(0)?,
            kind: kind(&row.get::<_, String>(1)?)?,
            actor: row.get(2)?,
            reason: row.get(3)?,
            created_at: Timestamp(row.get(4)?),
            status: status(row, 5)?,
            note: row.get(6)?,
        });
    }
    Ok(operations)
}
