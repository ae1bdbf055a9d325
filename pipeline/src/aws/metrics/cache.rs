//! The file that keeps what CloudWatch said for the next start.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::book::Inner;
use super::budget::Spent;
use super::quantity::Key;
use crate::time::{Span, Timestamp};

/// `cuto`, in the header of the file; the next number says in which form it is.
const APPLICATION_ID: i64 = 0x6375_7463;
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE about(deployment TEXT NOT NULL);
    CREATE TABLE point(consumer TEXT NOT NULL, quantity TEXT NOT NULL, period INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL,
        PRIMARY KEY(period, at, consumer, quantity)) WITHOUT ROWID;
    CREATE TABLE asked(period INTEGER PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL);
    CREATE TABLE spent(day INTEGER PRIMARY KEY, micros INTEGER NOT NULL);
";

/// The cache can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The directory can't be made.
    #[error("the directory of the metrics' cache {} can't be made: {source}. Choose another with --data, or another file with aws.metrics.cache", path.display())]
    Directory {
        /// Of the cache.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file can't be opened or written.
    #[error("the metrics' cache {} can't be used: {reason}. Choose another directory with --data, or another file with aws.metrics.cache", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The file is something else.
    #[error("{} is not Cutover's cache of metrics: choose another file with aws.metrics.cache", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// Opens the cache of a deployment, and reads it; what it holds of another is forgotten. Without a `path` it lives in memory.
pub(super) fn open(path: Option<&Path>, deployment: &str) -> Result<(Connection, Inner), CacheError> {
    let place = path.unwrap_or(Path::new(":memory:"));
    let unusable = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => CacheError::Foreign { path: place.to_owned() },
        _ => CacheError::Unusable {
            path: place.to_owned(),
            reason: e.to_string(),
        },
    };
    if let Some(directory) = path.and_then(Path::parent) {
        std::fs::create_dir_all(directory).map_err(|source| CacheError::Directory {
            path: directory.to_owned(),
            source,
        })?;
    }
    let disk = Connection::open(place).map_err(unusable)?;
    if !prepare(&disk).map_err(unusable)? {
        return Err(CacheError::Foreign { path: place.to_owned() });
    }
    let inner = load(&disk, deployment).map_err(unusable)?;
    Ok((disk, inner))
}

/// Makes the tables of a new file; `false` if the file is something else.
fn prepare(disk: &Connection) -> rusqlite::Result<bool> {
    let pragma = |name: &str| disk.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION_ID, VERSION) => {}
        // Another version's: it is read anew from CloudWatch.
        (APPLICATION_ID, _) => {
            let tables: Vec<String> = disk
                .prepare("SELECT name FROM sqlite_master WHERE type='table'")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for table in tables {
                disk.execute_batch(&format!("DROP TABLE \"{table}\""))?;
            }
            disk.execute_batch(&format!("BEGIN;{SCHEMA}PRAGMA user_version={VERSION};COMMIT;"))?;
        }
        _ => {
            let tables: i64 = disk.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
            if tables > 0 {
                return Ok(false);
            }
            disk.execute_batch(&format!(
                "PRAGMA journal_mode=WAL;BEGIN;{SCHEMA}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={VERSION};COMMIT;"
            ))?;
        }
    }
    // It can be read again from CloudWatch: a crash may cost the last minute of it.
    disk.execute_batch("PRAGMA synchronous=NORMAL;")?;
    Ok(true)
}

fn load(disk: &Connection, deployment: &str) -> rusqlite::Result<Inner> {
    let of: Option<String> = disk.query_row("SELECT max(deployment) FROM about", [], |row| row.get(0))?;
    if of.as_deref() != Some(deployment) {
        // What was spent was spent, whatever for.
        disk.execute_batch("BEGIN;DELETE FROM about;DELETE FROM point;DELETE FROM asked;COMMIT;")?;
        disk.execute("INSERT INTO about VALUES(?1)", [deployment])?;
    }
    let mut inner = Inner::default();
    let mut points = disk.prepare("SELECT consumer,quantity,period,at,value FROM point")?;
    let mut rows = points.query([])?;
    while let Some(row) = rows.next()? {
        let (consumer, quantity): (String, String) = (row.get(0)?, row.get(1)?);
        // A number that this version doesn't know is another's.
        let Some(key) = Key::parse(&consumer, &quantity) else { continue };
        inner.lines.entry((key, row.get(2)?)).or_default().insert(row.get(3)?, row.get(4)?);
    }
    let mut asked = disk.prepare("SELECT period,since,until FROM asked")?;
    let mut rows = asked.query([])?;
    while let Some(row) = rows.next()? {
        let span = Span {
            from: Timestamp(row.get(1)?),
            to: Timestamp(row.get(2)?),
        };
        inner.asked.insert(row.get(0)?, span);
    }
    let spent = disk.query_row("SELECT day,micros FROM spent ORDER BY day DESC LIMIT 1", [], |row| {
        Ok(Spent {
            day: row.get(0)?,
            micros: row.get(1)?,
        })
    });
    inner.spent = spent.or_else(|e| match e {
        rusqlite::Error::QueryReturnedNoRows => Ok(Spent::default()),
        e => Err(e),
    })?;
    Ok(inner)
}
