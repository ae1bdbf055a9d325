//! Which analytics are to be computed.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::writer::Write;
use super::{Failure, Sqlite, corrupt};
use crate::page::check_limit;
use crate::ports::{AnalyticsQueue, StoreError};
use crate::time::Timestamp;
use crate::trigger::{AnalyticType, AnalyticsStatus, Trigger};

const COLUMNS: &str = "user_id,analytic_type,computation_needed,processing_priority,last_computed_date,marked_at";

/// Marks a user's analytics for recomputation at `at`, Unix milliseconds: what either path comes to in the end.
pub(super) fn mark(write: &Write<'_>, user_id: &str, trigger: Trigger, at: i64) -> Result<(), Failure> {
    let mut statement = write.connection.prepare_cached(
        "INSERT INTO analytics_status(user_id,analytic_type,computation_needed,processing_priority,marked_at) VALUES(?1,?2,1,?3,?4)
         ON CONFLICT DO UPDATE SET computation_needed=1, marked_at=max(marked_at+1,?4),
           processing_priority=CASE WHEN computation_needed THEN min(processing_priority,?3) ELSE ?3 END",
    )?;
    for analytic_type in trigger.types.iter() {
        statement.execute(params![user_id, analytic_type.name(), trigger.priority, at])?;
    }
    Ok(())
}

fn status(row: &Row<'_>) -> Result<AnalyticsStatus, Failure> {
    let name: String = row.get(1)?;
    Ok(AnalyticsStatus {
        user_id: row.get(0)?,
        analytic_type: AnalyticType::from_name(&name).ok_or_else(|| corrupt(format!("an analytics type {name}")))?,
        computation_needed: row.get(2)?,
        processing_priority: row.get(3)?,
        last_computed_date: row.get(4)?,
        marked_at: Timestamp(row.get(5)?),
    })
}

impl Sqlite {
    async fn statuses(&self, sql: String, parameters: impl rusqlite::Params + Send + 'static) -> Result<Vec<AnalyticsStatus>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(parameters)?;
            let mut list = Vec::new();
            while let Some(row) = rows.next()? {
                list.push(status(row)?);
            }
            Ok(list)
        })
        .await
    }
}

#[async_trait]
impl AnalyticsQueue for Sqlite {
    async fn of_user(&self, user_id: &str) -> Result<Vec<AnalyticsStatus>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM analytics_status WHERE user_id=?1");
        let mut list = self.statuses(sql, [user_id.to_owned()]).await?;
        list.sort_by_key(|status| status.analytic_type);
        Ok(list)
    }

    async fn needed(&self, most: u32) -> Result<Vec<AnalyticsStatus>, StoreError> {
        let most = check_limit(most)?;
        let sql =
            format!("SELECT {COLUMNS} FROM analytics_status WHERE computation_needed ORDER BY processing_priority, marked_at LIMIT ?1");
        self.statuses(sql, [most]).await
    }

    async fn computed(&self, status: &AnalyticsStatus, date: &str) -> Result<bool, StoreError> {
        let (status, date) = (status.clone(), date.to_owned());
        self.write(move |write| {
            let done = write
                .connection
                .prepare_cached(
                    "UPDATE analytics_status SET computation_needed=0, last_computed_date=?4 WHERE user_id=?1 AND analytic_type=?2 AND marked_at=?3",
                )?
                .execute(params![status.user_id, status.analytic_type.name(), status.marked_at.0, date])?;
            Ok(done > 0)
        })
        .await
    }
}
