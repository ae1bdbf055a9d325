//! Handing out work: from a lane's memory first, from disk where memory had no room.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tokio_util::sync::CancellationToken;

use super::lane::{Lane, READY, RETRIES};
use super::{Failure, Sqlite, corrupt};
use crate::delivery::{Inbox, Settled, Work};
use crate::event::Event;
use crate::ports::StoreError;
use crate::time::Timestamp;

/// How many events are read from disk at a time.
const PAGE: usize = 1024;

#[async_trait]
impl Inbox for Sqlite {
    async fn next(&self, consumer: &str, max: usize, stop: &CancellationToken) -> Vec<Work> {
        let Some(lane) = self.inner.lanes.by_name(consumer) else {
            return Vec::new();
        };
        loop {
            // Before looking, so that a change between the look and the wait is not lost.
            let changed = lane.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if stop.is_cancelled() {
                return Vec::new();
            }
            let wait = match look(lane, max) {
                Look::Work(work) => return work,
                Look::Load => {
                    if let Err(e) = self.load(lane).await {
                        tracing::error!(consumer, error = %e, "could not read waiting events; trying again");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
                Look::Wait(wait) => wait,
            };
            tokio::select! {
                () = &mut changed => {}
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return Vec::new(),
            }
        }
    }

    fn goes_on(&self, consumer: &str) -> bool {
        self.inner.lanes.by_name(consumer).is_some_and(|lane| !lane.paused())
    }

    fn take_back(&self, consumer: &str, work: Vec<Work>) {
        if let Some(lane) = self.inner.lanes.by_name(consumer) {
            lane.take_back(work);
        }
    }

    async fn settle(&self, consumer: &str, settled: Arc<Vec<Settled>>) -> Result<(), StoreError> {
        self.apply(consumer, settled).await
    }
}

enum Look {
    Work(Vec<Work>),
    Load,
    Wait(Duration),
}

/// The longest a worker waits before it looks again, whatever it was told.
const IDLE: Duration = Duration::from_secs(5);

fn look(lane: &Lane, max: usize) -> Look {
    let mut state = lane.state();
    if lane.paused() {
        return Look::Wait(IDLE);
    }
    let now = Timestamp::now().0;
    while let Some(entry) = state.retries.first_entry() {
        if entry.key().0 > now {
            break;
        }
        let work = entry.remove();
        state.ready.push_front(work);
    }
    if !state.ready.is_empty() {
        // A short queue is shared among the workers, a long one is taken in large bites.
        let share = (state.ready.len() / 4).clamp(1, max);
        let work = state.ready.drain(..share).collect();
        if !state.ready.is_empty() {
            lane.changed.notify_one();
        }
        return Look::Work(work);
    }
    if !state.loading && (state.behind || (state.retries_on_disk && state.retries.is_empty())) {
        state.loading = true;
        return Look::Load;
    }
    let next_retry = state
        .retries
        .first_key_value()
        .map(|((due, _), _)| u64::try_from(due - now).unwrap_or(0));
    Look::Wait(next_retry.map_or(IDLE, |millis| Duration::from_millis(millis).min(IDLE)))
}

/// A row of the backlog.
struct Waiting {
    work: Work,
    due: Option<i64>,
}

impl Sqlite {
    async fn load(&self, lane: &Lane) -> Result<(), StoreError> {
        let (tail, behind, retries) = {
            let mut state = lane.state();
            state.missed = false;
            (state.tail, state.behind, state.retries_on_disk && state.retries.is_empty())
        };
        let (id, bit) = (lane.id, lane.bit());
        let read = self
            .read(move |connection| {
                let fresh = if behind { backlog(connection, id, bit, tail)? } else { Vec::new() };
                let retries = if retries { scheduled(connection, id)? } else { Vec::new() };
                Ok((fresh, retries))
            })
            .await;
        let mut state = lane.state();
        state.loading = false;
        let (fresh, scheduled) = read?;
        if behind {
            let full = fresh.len() == PAGE;
            for waiting in fresh {
                state.tail = waiting.work.seq;
                if state.held.insert(waiting.work.seq) {
                    state.ready.push_back(waiting.work);
                }
            }
            // Caught up only if the page was the last one and nothing came while it was read.
            state.behind = full || state.missed;
        }
        if retries {
            state.retries_on_disk = scheduled.len() == RETRIES;
            for waiting in scheduled {
                if state.held.insert(waiting.work.seq) {
                    state.retries.insert((waiting.due.unwrap_or(0), waiting.work.seq), waiting.work);
                }
            }
        }
        drop(state);
        lane.changed.notify_waiters();
        Ok(())
    }
}

const _: () = assert!(PAGE <= READY, "a page must fit into a lane");

/// Open events beyond `tail` that wait for their first attempt.
fn backlog(connection: &Connection, consumer: usize, bit: i64, tail: i64) -> Result<Vec<Waiting>, Failure> {
    rows(
        connection,
        "SELECT l.seq, b.body, l.published_at, l.shift, 0, NULL, EXISTS(SELECT 1 FROM letter d WHERE d.seq=l.seq AND d.consumer=c.name)
         FROM ledger l JOIN bus b ON b.seq=l.seq JOIN consumer c ON c.id=?1
         WHERE l.open != 0 AND l.open & ?2 AND l.seq > ?3 AND NOT EXISTS(SELECT 1 FROM retry r WHERE r.consumer=?1 AND r.seq=l.seq)
         ORDER BY l.seq LIMIT ?4",
        params![consumer, bit, tail, PAGE],
    )
}

/// Retries, the next due first.
fn scheduled(connection: &Connection, consumer: usize) -> Result<Vec<Waiting>, Failure> {
    rows(
        connection,
        "SELECT l.seq, b.body, l.published_at, l.shift, r.attempts, r.next_at, EXISTS(SELECT 1 FROM letter d WHERE d.seq=l.seq AND d.consumer=c.name)
         FROM retry r JOIN ledger l ON l.seq=r.seq JOIN bus b ON b.seq=r.seq JOIN consumer c ON c.id=?1
         WHERE r.consumer=?1 ORDER BY r.next_at LIMIT ?2",
        params![consumer, RETRIES],
    )
}

fn rows(connection: &Connection, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> Result<Vec<Waiting>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let (published_at, shift): (i64, i64) = (row.get(2)?, row.get(3)?);
        let seq = row.get(0)?;
        let event = Event::from_json(&body).map_err(|e| corrupt(format!("event {seq} on the bus: {e}")))?;
        waiting.push(Waiting {
            work: Work {
                seq,
                event: Arc::new(event),
                accepted_us: (published_at + shift) * 1000,
                shift,
                attempt: row.get::<_, u32>(4)? + 1,
                redriven: row.get(6)?,
            },
            due: row.get(5)?,
        });
    }
    Ok(waiting)
}
