//! The ledger.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::lane::Lanes;
use super::{Failure, Sqlite};
use crate::ledger::{Attempt, Delivery, DeliveryState, LedgerEntry, LedgerSummary};
use crate::ports::{Ledger, StoreError};
use crate::time::{MINUTE, Timestamp};

/// An open delivery older than this that nothing is going to attempt is unaccounted for, milliseconds.
const OVERDUE: i64 = 5 * MINUTE;

struct Line {
    seq: i64,
    event_id: String,
    event_type: String,
    published_at: i64,
    expected: i64,
    open: i64,
    dead: i64,
}

fn line(row: &rusqlite::Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line {
        seq: row.get(0)?,
        event_id: row.get(1)?,
        event_type: row.get(2)?,
        published_at: row.get(3)?,
        expected: row.get(4)?,
        open: row.get(5)?,
        dead: row.get(6)?,
    })
}

const COLUMNS: &str = "seq,event_id,event_type,published_at,expected,open,dead";

fn entry(connection: &Connection, lanes: &Lanes, line: Line) -> Result<LedgerEntry, Failure> {
    let mut attempts = connection.prepare_cached("SELECT consumer,number,at,duration_us,error FROM attempt WHERE seq=?1 ORDER BY id")?;
    let attempts: Vec<(usize, Attempt)> = attempts
        .query_map([line.seq], |row| {
            Ok((
                row.get(0)?,
                Attempt {
                    number: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                    duration_us: row.get(3)?,
                    error: row.get(4)?,
                },
            ))
        })?
        .collect::<Result<_, _>>()?;
    let mut retries = connection.prepare_cached("SELECT next_at FROM retry WHERE consumer=?1 AND seq=?2")?;
    let mut deliveries = Vec::new();
    for lane in lanes.all().iter().filter(|lane| line.expected & lane.bit() != 0) {
        let state = if line.open & lane.bit() != 0 {
            DeliveryState::Open
        } else if line.dead & lane.bit() != 0 {
            DeliveryState::DeadLettered
        } else {
            DeliveryState::Completed
        };
        deliveries.push(Delivery {
            consumer: lane.name.clone(),
            state,
            attempts: attempts
                .iter()
                .filter(|(consumer, _)| *consumer == lane.id)
                .map(|(_, attempt)| attempt.clone())
                .collect(),
            next_at: retries
                .query_row(params![lane.id, line.seq], |row| row.get(0))
                .optional()?
                .map(Timestamp),
        });
    }
    Ok(LedgerEntry {
        event_id: line.event_id,
        event_type: line.event_type,
        published_at: Timestamp(line.published_at),
        deliveries,
    })
}

#[async_trait]
impl Ledger for Sqlite {
    async fn entry(&self, event_id: &str) -> Result<Option<LedgerEntry>, StoreError> {
        let (event_id, store) = (event_id.to_owned(), self.inner.clone());
        self.read(move |connection| {
            let found = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM ledger WHERE event_id=?1"))?
                .query_row([event_id], line)
                .optional()?;
            found.map(|line| entry(connection, &store.lanes, line)).transpose()
        })
        .await
    }

    async fn summary(&self) -> Result<LedgerSummary, StoreError> {
        let store = self.inner.clone();
        self.read(move |connection| {
            let one = |sql: &str| -> Result<u64, Failure> { Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
            Ok(LedgerSummary {
                published: one("SELECT coalesce(max(seq),0)-coalesce(min(seq),1)+1 FROM ledger")?,
                completed: one("SELECT coalesce((SELECT value FROM total WHERE name='completed'),0)")?,
                dead_lettered: one("SELECT count(*) FROM ledger WHERE dead != 0 AND open = 0")?,
                in_flight: one("SELECT count(*) FROM ledger WHERE open != 0")?,
                unaccounted: unaccounted(connection, &store.lanes)?,
            })
        })
        .await
    }

    async fn open(&self, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let store = self.inner.clone();
        self.read(move |connection| {
            let lines: Vec<Line> = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM ledger WHERE open != 0 ORDER BY seq LIMIT ?1"))?
                .query_map([limit], line)?
                .collect::<Result<_, _>>()?;
            lines.into_iter().map(|line| entry(connection, &store.lanes, line)).collect()
        })
        .await
    }
}

/// Open events that a running consumer has passed by: it has seen further, doesn't hold them, and plans no retry.
fn unaccounted(connection: &Connection, lanes: &Lanes) -> Result<u64, Failure> {
    let before = Timestamp::now().0 - OVERDUE;
    let mut lost = std::collections::BTreeSet::new();
    for lane in lanes.all() {
        let mut statement = connection.prepare_cached(
            "SELECT seq FROM ledger l WHERE open != 0 AND open & ?1 AND published_at + shift < ?2 AND NOT EXISTS(SELECT 1 FROM retry r WHERE r.consumer=?3 AND r.seq=l.seq)",
        )?;
        let overdue: Vec<i64> = statement
            .query_map(params![lane.bit(), before, lane.id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let state = lane.state();
        lost.extend(overdue.into_iter().filter(|seq| *seq <= state.tail && !state.held.contains(seq)));
    }
    Ok(lost.len() as u64)
}
