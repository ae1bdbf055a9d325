//! Notifications on their way out.

use async_trait::async_trait;
use rusqlite::params;

use super::Sqlite;
use crate::notification::Notification;
use crate::ports::{Outbox, StoreError};
use crate::time::Timestamp;

#[async_trait]
impl Outbox for Sqlite {
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Notification>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT id,event_id,user_id,text,at,attempts FROM notification WHERE next_at<=?1 ORDER BY next_at,id LIMIT ?2";
            Ok(connection
                .prepare_cached(sql)?
                .query_map(params![now.0, limit], |row| {
                    Ok(Notification {
                        id: row.get(0)?,
                        event_id: row.get(1)?,
                        user_id: row.get(2)?,
                        text: row.get(3)?,
                        at: Timestamp(row.get(4)?),
                        attempts: row.get(5)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn sent(&self, id: i64) -> Result<(), StoreError> {
        self.write(move |write| {
            write
                .connection
                .prepare_cached("UPDATE notification SET attempts=attempts+1, next_at=NULL, error=NULL WHERE id=?1")?
                .execute([id])?;
            Ok(())
        })
        .await
    }

    async fn failed(&self, id: i64, error: &str, next_at: Option<Timestamp>) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.write(move |write| {
            write
                .connection
                .prepare_cached("UPDATE notification SET attempts=attempts+1, next_at=?2, error=?3 WHERE id=?1")?
                .execute(params![id, next_at.map(|at| at.0), error])?;
            Ok(())
        })
        .await
    }
}
