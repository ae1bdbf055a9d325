//! The tables.

use rusqlite::Connection;

/// Marks a database as Cutover's: "CUTO".
const APPLICATION_ID: i64 = 0x4355_544f;
/// The schema that this version writes: that many of the [`STEPS`] have been taken.
#[allow(clippy::cast_possible_wrap)] // a handful
const VERSION: i64 = STEPS.len() as i64;

/// What a database turned out to be.
pub(super) enum Found {
    Ours,
    Foreign,
    Newer { found: i64, known: i64 },
}

/// Looks at a database and brings it to the current schema.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<Found> {
    // Ask before anything is written: a foreign or newer database stays as it is.
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Ok(Found::Foreign);
    }
    if version > VERSION {
        return Ok(Found::Newer {
            found: version,
            known: VERSION,
        });
    }
    configure(connection)?;
    if version < VERSION {
        let steps: String = STEPS.iter().skip(usize::try_from(version).unwrap_or(0)).copied().collect();
        connection.execute_batch(&format!(
            "BEGIN;{steps}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={VERSION};COMMIT;"
        ))?;
    }
    Ok(Found::Ours)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;
         PRAGMA cache_size=-32000; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// What each version added. A step that was released is never changed.
const STEPS: [&str; 4] = [TABLES, OUTBOX, INHERITED, BY_LETTER];

/// A letter says what was done to it.
const BY_LETTER: &str = "CREATE INDEX operation_item_letter ON operation_item(letter);";

/// A publisher's own flags can be taken back; its versions go on counting, so that nobody mistakes the next ones for the first.
const INHERITED: &str = "
ALTER TABLE flag ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flag_change ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0;
";

/// Notifications wait to be sent; the partial index holds only those.
const OUTBOX: &str = "
ALTER TABLE notification ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notification ADD COLUMN next_at INTEGER;
ALTER TABLE notification ADD COLUMN error TEXT;
CREATE INDEX notification_waiting ON notification(next_at) WHERE next_at IS NOT NULL;
CREATE INDEX notification_at ON notification(at);
CREATE INDEX attempt_at ON attempt(at);
CREATE INDEX analytics_needed ON analytics_status(processing_priority, marked_at) WHERE computation_needed;
DROP INDEX attempt_failed;
CREATE INDEX attempt_failed ON attempt(consumer, at, id) WHERE outcome != 0;
";

/// `ledger.open` and `ledger.dead` are sets of consumers, one bit each: one narrow row an event, and the partial
/// indexes hold only what is open or dead, so that finding it costs what there is of it.
const TABLES: &str = "
CREATE TABLE consumer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, paused INTEGER NOT NULL DEFAULT 0);
CREATE TABLE ledger(
  seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL, digest INTEGER NOT NULL,
  published_at INTEGER NOT NULL, shift INTEGER NOT NULL, expected INTEGER NOT NULL, open INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0);
CREATE INDEX ledger_open ON ledger(seq) WHERE open != 0;
CREATE INDEX ledger_dead ON ledger(seq) WHERE dead != 0;
CREATE TABLE bus(seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE attempt(
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, consumer INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL, latency_us INTEGER NOT NULL, outcome INTEGER NOT NULL, error TEXT);
CREATE INDEX attempt_seq ON attempt(seq);
CREATE INDEX attempt_failed ON attempt(consumer, id) WHERE outcome != 0;
CREATE TABLE retry(consumer INTEGER NOT NULL, seq INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, PRIMARY KEY(consumer, seq)) WITHOUT ROWID;
CREATE INDEX retry_due ON retry(consumer, next_at);
CREATE TABLE total(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE event(
  id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, event_type TEXT NOT NULL, source TEXT NOT NULL,
  user_id TEXT NOT NULL, correlation_id TEXT, causation_id TEXT, stored_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX event_at ON event(at, id);
CREATE INDEX event_type ON event(event_type, at, id);
CREATE INDEX event_source ON event(source, at, id);
CREATE INDEX event_user ON event(user_id, at, id);
CREATE INDEX event_correlation ON event(correlation_id, at, id) WHERE correlation_id IS NOT NULL;
CREATE TABLE orphan(event_id TEXT PRIMARY KEY, causation_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX orphan_cause ON orphan(causation_id);
CREATE INDEX event_causation ON event(causation_id) WHERE causation_id IS NOT NULL;

CREATE TABLE letter(
  id TEXT PRIMARY KEY, seq INTEGER, consumer TEXT NOT NULL, event_id TEXT, event_type TEXT, user_id TEXT, error_code TEXT NOT NULL,
  error_message TEXT NOT NULL, permanent INTEGER NOT NULL, attempts INTEGER NOT NULL, failed_redrives INTEGER NOT NULL DEFAULT 0,
  published_at INTEGER NOT NULL, first_failed_at INTEGER NOT NULL, failed_at INTEGER NOT NULL, status TEXT NOT NULL,
  status_at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX letter_seq ON letter(seq, consumer);
CREATE INDEX letter_failed ON letter(failed_at, id);
CREATE INDEX letter_status ON letter(status, failed_at, id);

CREATE TABLE operation(
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, rate INTEGER NOT NULL,
  created_at INTEGER NOT NULL, finished_at INTEGER) WITHOUT ROWID;
CREATE INDEX operation_created ON operation(created_at);
CREATE TABLE operation_item(operation TEXT NOT NULL, n INTEGER NOT NULL, letter TEXT NOT NULL, status TEXT NOT NULL, note TEXT, PRIMARY KEY(operation, n)) WITHOUT ROWID;
CREATE INDEX operation_item_status ON operation_item(operation, status);
CREATE INDEX operation_item_sent ON operation_item(letter) WHERE status = 'sent';

CREATE TABLE flag(scope TEXT PRIMARY KEY, publishing INTEGER NOT NULL, direct INTEGER NOT NULL, version INTEGER NOT NULL, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE flag_change(
  id INTEGER PRIMARY KEY, scope TEXT NOT NULL, version INTEGER NOT NULL, from_publishing INTEGER NOT NULL, from_direct INTEGER NOT NULL,
  to_publishing INTEGER NOT NULL, to_direct INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, criteria TEXT NOT NULL);

CREATE TABLE trigger_ledger(
  operation_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, user_id TEXT NOT NULL, at INTEGER NOT NULL, both INTEGER NOT NULL DEFAULT 0,
  direct_priority INTEGER, direct_types INTEGER, direct_at INTEGER, event_priority INTEGER, event_types INTEGER, event_at INTEGER) WITHOUT ROWID;
CREATE INDEX trigger_at ON trigger_ledger(at, event_type, both, direct_priority, direct_types, direct_at, event_priority, event_types, event_at);
CREATE TABLE analytics_status(
  user_id TEXT NOT NULL, analytic_type TEXT NOT NULL, computation_needed INTEGER NOT NULL, processing_priority INTEGER NOT NULL,
  last_computed_date TEXT, marked_at INTEGER NOT NULL, PRIMARY KEY(user_id, analytic_type)) WITHOUT ROWID;
CREATE TABLE notification(id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, user_id TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE app_transaction(id TEXT PRIMARY KEY, user_id TEXT NOT NULL, account_id TEXT NOT NULL, description TEXT NOT NULL, category_id TEXT) WITHOUT ROWID;
CREATE INDEX app_transaction_uncategorized ON app_transaction(user_id, id) WHERE category_id IS NULL;
CREATE TABLE category_rule(id TEXT PRIMARY KEY, user_id TEXT NOT NULL, category_id TEXT NOT NULL, pattern TEXT NOT NULL, priority INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX category_rule_user ON category_rule(user_id, priority);

CREATE TABLE metric(
  step INTEGER NOT NULL, at INTEGER NOT NULL, consumer INTEGER NOT NULL, event_type TEXT NOT NULL, processed INTEGER NOT NULL,
  failed INTEGER NOT NULL, latency BLOB, PRIMARY KEY(step, at, consumer, event_type)) WITHOUT ROWID;
CREATE TABLE gauge(step INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, consumer INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY(step, at, name, consumer)) WITHOUT ROWID;
CREATE TABLE mark(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE activity(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, summary TEXT NOT NULL,
  reason TEXT, refused TEXT, hash TEXT NOT NULL);
";
