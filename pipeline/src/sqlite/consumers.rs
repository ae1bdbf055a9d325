//! The consumers' register: names, pausing, and how they are.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{OpenError, Sqlite};
use crate::consumer::{ConsumerFault, ConsumerStatus, HEALTH_WINDOW};
use crate::consumers::Consumer;
use crate::metric::{By, Metric, SeriesQuery};
use crate::ports::{ConsumerControl, ConsumerList, Letters, Metrics, StoreError};
use crate::rule::Rules;
use crate::time::{HOUR, MINUTE, Span, Timestamp};

/// Gives every consumer of the rules an id, for good: its bit in the ledger. Answers the names in the order of their ids.
pub(super) fn register(connection: &Connection, rules: &Rules) -> Result<Vec<String>, OpenError> {
    for rule in rules.all() {
        connection.execute(
            "INSERT INTO consumer(id,name) VALUES((SELECT count(*) FROM consumer),?1) ON CONFLICT(name) DO NOTHING",
            [&rule.consumer],
        )?;
    }
    let names: Vec<String> = connection
        .prepare("SELECT name FROM consumer ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    assert!(names.len() < 63, "the ledger keeps a bit for each consumer: 62 at most");
    Ok(names)
}

pub(super) fn paused(connection: &Connection) -> Result<Vec<String>, OpenError> {
    Ok(connection
        .prepare("SELECT name FROM consumer WHERE paused")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// The consumers as the pages see them.
pub(super) struct Control {
    store: Sqlite,
    does: Vec<(String, String)>,
}

impl Control {
    pub(super) fn new(store: Sqlite, consumers: &[Arc<dyn Consumer>]) -> Self {
        Self {
            store,
            does: consumers.iter().map(|c| (c.name().to_owned(), c.does().to_owned())).collect(),
        }
    }
}

#[async_trait]
impl ConsumerControl for Control {
    async fn list(&self, span: Span) -> Result<ConsumerList, StoreError> {
        let now = Timestamp::now();
        let counts = self.store.counts(span).await?;
        let lately = self.store.counts(Span::ending(now, HEALTH_WINDOW)).await?;
        let depth = self.store.depth().await?;
        let query = SeriesQuery {
            metric: Metric::Throughput,
            by: By::Consumer,
            from: now.0 - HOUR,
            to: now.0,
            step: MINUTE,
            consumer: None,
        };
        let recent = self.store.series(&query).await?;
        let open = self
            .store
            .read(|connection| {
                let sql = "SELECT c.name, c.paused, (SELECT count(*) FROM ledger WHERE open != 0 AND open & (1 << c.id)), (SELECT count(*) FROM retry WHERE consumer=c.id) FROM consumer c ORDER BY c.id";
                Ok(connection
                    .prepare_cached(sql)?
                    .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, u64>(2)?, row.get::<_, u64>(3)?)))?
                    .collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        let mut items = Vec::with_capacity(open.len());
        for (name, paused, in_flight, retrying) in open {
            let counts = counts.iter().find(|c| c.name == name).cloned().unwrap_or_default();
            let recently = lately.iter().find(|c| c.name == name).cloned().unwrap_or_default();
            items.push(ConsumerStatus {
                does: self
                    .does
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, does)| does.clone())
                    .unwrap_or_default(),
                rules: self
                    .store
                    .inner
                    .rules
                    .all()
                    .iter()
                    .filter(|rule| rule.consumer == name)
                    .map(|rule| (rule.name.clone(), rule.pattern.to_string()))
                    .collect(),
                health: recently.health(paused),
                paused: Some(paused),
                window: span.millis(),
                processed: Some(counts.processed),
                failed: Some(counts.failed),
                per_minute: Some(counts.per_minute(span)),
                error_rate: counts.error_rate(),
                p50: counts.p50,
                p95: counts.p95,
                p99: counts.p99,
                in_flight: Some(in_flight),
                retrying: Some(retrying),
                dead_letters: Some(depth.by_consumer.iter().find(|(n, _)| *n == name).map_or(0, |(_, open)| *open)),
                recent: recent
                    .series
                    .iter()
                    .find(|s| s.label == name)
                    .map(|s| s.values.clone())
                    .unwrap_or_default(),
                last_errors: Some(self.faults(&name, 1).await?),
                name,
            });
        }
        Ok(ConsumerList { items, unread: Vec::new() })
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<bool, StoreError> {
        let Some(lane) = self.store.inner.lanes.by_name(name) else {
            return Ok(false);
        };
        let (id, lanes) = (lane.id, Arc::clone(&self.store.inner.lanes));
        self.store
            .write(move |write| {
                write
                    .connection
                    .prepare_cached("UPDATE consumer SET paused=?2 WHERE id=?1")?
                    .execute(params![id, paused])?;
                // In the order of the commits, so that memory and disk can't come to differ.
                write.after_commit(move || lanes.by_id(id).into_iter().for_each(|lane| lane.set_paused(paused)));
                Ok(())
            })
            .await?;
        Ok(true)
    }

    async fn faults(&self, name: &str, limit: u32) -> Result<Vec<ConsumerFault>, StoreError> {
        let Some(lane) = self.store.inner.lanes.by_name(name) else {
            return Ok(Vec::new());
        };
        let id = lane.id;
        self.store
            .read(move |connection| {
                let sql = "SELECT a.at, l.event_id, l.event_type, a.number, a.error FROM attempt a JOIN ledger l ON l.seq=a.seq
                           WHERE a.consumer=?1 AND a.outcome != 0 ORDER BY a.at DESC, a.id DESC LIMIT ?2";
                Ok(connection
                    .prepare_cached(sql)?
                    .query_map(params![id, limit], |row| {
                        Ok(ConsumerFault {
                            at: Timestamp(row.get(0)?),
                            event_id: row.get(1)?,
                            event_type: row.get(2)?,
                            attempt: row.get(3)?,
                            error: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                        })
                    })?
                    .collect::<Result<_, _>>()?)
            })
            .await
    }
}
