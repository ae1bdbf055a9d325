//! The record of what people did, chained by hashes.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::Sqlite;
use crate::activity::{Activity, NewActivity, Outcome};
use crate::page::{Page, check_limit, no_cursor};
use crate::ports::{ActivityLog, StoreError};
use crate::time::Timestamp;

#[async_trait]
impl ActivityLog for Sqlite {
    async fn record(&self, entry: NewActivity) -> Result<Activity, StoreError> {
        self.write(move |write| {
            let last: Option<(u64, String)> = write
                .connection
                .prepare_cached("SELECT id,hash FROM activity ORDER BY id DESC LIMIT 1")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (id, previous) = last.map_or((1, String::new()), |(id, hash)| (id + 1, hash));
            let at = Timestamp::now();
            let hash = entry.hash(&previous, id, at);
            let refused = match &entry.outcome {
                Outcome::Done => None,
                Outcome::Refused(why) => Some(why),
            };
            write
                .connection
                .prepare_cached(
                    "INSERT INTO activity(id,at,actor,action,target,summary,reason,refused,hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
                )?
                .execute(params![
                    id,
                    at.0,
                    entry.actor,
                    entry.action,
                    entry.target,
                    entry.summary,
                    entry.reason,
                    refused,
                    hash
                ])?;
            Ok(entry.kept(id, at, hash))
        })
        .await
    }

    async fn list(&self, page: u32, from: Option<&str>) -> Result<Page<Activity>, StoreError> {
        let page = check_limit(page)? as usize;
        let before = match from {
            None => i64::MAX,
            Some(text) => text.parse().map_err(|_| no_cursor())?,
        };
        self.read(move |connection| {
            let mut items: Vec<Activity> = connection
                .prepare_cached(
                    "SELECT id,at,actor,action,target,summary,reason,refused,hash FROM activity WHERE id<?1 ORDER BY id DESC LIMIT ?2",
                )?
                .query_map(params![before, page + 1], |row| {
                    Ok(Activity {
                        id: row.get(0)?,
                        at: Timestamp(row.get(1)?),
                        actor: row.get(2)?,
                        action: row.get(3)?,
                        target: row.get(4)?,
                        summary: row.get(5)?,
                        reason: row.get(6)?,
                        outcome: row.get::<_, Option<String>>(7)?.map_or(Outcome::Done, Outcome::Refused),
                        hash: row.get(8)?,
                    })
                })?
                .collect::<Result<_, _>>()?;
            let more = items.len() > page;
            items.truncate(page);
            let next = items.last().filter(|_| more).map(|last| last.id.to_string());
            Ok(Page { items, next })
        })
        .await
    }
}
