//! The trigger ledger and what it says of parity.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::{Sqlite, analytics};
use crate::parity::{Difference, Pair, ParityReport, ParityRow, Verdict, compare};
use crate::ports::{DirectCall, Parity, StoreError};
use crate::time::{Span, Timestamp, check_range};
use crate::trigger::{AnalyticTypes, Trigger};

/// The most differences that a report lists.
const LISTED: usize = 50;

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
            let mut rows_by_type: BTreeMap<String, ParityRow> = BTreeMap::new();
            let mut differences = Vec::new();
            let mut statement = connection.prepare_cached(
                "SELECT operation_id,event_type,user_id,at,direct_priority,direct_types,direct_at,event_priority,event_types,event_at FROM trigger_ledger
                 WHERE at>=?1 AND at<?2 AND (both OR event_at IS NOT NULL) AND (?3 IS NULL OR event_type=?3) ORDER BY at DESC",
            )?;
            let mut rows = statement.query(params![span.from.0, span.to.0, wanted])?;
            while let Some(row) = rows.next()? {
                let pair = Pair { direct: side(row, 4)?, event: side(row, 7)? };
                let verdict = compare(pair, now.0);
                let event_type: String = row.get(1)?;
                let (direct, event) = (pair.direct.map(|(t, _)| t), pair.event.map(|(t, _)| t));
                let line = rows_by_type.entry(event_type.clone()).or_insert_with(|| ParityRow { event_type: event_type.clone(), ..Default::default() });
                // Newest first: the first of each kind is the most recent.
                line.direct = line.direct.or(direct);
                line.event = line.event.or(event);
                line.add(verdict, 1);
                if differences.len() < LISTED && matches!(verdict, Verdict::Different | Verdict::Missing | Verdict::Late) {
                    differences.push(Difference { operation_id: row.get(0)?, event_type, user_id: row.get(2)?, at: Timestamp(row.get(3)?), verdict, direct, event });
                }
            }
            let rows: Vec<ParityRow> = rows_by_type.into_values().collect();
            let mut total = ParityRow::default();
            for row in &rows {
                total.matched += row.matched;
                total.different += row.different;
                total.missing += row.missing;
                total.late += row.late;
                total.extra += row.extra;
                total.pending += row.pending;
            }
            Ok(ParityReport { span, rows, total, differences })
        })
        .await
    }
}
