//! Forgetting what is too old.

use rusqlite::params;

use super::Sqlite;
use crate::ports::StoreError;
use crate::retention::{AT_ONCE, Retention};
use crate::time::Timestamp;

/// Rows that are too old, of three tables, the oldest first. An attempt stays as long as its event is open or dead; and the
/// newest stays whatever its age, because the next one's id, which the metrics' mark goes by, is counted from it.
const ATTEMPTS: &str = "DELETE FROM attempt WHERE id IN (SELECT a.id FROM attempt a JOIN ledger l ON l.seq=a.seq WHERE a.at<?1 AND l.open=0 AND l.dead=0 AND a.id<(SELECT max(id) FROM attempt) ORDER BY a.at LIMIT ?2)";
const NOTIFICATIONS: &str =
    "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE at<?1 AND next_at IS NULL ORDER BY at LIMIT ?2)";
const TRIGGERS: &str =
    "DELETE FROM trigger_ledger WHERE operation_id IN (SELECT operation_id FROM trigger_ledger WHERE at<?1 ORDER BY at LIMIT ?2)";

impl Sqlite {
    /// Forgets some of what is too old at `now`; answers how many rows, `AT_ONCE` or more if there may be others.
    pub(crate) async fn forget(&self, retention: Retention, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |write| {
            let mut most = 0;
            for (sql, kept) in [
                (ATTEMPTS, retention.attempts),
                (NOTIFICATIONS, retention.attempts),
                (TRIGGERS, retention.triggers),
            ] {
                if let Some(kept) = kept {
                    let gone = write.connection.prepare_cached(sql)?.execute(params![now.0 - kept, AT_ONCE])?;
                    most = most.max(gone);
                }
            }
            Ok(most)
        })
        .await
    }
}
