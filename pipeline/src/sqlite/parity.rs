//! The trigger ledger and what it says of parity.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::{Sqlite, analytics};
use crate::parity::{Pair, ParityReport, Ran};
use crate::ports::{DirectCall, Parity, StoreError};
use crate::time::{Span, Timestamp, check_range};
use crate::trigger::{AnalyticTypes, Trigger};

/// Priority, types and time of one path, from three columns on.
fn side(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<(Trigger, i64)>> {
    let priority: Option<u8> = row.get(column)?;
    let types: Option<u16> = row.get(column + 1)?;
    let at: Option<i64> = row.get(column + 2)?;
    Ok(priority.zip(types).zip(at).map(|((priority, types), at)| {
        (
            Trigger {
                priority,
                types: AnalyticTypes(types),
            },
            at,
        )
    }))
}

#[async_trait]
impl Parity for Sqlite {
    async fn record_direct(&self, call: DirectCall) -> Result<(), StoreError> {
        self.write(move |write| {
            analytics::mark(write, &call.user_id, call.trigger, call.at.0)?;
            write
                .connection
                .prepare_cached(
                    "INSERT INTO trigger_ledger(operation_id,event_type,user_id,at,both,direct_priority,direct_types,direct_at) VALUES(?1,?2,?3,?4,?5,?6,?7,?4)
                     ON CONFLICT DO UPDATE SET both=?5, direct_priority=?6, direct_types=?7, direct_at=?4",
                )?
                .execute(params![call.operation_id, call.event_type, call.user_id, call.at.0, call.both, call.trigger.priority, call.trigger.types.0])?;
            Ok(())
        })
        .await
    }

    async fn report(&self, span: Span, event_type: Option<&str>, now: Timestamp) -> Result<ParityReport, StoreError> {
        check_range(Some(span.from), Some(span.to))?;
        let wanted = event_type.map(ToOwned::to_owned);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT operation_id,event_type,user_id,at,direct_priority,direct_types,direct_at,event_priority,event_types,event_at FROM trigger_ledger
                 WHERE at>=?1 AND at<?2 AND (both OR event_at IS NOT NULL) AND (?3 IS NULL OR event_type=?3) ORDER BY at DESC",
            )?;
            let mut rows = statement.query(params![span.from.0, span.to.0, wanted])?;
            let mut operations = Vec::new();
            while let Some(row) = rows.next()? {
                operations.push(Ran {
                    operation_id: row.get(0)?,
                    event_type: row.get(1)?,
                    user_id: row.get(2)?,
                    at: Timestamp(row.get(3)?),
                    pair: Pair {
                        direct: side(row, 4)?,
                        event: side(row, 7)?,
                    },
                });
            }
            Ok(ParityReport::of(span, operations, now))
        })
        .await
    }
}
