//! Connections that only read, a few of them, shared by whoever asks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{Failure, unavailable};
use crate::ports::StoreError;

/// How many reads run at once; more would only contend for two cores and the page cache.
const CONNECTIONS: usize = 4;

#[derive(Clone)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(database: &Path) -> rusqlite::Result<Self> {
        let connections = (0..CONNECTIONS)
            .map(|_| {
                let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
                connection.execute_batch("PRAGMA cache_size=-4000; PRAGMA busy_timeout=5000; PRAGMA query_only=ON;")?;
                super::text::register(&connection)?;
                connection.set_prepared_statement_cache_capacity(64);
                Ok(connection)
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Self {
            idle: Arc::new(Mutex::new(connections)),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Runs `job` on a thread that may block, in one read transaction, so that all it sees is of one moment.
    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let _permit = self.permits.acquire().await.map_err(unavailable)?;
        let idle = Arc::clone(&self.idle);
        tokio::task::spawn_blocking(move || {
            let connection = take(&idle).ok_or_else(|| unavailable("no idle connection"))?;
            let result = connection
                .execute_batch("BEGIN")
                .map_err(Failure::from)
                .and_then(|()| job(&connection))
                .map_err(StoreError::from);
            // A read transaction has nothing to lose; ending it can only fail if it never began.
            let _ = connection.execute_batch("COMMIT");
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        })
        .await
        .map_err(unavailable)?
    }
}

fn take(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}
