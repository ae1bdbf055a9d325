//! Operations over dead letters, durable item by item.

mod drive;
mod items;

pub(super) use items::of_letter;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::filter::conditions;
use super::{Failure, Sqlite, corrupt};
use crate::operation::{
    ItemStatus, LISTED, MAX_ITEMS, NewOperation, Operation, OperationDetail, OperationItem, OperationKind, OperationStatus, Selection,
};
use crate::page::{Page, check_limit, no_cursor, read_cursor};
use crate::ports::{OperationError, Operations, StoreError};
use crate::time::Timestamp;

const SELECT: &str = "SELECT o.id,o.kind,o.status,o.actor,o.reason,o.rate,o.created_at,o.finished_at,
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='succeeded'),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='failed'),
  (SELECT count(*) FROM operation_item i WHERE i.operation=o.id AND i.status='skipped') FROM operation o";

fn operation(row: &Row<'_>) -> Result<Operation, Failure> {
    let status: String = row.get(2)?;
    Ok(Operation {
        id: row.get(0)?,
        kind: kind(&row.get::<_, String>(1)?)?,
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

fn kind(name: &str) -> Result<OperationKind, Failure> {
    let kind = OperationKind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(|| corrupt(format!("an operation of kind {name}")))
}

fn find(connection: &Connection, id: &str) -> Result<Option<Operation>, Failure> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE o.id=?1"))?
        .query_row([id], |row| Ok(operation(row)))
        .optional()?
        .transpose()
}

#[async_trait]
impl Operations for Sqlite {
    async fn start(&self, wish: &NewOperation, actor: &str) -> Result<Operation, OperationError> {
        wish.check()?;
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
                let begun = wish.begun(id.clone(), &actor, letters.len() as u64, Timestamp::now());
                if wish.dry_run {
                    // Nothing is kept of a dry run but its answer.
                    return Ok(begun);
                }
                write
                    .connection
                    .prepare_cached("INSERT INTO operation(id,kind,status,actor,reason,rate,created_at) VALUES(?1,?2,?3,?4,?5,?6,?7)")?
                    .execute(params![
                        id,
                        wish.kind.name(),
                        begun.status.name(),
                        actor,
                        begun.reason,
                        begun.rate,
                        begun.created_at.0
                    ])?;
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
        let page = check_limit(page)? as usize;
        let (at, id) = from.map(read_cursor).transpose()?.unwrap_or((i64::MAX, String::new()));
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
            let items = items::of_operation(connection, &id, None, LISTED, -1)?.items;
            Ok(Some(OperationDetail { operation, items }))
        })
        .await
    }

    async fn items(&self, id: &str, only: Option<ItemStatus>, page: u32, from: Option<&str>) -> Result<Page<OperationItem>, StoreError> {
        let page = check_limit(page)? as usize;
        let after: i64 = from.map_or(Ok(-1), str::parse).map_err(|_| no_cursor())?;
        let id = id.to_owned();
        self.read(move |connection| items::of_operation(connection, &id, only, page, after))
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
