//! Operations over dead letters, durable item by item.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bus::{Accepted, now_us};
use super::events::{cursor, limit};
use super::letters::conditions;
use super::writer::Write;
use super::{Failure, Inner, Sqlite, corrupt};
use crate::delivery::Work;
use crate::event::{Event, InvalidField};
use crate::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem, OperationKind, OperationStatus, Selection};
use crate::page::Page;
use crate::ports::{OperationError, Operations, PublishError, StoreError};
use crate::time::Timestamp;

/// The most letters one operation takes.
const MAX_ITEMS: usize = 100_000;
/// Items a second when the caller doesn't say.
const DEFAULT_RATE: u32 = 50;
/// The fastest an operation may go, items a second.
const MAX_RATE: u32 = 1_000;
/// The most items listed with an operation.
const LISTED: u32 = 1_000;

const SELECT: &str = "SELECT o.id,o.kind,o.status,o.actor,o.reason,o.rate,o.created_at,o.finished_at,
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='succeeded'),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='failed'),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='skipped') FROM operation o";

fn operation(row: &Row<'_>) -> Result<Operation, Failure> {
    let (kind, status): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Operation {
        id: row.get(0)?,
        kind: OperationKind::ALL
            .into_iter()
            .find(|k| k.name() == kind)
            .ok_or_else(|| corrupt(format!("an operation of kind {kind}")))?,
        status: OperationStatus::ALL
            .into_iter()
            .find(|s| s.name() == status)
            .ok_or_else(|| corrupt(format!("an operation's status {status}")))?,
        actor: row.get(3)?,
        reason: row.get(4)?,
        rate: row.get(5)?,
        created_at: Timestamp(row.get(6)?),
        finished_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
        total: row.get(8)?,
        succeeded: row.get(9)?,
        failed: row.get(10)?,
        skipped: row.get(11)?,
    })
}

fn find(connection: &Connection, id: &str) -> Result<Option<Operation>, Failure> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE o.id=?1"))?
        .query_row([id], |row| Ok(operation(row)))
        .optional()?
        .transpose()
}

fn check(wish: &NewOperation) -> Result<(), InvalidField> {
    if wish.reason.trim().is_empty() {
        return Err(InvalidField::new("reason", "is empty; say why, for those who read the record"));
    }
    if wish.reason.len() > 500 {
        return Err(InvalidField::new("reason", "is longer than 500 bytes"));
    }
    if wish.rate.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
        return Err(InvalidField::new("rate", format!("must be between 1 and {MAX_RATE} a second")));
    }
    match &wish.select {
        Selection::Ids(ids) if ids.is_empty() => Err(InvalidField::new("select.ids", "is empty")),
        Selection::Ids(ids) if ids.len() > MAX_ITEMS => {
            Err(InvalidField::new("select.ids", format!("holds more than {MAX_ITEMS} letters")))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl Operations for Sqlite {
    async fn start(&self, wish: &NewOperation, actor: &str) -> Result<Operation, OperationError> {
        check(wish)?;
        let (wish, actor) = (wish.clone(), actor.to_owned());
        let started = self
            .write(move |write| {
                let letters: Vec<String> = match &wish.select {
                    Selection::Ids(ids) => ids.clone(),
                    Selection::Filter(filter) => {
                        let (sql, values) = conditions(filter)?;
                        write
                            .connection
                            .prepare_cached(&format!(
                                "SELECT id FROM letter WHERE {sql} ORDER BY failed_at, id LIMIT {MAX_ITEMS}"
                            ))?
                            .query_map(rusqlite::params_from_iter(values), |row| row.get(0))?
                            .collect::<Result<_, _>>()?
                    }
                };
                let id = uuid::Uuid::now_v7().to_string();
                let status = if wish.dry_run {
                    OperationStatus::DryRun
                } else {
                    OperationStatus::Running
                };
                let (now, rate) = (Timestamp::now(), wish.rate.unwrap_or(DEFAULT_RATE));
                if wish.dry_run {
                    // Nothing is kept of a dry run but its answer.
                    return Ok(Operation {
                        id,
                        kind: wish.kind,
                        status,
                        actor,
                        reason: wish.reason,
                        rate,
                        created_at: now,
                        finished_at: Some(now),
                        total: letters.len() as u64,
                        succeeded: 0,
                        failed: 0,
                        skipped: 0,
                    });
                }
                write
                    .connection
                    .prepare_cached("INSERT INTO operation(id,kind,status,actor,reason,rate,created_at) VALUES(?1,?2,?3,?4,?5,?6,?7)")?
                    .execute(params![id, wish.kind.name(), status.name(), actor, wish.reason.trim(), rate, now.0])?;
                let mut insert = write
                    .connection
                    .prepare_cached("INSERT INTO operation_item(operation,n,letter,status) VALUES(?1,?2,?3,'waiting')")?;
                for (n, letter) in letters.iter().enumerate() {
                    insert.execute(params![id, n, letter])?;
                }
                find(write.connection, &id)?.ok_or_else(|| corrupt("an operation that was just written is gone"))
            })
            .await?;
        Ok(started)
    }

    async fn list(&self, page: u32, from: Option<&str>) -> Result<Page<Operation>, StoreError> {
        let page = limit(page)? as usize;
        let (at, id) = from.map(cursor).transpose()?.unwrap_or((i64::MAX, String::new()));
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "{SELECT} WHERE (o.created_at,o.id)<(?1,?2) ORDER BY o.created_at DESC, o.id DESC LIMIT ?3"
            ))?;
            let mut rows = statement.query(params![at, id, page + 1])?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(operation(row)?);
            }
            let more = items.len() > page;
            items.truncate(page);
            let next = items
                .last()
                .filter(|_| more)
                .map(|last| format!("{}.{}", last.created_at.0, last.id));
            Ok(Page { items, next })
        })
        .await
    }

    async fn get(&self, id: &str) -> Result<Option<OperationDetail>, StoreError> {
        let id = id.to_owned();
        self.read(move |connection| {
            let Some(operation) = find(connection, &id)? else { return Ok(None) };
            let mut statement =
                connection.prepare_cached("SELECT letter,status,note FROM operation_item WHERE operation=?1 ORDER BY n LIMIT ?2")?;
            let rows: Vec<(String, String, Option<String>)> = statement
                .query_map(params![id, LISTED], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let items = rows
                .into_iter()
                .map(|(letter_id, status, note)| {
                    let status = ItemStatus::ALL
                        .into_iter()
                        .find(|s| s.name() == status)
                        .ok_or_else(|| corrupt(format!("an item's status {status}")))?;
                    Ok(OperationItem { letter_id, status, note })
                })
                .collect::<Result<_, Failure>>()?;
            Ok(Some(OperationDetail { operation, items }))
        })
        .await
    }

    async fn cancel(&self, id: &str) -> Result<Operation, OperationError> {
        let wanted = id.to_owned();
        let cancelled = self
            .write(move |write| {
                let Some(operation) = find(write.connection, &wanted)? else {
                    return Ok(None);
                };
                let running = operation.status == OperationStatus::Running;
                if running {
                    write
                        .connection
                        .prepare_cached("UPDATE operation SET status='cancelled', finished_at=?2 WHERE id=?1")?
                        .execute(params![wanted, Timestamp::now().0])?;
                    write
                        .connection
                        .prepare_cached(
                            "UPDATE operation_item SET status='skipped', note='cancelled' WHERE operation=?1 AND status='waiting'",
                        )?
                        .execute([&wanted])?;
                }
                Ok(find(write.connection, &wanted)?.map(|operation| (operation, running)))
            })
            .await?;
        match cancelled {
            None => Err(OperationError::Unknown(id.to_owned())),
            Some((_, false)) => Err(OperationError::Ended(id.to_owned())),
            Some((operation, true)) => Ok(operation),
        }
    }
}

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
