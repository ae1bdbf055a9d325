//! The event store.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params};

use super::{Failure, Sqlite, corrupt};
use crate::criteria::AuditEvidence;
use crate::event::Event;
use crate::page::{Page, check_limit, no_cursor, read_cursor};
use crate::ports::{EventFilter, EventPage, EventStore, Facets, StoreError, StoredEvent};
use crate::text::holds;
use crate::time::Timestamp;

/// How many events a text filter looks through before it answers with what it has.
const SEARCH_LIMIT: u64 = 20_000;
/// The most effects of one event that are listed.
const MAX_EFFECTS: u32 = 500;

fn stored(row: &Row<'_>) -> Result<StoredEvent, Failure> {
    let body: String = row.get("body")?;
    let event = Event::from_json(&body).map_err(|e| corrupt(format!("a stored event: {e}")))?;
    Ok(StoredEvent {
        event,
        stored_at: Timestamp(row.get("stored_at")?),
    })
}

#[async_trait]
impl EventStore for Sqlite {
    async fn list(&self, filter: &EventFilter, page: u32, from: Option<&str>) -> Result<EventPage, StoreError> {
        let page = check_limit(page)? as usize;
        filter.check()?;
        let filter = filter.clone();
        let start = match from.map(read_cursor).transpose()? {
            Some((at, id)) => Some((at, id.parse::<i64>().map_err(|_| no_cursor())?)),
            None => None,
        };
        self.read(move |connection| {
            let mut sql = String::from("SELECT id, at, stored_at, body FROM event WHERE 1");
            let mut values: Vec<Value> = Vec::new();
            for (column, wanted) in [
                ("event_type", &filter.event_type),
                ("source", &filter.source),
                ("user_id", &filter.user),
                ("correlation_id", &filter.correlation),
            ] {
                if let Some(wanted) = wanted {
                    sql.push_str(&format!(" AND {column}=?"));
                    values.push(wanted.clone().into());
                }
            }
            if let Some(from) = filter.from {
                sql.push_str(" AND at>=?");
                values.push(from.0.into());
            }
            if let Some(to) = filter.to {
                sql.push_str(" AND at<?");
                values.push(to.0.into());
            }
            if let Some((at, id)) = start {
                sql.push_str(" AND (at,id)<(?,?)");
                values.extend([at.into(), id.into()]);
            }
            sql.push_str(" ORDER BY at DESC, id DESC");
            let needle = filter.q.as_ref().map(|q| q.to_lowercase());
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let (mut items, mut searched, mut last, mut more) = (Vec::new(), 0, None, false);
            while let Some(row) = rows.next()? {
                if items.len() == page || (needle.is_some() && searched == SEARCH_LIMIT) {
                    more = true;
                    break;
                }
                searched += 1;
                last = Some((row.get::<_, i64>(1)?, row.get::<_, i64>(0)?));
                let found = stored(row)?;
                let fits = |needle: &String| holds(&found.event.event_id, needle) || holds(found.event.data.text(), needle);
                if needle.as_ref().is_none_or(fits) {
                    items.push(found);
                }
            }
            let next = last.filter(|_| more).map(|(at, id)| format!("{at}.{id}"));
            let partial = more && items.len() < page;
            Ok(EventPage {
                page: Page { items, next },
                searched: if needle.is_some() { searched } else { 0 },
                partial,
                left_out: 0,
                capacity: None,
            })
        })
        .await
    }

    async fn get(&self, event_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let event_id = event_id.to_owned();
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT stored_at, body FROM event WHERE event_id=?1")?
                .query_row([event_id], |row| Ok(stored(row)))
                .optional()?
                .transpose()
        })
        .await
    }

    async fn effects(&self, event_id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let event_id = event_id.to_owned();
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT stored_at, body FROM event WHERE causation_id=?1 ORDER BY at, id LIMIT ?2")?;
            let mut rows = statement.query(params![event_id, MAX_EFFECTS])?;
            let mut effects = Vec::new();
            while let Some(row) = rows.next()? {
                effects.push(stored(row)?);
            }
            Ok(effects)
        })
        .await
    }

    async fn facets(&self) -> Result<Facets, StoreError> {
        self.read(|connection| {
            // Skips from value to value along the index, so that it costs what there are of them, not of events.
            let distinct = |column: &str| -> Result<Vec<String>, Failure> {
                let sql = format!("WITH RECURSIVE v(x) AS (SELECT min({column}) FROM event UNION ALL SELECT (SELECT min({column}) FROM event WHERE {column}>x) FROM v WHERE x IS NOT NULL) SELECT x FROM v WHERE x IS NOT NULL LIMIT 200");
                Ok(connection.prepare_cached(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
            };
            Ok(Facets { types: distinct("event_type")?, sources: distinct("source")? })
        })
        .await
    }

    async fn completeness(&self) -> Result<AuditEvidence, StoreError> {
        let audit = self.inner.lanes.by_name("audit").map_or(0, super::lane::Lane::bit);
        self.read(move |connection| {
            let one = |sql: &str| -> Result<u64, Failure> { Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
            let on_the_way: u64 = connection
                .prepare_cached("SELECT count(*) FROM ledger WHERE open != 0 AND open & ?1")?
                .query_row([audit], |row| row.get(0))?;
            Ok(AuditEvidence {
                // Both tables only ever grow, and number their rows without gaps as long as nothing expires.
                published: one("SELECT coalesce(max(seq),0)-coalesce(min(seq),1)+1 FROM ledger")?,
                stored: one("SELECT coalesce(max(id),0)-coalesce(min(id),1)+1 FROM event")?,
                on_the_way,
                orphaned: one("SELECT count(*) FROM orphan")?,
            })
        })
        .await
    }
}
