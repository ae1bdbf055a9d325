//! The dead letters.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};

use super::filter::conditions;
use super::{Failure, Sqlite, corrupt};
use crate::ledger::Attempt;
use crate::letter::{Depth, Letter, LetterDetail, LetterFilter, LetterGroup, LetterStatus};
use crate::page::{Page, check_limit, read_cursor};
use crate::ports::{Letters, StoreError};
use crate::time::Timestamp;

const COLUMNS: &str = "id,consumer,event_id,event_type,user_id,error_code,error_message,permanent,attempts,failed_redrives,published_at,first_failed_at,failed_at,status,status_at";

fn letter(row: &Row<'_>) -> Result<Letter, Failure> {
    let status: String = row.get(13)?;
    Ok(Letter {
        id: row.get(0)?,
        consumer: row.get(1)?,
        event_id: row.get(2)?,
        event_type: row.get(3)?,
        user_id: row.get(4)?,
        error_code: row.get(5)?,
        error_message: row.get(6)?,
        permanent: row.get(7)?,
        attempts: row.get(8)?,
        failed_redrives: row.get(9)?,
        published_at: Timestamp(row.get(10)?),
        first_failed_at: Timestamp(row.get(11)?),
        failed_at: Timestamp(row.get(12)?),
        status: LetterStatus::from_name(&status).ok_or_else(|| corrupt(format!("a letter's status {status}")))?,
        status_at: Timestamp(row.get(14)?),
    })
}

#[async_trait]
impl Letters for Sqlite {
    async fn list(&self, filter: &LetterFilter, page: u32, from: Option<&str>) -> Result<Page<Letter>, StoreError> {
        let page = check_limit(page)? as usize;
        let (mut sql, mut values) = conditions(filter)?;
        if let Some((at, id)) = from.map(read_cursor).transpose()? {
            sql.push_str(" AND (failed_at,id)<(?,?)");
            values.extend([at.into(), id.into()]);
        }
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM letter WHERE {sql} ORDER BY failed_at DESC, id DESC LIMIT {}",
                page + 1
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                items.push(letter(row)?);
            }
            let more = items.len() > page;
            items.truncate(page);
            let next = items
                .last()
                .filter(|_| more)
                .map(|last| format!("{}.{}", last.failed_at.0, last.id));
            Ok(Page { items, next })
        })
        .await
    }

    async fn count(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let (sql, values) = conditions(filter)?;
        self.read(move |connection| {
            Ok(connection
                .prepare_cached(&format!("SELECT count(*) FROM letter WHERE {sql}"))?
                .query_row(rusqlite::params_from_iter(values), |row| row.get(0))?)
        })
        .await
    }

    async fn get(&self, id: &str) -> Result<Option<LetterDetail>, StoreError> {
        let (id, store) = (id.to_owned(), self.inner.clone());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS},body,seq FROM letter WHERE id=?1"))?;
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let letter = letter(row)?;
            let (body, seq): (String, Option<i64>) = (row.get(15)?, row.get(16)?);
            let (mut history, mut done_by) = (Vec::new(), Vec::new());
            if let Some(seq) = seq {
                history = attempts(connection, seq, &letter.consumer)?;
                let (expected, open, dead): (i64, i64, i64) = connection
                    .prepare_cached("SELECT expected,open,dead FROM ledger WHERE seq=?1")?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?
                    .unwrap_or_default();
                let done = expected & !open & !dead;
                done_by = store
                    .lanes
                    .all()
                    .iter()
                    .filter(|lane| done & lane.bit() != 0 && lane.name != letter.consumer)
                    .map(|lane| lane.name.clone())
                    .collect();
            }
            Ok(Some(LetterDetail {
                operations: super::operations::of_letter(connection, &letter.id)?,
                letter,
                body,
                history,
                done_by,
            }))
        })
        .await
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        self.read(|connection| {
            let (open, oldest): (u64, Option<i64>) = connection
                .prepare_cached("SELECT count(*), min(first_failed_at) FROM letter WHERE status='open'")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let redriving = connection
                .prepare_cached("SELECT count(*) FROM letter WHERE status='redriving'")?
                .query_row([], |row| row.get(0))?;
            let by_consumer = connection
                .prepare_cached("SELECT consumer, count(*) FROM letter WHERE status='open' GROUP BY consumer ORDER BY consumer")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok(Depth {
                open,
                redriving,
                oldest: oldest.map(Timestamp),
                by_consumer,
            })
        })
        .await
    }

    async fn groups(&self) -> Result<Vec<LetterGroup>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT consumer,error_code,
                         (SELECT error_message FROM letter n WHERE n.status='open' AND n.consumer=l.consumer AND n.error_code=l.error_code ORDER BY failed_at DESC,id DESC LIMIT 1),
                         count(*),min(first_failed_at),max(failed_at)
                       FROM letter l WHERE status='open' GROUP BY consumer,error_code ORDER BY count(*) DESC, consumer, error_code";
            Ok(connection
                .prepare_cached(sql)?
                .query_map([], |row| {
                    Ok(LetterGroup {
                        consumer: row.get(0)?,
                        error_code: row.get(1)?,
                        example: row.get(2)?,
                        open: row.get(3)?,
                        first: Timestamp(row.get(4)?),
                        last: Timestamp(row.get(5)?),
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn attempts(connection: &Connection, seq: i64, consumer: &str) -> Result<Vec<Attempt>, Failure> {
    Ok(connection
        .prepare_cached(
            "SELECT number,at,duration_us,error FROM attempt WHERE seq=?1 AND consumer=(SELECT id FROM consumer WHERE name=?2) ORDER BY id",
        )?
        .query_map(rusqlite::params![seq, consumer], |row| {
            Ok(Attempt {
                number: row.get(0)?,
                at: Timestamp(row.get(1)?),
                duration_us: row.get(2)?,
                error: row.get(3)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}
