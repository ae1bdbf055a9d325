//! Opening the data directory.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::schema;

/// The data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be made or written to.
    #[error("the data directory {} is not writable: {source}. Choose another with --data, or change its permissions", path.display())]
    NotWritable {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("the data directory {} is in use by another cutover process. Stop that one, or choose another directory with --data", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// A newer version of Cutover wrote it.
    #[error("the data directory {} was written by a newer version of Cutover (schema {found}, this one knows {known}). Run that version, or choose another directory with --data", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// The schema found there.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// The system doesn't let the database be read or written.
    #[error("the database {} can't be used: {reason}. Check the disk's space and the file's permissions, or choose another directory with --data", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Its database is not one of ours or is damaged.
    #[error("the database {} is damaged or not Cutover's: {reason}. Restore it from a backup, or move it away to start anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

/// An open data directory, locked against other processes.
pub(super) struct DataDir {
    database: PathBuf,
    _lock: File,
}

impl DataDir {
    pub(super) fn open(path: &Path) -> Result<(Self, Connection), OpenError> {
        let not_writable = |source| OpenError::NotWritable {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(not_writable)?;
        let lock = File::create(path.join("lock")).map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        let database = path.join("cutover.db");
        let damaged = |e: rusqlite::Error| OpenError::of(&database, &e);
        let connection = Connection::open(&database).map_err(damaged)?;
        match schema::prepare(&connection).map_err(damaged)? {
            schema::Found::Ours => {}
            schema::Found::Foreign => {
                return Err(OpenError::Damaged {
                    path: database,
                    reason: "it holds another application's tables".to_owned(),
                });
            }
            schema::Found::Newer { found, known } => {
                return Err(OpenError::Newer {
                    path: path.to_owned(),
                    found,
                    known,
                });
            }
        }
        Ok((Self { database, _lock: lock }, connection))
    }

    pub(super) fn database(&self) -> &Path {
        &self.database
    }
}

impl OpenError {
    /// What SQLite says of the database: whether the file is at fault, or what it lies on.
    fn of(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(CannotOpen | DiskFull | PermissionDenied | ReadOnly | SystemIoFailure) => Self::Unusable { path, reason },
            _ => Self::Damaged { path, reason },
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::of(Path::new("cutover.db"), &error)
    }
}
