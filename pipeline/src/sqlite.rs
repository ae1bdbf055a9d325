//! The embedded adapter: every port over one SQLite database in the data directory.
//!
//! One thread writes, in group commits ([`writer`]); a few connections read ([`readers`]). Each noun has its file.

mod activity;
mod analytics;
mod bus;
mod consumers;
mod events;
mod filter;
mod flags;
mod inbox;
mod lane;
mod ledger;
mod letters;
mod metrics;
mod open;
mod operations;
mod outbox;
mod parity;
mod readers;
mod retention;
mod schema;
mod settle;
mod text;
mod transactions;
mod writer;

use std::path::Path;
use std::sync::Arc;

use open::DataDir;
pub use open::OpenError;
use readers::Readers;
use writer::{Write, Writer};

use crate::consumers::Consumer;
use crate::ports::{Ports, StoreError};
use crate::rule::Rules;
use lane::Lanes;

/// The store's name in errors.
const STORE: &str = "the data directory";

/// The embedded store. Cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    readers: Readers,
    rules: Rules,
    lanes: Arc<Lanes>,
    /// Held for as long as the store is open: one process a data directory.
    _dir: DataDir,
}

impl Sqlite {
    /// Opens the data directory, making it if it isn't there, and takes up the work that was left open.
    ///
    /// # Errors
    /// See [`OpenError`]: not writable, in use, from a newer version, damaged.
    pub fn open(dir: &Path, rules: Rules) -> Result<Self, OpenError> {
        let (dir, connection) = DataDir::open(dir)?;
        let names = consumers::register(&connection, &rules)?;
        let paused = consumers::paused(&connection)?;
        let lanes = Arc::new(Lanes::new(names, &paused));
        text::register(&connection)?;
        let readers = Readers::open(dir.database())?;
        let writer = Writer::start(connection)?;
        Ok(Self {
            inner: Arc::new(Inner {
                writer,
                readers,
                rules,
                lanes,
                _dir: dir,
            }),
        })
    }

    /// Reads the whole database and says what of it is damaged, the first few faults; empty if it is sound.
    ///
    /// # Errors
    /// It can't even be read.
    pub async fn examine(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            let faults: Vec<String> = connection
                .prepare("PRAGMA quick_check(5)")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(faults.into_iter().filter(|fault| fault != "ok").collect())
        })
        .await
    }

    /// The ports of the dashboard. `consumers` are asked what they do, for the pages.
    #[must_use]
    pub fn ports(&self, consumers: &[Arc<dyn Consumer>]) -> Ports {
        let store = Arc::new(self.clone());
        Ports {
            events: store.clone(),
            ledger: store.clone(),
            letters: store.clone(),
            operations: store.clone(),
            flags: store.clone(),
            metrics: store.clone(),
            consumers: Arc::new(consumers::Control::new(self.clone(), consumers)),
            parity: store.clone(),
            activity: store,
            deployment: None,
        }
    }

    /// Writes what is pending and closes; later calls fail with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.inner.writer.close().await;
    }

    /// Jobs that wait for the writer: how busy it is.
    #[must_use]
    pub fn write_queue(&self) -> usize {
        self.inner.writer.queued()
    }

    /// Notes that a demo made events here.
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn mark_demo(&self) -> Result<(), StoreError> {
        self.write(|write| {
            write
                .connection
                .execute("INSERT INTO mark(name,value) VALUES('demo',1) ON CONFLICT DO NOTHING", [])?;
            Ok(())
        })
        .await
    }

    /// Whether a demo ever made events here.
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn has_demo(&self) -> Result<bool, StoreError> {
        self.read(|connection| Ok(connection.query_row("SELECT EXISTS(SELECT 1 FROM mark WHERE name='demo')", [], |row| row.get(0))?))
            .await
    }

    async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.inner.writer.run(job).await
    }

    async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.inner.readers.run(job).await
    }
}

/// Why a job failed: SQLite's own error, or one of ours on its way to the caller.
#[derive(Debug)]
enum Failure {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(error) => match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Self::Corrupt {
                    what: STORE,
                    reason: error.to_string(),
                },
                _ => Self::Unavailable {
                    what: STORE,
                    reason: error.to_string(),
                },
            },
        }
    }
}

fn corrupt(reason: impl std::fmt::Display) -> Failure {
    Failure::Store(StoreError::Corrupt {
        what: STORE,
        reason: reason.to_string(),
    })
}

fn unavailable(reason: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable {
        what: STORE,
        reason: reason.to_string(),
    }
}
