//! Driving operations: item by item, each with its effect in one transaction.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::super::bus::{Accepted, now_us};
use super::super::writer::Write;
use super::super::{Failure, Inner, Sqlite};
use super::find;
use crate::delivery::Work;
use crate::event::Event;
use crate::operation::{ItemStatus, OperationKind, OperationStatus};
use crate::ports::{PublishError, StoreError};
use crate::time::Timestamp;

/// An operation that is to be driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub id: String,
    /// Items a second, at most.
    pub rate: u32,
}

impl Sqlite {
    /// The operations that have not ended.
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn running(&self) -> Result<Vec<Running>, StoreError> {
        self.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT id,rate FROM operation WHERE status='running' ORDER BY created_at")?
                .query_map([], |row| {
                    Ok(Running {
                        id: row.get(0)?,
                        rate: row.get(1)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Acts on the next `count` items of an operation, and ends it when each has its outcome. True while it goes on.
    ///
    /// # Errors
    /// The store doesn't answer; nothing was done then.
    pub async fn drive(&self, id: &str, count: u32) -> Result<bool, StoreError> {
        let (id, store) = (id.to_owned(), Arc::clone(&self.inner));
        self.write(move |write| {
            let Some(operation) = find(write.connection, &id)?.filter(|o| o.status == OperationStatus::Running) else {
                return Ok(false);
            };
            let items: Vec<(i64, String)> = write
                .connection
                .prepare_cached("SELECT n,letter FROM operation_item WHERE operation=?1 AND status='waiting' ORDER BY n LIMIT ?2")?
                .query_map(params![id, count], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (n, letter) in items {
                let (status, note) = act(write, &store, operation.kind, &letter)?;
                write
                    .connection
                    .prepare_cached("UPDATE operation_item SET status=?3, note=?4 WHERE operation=?1 AND n=?2")?
                    .execute(params![id, n, status.name(), note])?;
            }
            let left: i64 = write
                .connection
                .prepare_cached("SELECT count(*) FROM operation_item WHERE operation=?1 AND status IN ('waiting','sent')")?
                .query_row([&id], |row| row.get(0))?;
            if left == 0 {
                write
                    .connection
                    .prepare_cached("UPDATE operation SET status='done', finished_at=?2 WHERE id=?1")?
                    .execute(params![id, Timestamp::now().0])?;
            }
            Ok(left > 0)
        })
        .await
    }
}

struct Found {
    status: String,
    consumer: String,
    seq: Option<i64>,
    body: String,
}

fn act(write: &mut Write<'_>, store: &Arc<Inner>, kind: OperationKind, letter: &str) -> Result<(ItemStatus, Option<String>), Failure> {
    let found: Option<Found> = write
        .connection
        .prepare_cached("SELECT status,consumer,seq,body FROM letter WHERE id=?1")?
        .query_row([letter], |row| {
            Ok(Found {
                status: row.get(0)?,
                consumer: row.get(1)?,
                seq: row.get(2)?,
                body: row.get(3)?,
            })
        })
        .optional()?;
    let Some(found) = found else {
        return Ok((ItemStatus::Skipped, Some("there is no such letter".to_owned())));
    };
    let wanted = match kind {
        OperationKind::Redrive | OperationKind::Discard => "open",
        OperationKind::Restore => "discarded",
    };
    if found.status != wanted {
        return Ok((ItemStatus::Skipped, Some(format!("it is {}, not {wanted}", found.status))));
    }
    match kind {
        OperationKind::Discard => set_status(write, letter, "discarded").map(|()| (ItemStatus::Succeeded, None)),
        OperationKind::Restore => set_status(write, letter, "open").map(|()| (ItemStatus::Succeeded, None)),
        OperationKind::Redrive => redrive(write, store, letter, found),
    }
}

fn set_status(write: &Write<'_>, letter: &str, status: &str) -> Result<(), Failure> {
    write
        .connection
        .prepare_cached("UPDATE letter SET status=?2, status_at=?3 WHERE id=?1")?
        .execute(params![letter, status, Timestamp::now().0])?;
    Ok(())
}

/// Sends a letter back: to the one consumer that gave up, or, if it never was published, to the bus.
fn redrive(write: &mut Write<'_>, store: &Arc<Inner>, letter: &str, found: Found) -> Result<(ItemStatus, Option<String>), Failure> {
    let event = match Event::from_json(&found.body) {
        Ok(event) => event,
        Err(e) => {
            return Ok((ItemStatus::Failed, Some(format!("the body is not an event: {e}"))));
        }
    };
    let (Some(seq), Some(lane)) = (found.seq, store.lanes.by_name(&found.consumer)) else {
        return publish(write, store, letter, event);
    };
    let bit = lane.bit();
    let reopened: Option<(i64, i64)> = write
        .connection
        .prepare_cached("UPDATE ledger SET open = open | ?2, dead = dead & ~?2 WHERE seq=?1 AND dead & ?2 RETURNING published_at, shift")?
        .query_row(params![seq, bit], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((published_at, shift)) = reopened else {
        return Ok((ItemStatus::Skipped, Some("the ledger has it as completed".to_owned())));
    };
    // The bus may have let go of the body since.
    write
        .connection
        .prepare_cached("INSERT INTO bus(seq,body) VALUES(?1,?2) ON CONFLICT DO NOTHING")?
        .execute(params![seq, found.body])?;
    set_status(write, letter, "redriving")?;
    let (store, consumer) = (Arc::clone(store), found.consumer);
    let event = Arc::new(event);
    write.after_commit(move || {
        if let Some(lane) = store.lanes.by_name(&consumer) {
            let accepted_us = if shift > 0 { now_us() } else { published_at * 1000 };
            // What is redriven happens now, whenever it was published: it is not part of back-filled history.
            lane.push_front(Work {
                seq,
                event,
                accepted_us,
                shift: 0,
                attempt: 1,
                redriven: true,
            });
        }
    });
    Ok((ItemStatus::Sent, None))
}

fn publish(write: &mut Write<'_>, store: &Arc<Inner>, letter: &str, event: Event) -> Result<(ItemStatus, Option<String>), Failure> {
    let accepted = match event
        .validate(Timestamp::now().0)
        .map_err(Into::into)
        .and_then(|()| Accepted::prepare(event, &store.rules, &store.lanes, None))
    {
        Ok(accepted) => accepted,
        Err(e) => return still_unpublished(write, letter, &e),
    };
    match accepted.accept(write, &store.lanes)? {
        Ok(_) => set_status(write, letter, "redriven").map(|()| (ItemStatus::Succeeded, None)),
        Err(e) => still_unpublished(write, letter, &e),
    }
}

/// Notes that publishing what is in a letter failed once more.
fn still_unpublished(write: &Write<'_>, letter: &str, error: &PublishError) -> Result<(ItemStatus, Option<String>), Failure> {
    let (code, message) = (error.code(), error.to_string());
    write
        .connection
        .prepare_cached(
            "UPDATE letter SET failed_redrives=failed_redrives+1, attempts=attempts+1, failed_at=?2, error_code=?3, error_message=?4, permanent=?5 WHERE id=?1",
        )?
        .execute(params![letter, Timestamp::now().0, code, message, !error.is_transient()])?;
    Ok((ItemStatus::Failed, Some(message)))
}
