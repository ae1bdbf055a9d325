//! Counting, and writing the counts.

use std::collections::HashMap;
use std::sync::Arc;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use rusqlite::{Connection, OptionalExtension, params};

use crate::event::Event;
use crate::metric::{HOUR_RETENTION, MINUTE_RETENTION};
use crate::time::{HOUR, MINUTE, Timestamp};

/// Stands for the bus in place of a consumer: what was published.
pub(crate) const PUBLISHER: i64 = -1;
/// Latencies are kept to two significant figures, up to a day, in microseconds.
const MAX_LATENCY_US: u64 = 24 * 3_600_000_000;

/// What is in flight is counted this often, milliseconds: it costs what is open.
const GAUGE_EVERY: i64 = 5_000;

/// Something to be counted.
pub(crate) struct Sample {
    /// The consumer's id, or [`PUBLISHER`].
    pub(crate) consumer: i64,
    /// What it happened to.
    pub(crate) event: Arc<Event>,
    /// When, Unix milliseconds.
    pub(crate) at: i64,
    /// What happened.
    pub(crate) what: Counted,
}

/// What is counted.
pub(crate) enum Counted {
    /// The bus took it.
    Published,
    /// A consumer's attempt failed.
    Failed,
    /// A consumer completed it: published to processed, microseconds. `None` for a redrive, whose wait among the dead letters
    /// says nothing of the pipeline's speed.
    Completed(Option<u64>),
}

/// The counts of one minute, consumer and type.
#[derive(Default)]
struct Cell {
    processed: u64,
    failed: u64,
    latencies: Vec<u64>,
}

impl Cell {
    fn merge(&mut self, other: &Self) {
        self.processed += other.processed;
        self.failed += other.failed;
        self.latencies.extend_from_slice(&other.latencies);
    }
}

type Key = (i64, i64, String);

/// Stands for all types together: most questions are about consumers, and then need one row of a minute instead of a dozen.
pub(crate) const ALL_TYPES: &str = "";

/// What happened since the metrics were last written.
pub(crate) struct Book {
    cells: HashMap<Key, Cell>,
    trimmed_at: i64,
    gauged_at: i64,
    /// What was in flight then.
    gauged: i64,
}

impl Book {
    /// Counts what an earlier run did after it last wrote its metrics.
    pub(crate) fn recover(connection: &Connection) -> rusqlite::Result<Self> {
        let mut book = Self {
            cells: HashMap::new(),
            trimmed_at: 0,
            gauged_at: 0,
            gauged: 0,
        };
        let mark = |name: &str| -> rusqlite::Result<i64> {
            Ok(connection
                .query_row("SELECT value FROM mark WHERE name=?1", [name], |row| row.get(0))
                .optional()?
                .unwrap_or(0))
        };
        let mut published = connection.prepare("SELECT published_at, event_type FROM ledger WHERE seq > ?1")?;
        let mut rows = published.query([mark("ledger")?])?;
        while let Some(row) = rows.next()? {
            book.cell(row.get(0)?, PUBLISHER, &row.get::<_, String>(1)?).processed += 1;
        }
        let mut attempts = connection.prepare(
            "SELECT a.at, a.consumer, l.event_type, a.outcome, a.latency_us FROM attempt a JOIN ledger l ON l.seq=a.seq WHERE a.id > ?1",
        )?;
        let mut rows = attempts.query([mark("attempt")?])?;
        while let Some(row) = rows.next()? {
            let cell = book.cell(row.get(0)?, row.get(1)?, &row.get::<_, String>(2)?);
            if row.get::<_, i64>(3)? == 0 {
                cell.processed += 1;
                // A negative one is none: see `settle`.
                cell.latencies.extend(u64::try_from(row.get::<_, i64>(4)?));
            } else {
                cell.failed += 1;
            }
        }
        Ok(book)
    }

    fn cell(&mut self, at: i64, consumer: i64, event_type: &str) -> &mut Cell {
        self.cells
            .entry((Timestamp(at).floor(MINUTE).0, consumer, event_type.to_owned()))
            .or_default()
    }

    pub(crate) fn is_dirty(&self) -> bool {
        !self.cells.is_empty()
    }

    pub(crate) fn add(&mut self, samples: Vec<Sample>) {
        for sample in samples {
            let cell = self.cell(sample.at, sample.consumer, &sample.event.event_type);
            match sample.what {
                Counted::Published => cell.processed += 1,
                Counted::Failed => cell.failed += 1,
                Counted::Completed(latency) => {
                    cell.processed += 1;
                    cell.latencies.extend(latency.map(|latency| latency.min(MAX_LATENCY_US)));
                }
            }
        }
    }

    /// Adds the counts to what is on disk, by the minute and by the hour, and moves the marks.
    pub(crate) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut sums: HashMap<(i64, Key), Cell> = HashMap::new();
        for ((minute, consumer, event_type), cell) in &self.cells {
            let hour = Timestamp(*minute).floor(HOUR).0;
            for (step, at, event_type) in [
                (MINUTE, *minute, event_type.as_str()),
                (MINUTE, *minute, ALL_TYPES),
                (HOUR, hour, event_type.as_str()),
                (HOUR, hour, ALL_TYPES),
            ] {
                sums.entry((step, (at, *consumer, event_type.to_owned()))).or_default().merge(cell);
            }
        }
        for ((step, (at, consumer, event_type)), cell) in &sums {
            merge(connection, *step, *at, *consumer, event_type, cell)?;
        }
        connection
            .prepare_cached(
                "INSERT INTO mark(name,value) VALUES('ledger',(SELECT coalesce(max(seq),0) FROM ledger)),('attempt',(SELECT coalesce(max(id),0) FROM attempt))
                 ON CONFLICT DO UPDATE SET value=excluded.value",
            )?
            .execute([])?;
        self.gauges(connection)?;
        self.trim(connection)
    }

    /// To be called once what [`write`](Self::write) wrote is on disk.
    pub(crate) fn written(&mut self) {
        self.cells.clear();
    }

    /// Notes how much is in flight, by consumer: the last word of a minute stands.
    fn gauges(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let now = Timestamp::now();
        if now.0 - self.gauged_at < GAUGE_EVERY {
            return Ok(());
        }
        (self.gauged_at, self.gauged) = (now.0, in_flight(connection)?);
        for step in [MINUTE, HOUR] {
            connection
                .prepare_cached(
                    "INSERT INTO gauge(step,at,name,consumer,value)
                     SELECT ?1, ?2, 'in_flight', c.id, (SELECT count(*) FROM ledger WHERE open != 0 AND open & (1 << c.id)) FROM consumer c WHERE true
                     ON CONFLICT DO UPDATE SET value=excluded.value",
                )?
                .execute(params![step, now.floor(step).0])?;
        }
        Ok(())
    }

    /// Whether what is in flight should be noted although nothing was counted: a minute has passed, or it has changed.
    pub(crate) fn is_gauge_due(&self, connection: &Connection) -> bool {
        let now = Timestamp::now();
        now.0 - self.gauged_at >= GAUGE_EVERY
            && (now.floor(MINUTE) > Timestamp(self.gauged_at).floor(MINUTE) || in_flight(connection).is_ok_and(|n| n != self.gauged))
    }

    /// Drops what is past its retention, once an hour.
    fn trim(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let now = Timestamp::now().0;
        if now - self.trimmed_at < HOUR {
            return Ok(());
        }
        self.trimmed_at = now;
        for (step, keep) in [(MINUTE, MINUTE_RETENTION), (HOUR, HOUR_RETENTION)] {
            for table in ["metric", "gauge"] {
                connection
                    .prepare_cached(&format!("DELETE FROM {table} WHERE step=?1 AND at<?2"))?
                    .execute(params![step, now - keep])?;
            }
        }
        Ok(())
    }
}

fn merge(connection: &Connection, step: i64, at: i64, consumer: i64, event_type: &str, cell: &Cell) -> rusqlite::Result<()> {
    let mut latency = None;
    if !cell.latencies.is_empty() {
        let stored: Option<Vec<u8>> = connection
            .prepare_cached("SELECT latency FROM metric WHERE step=?1 AND at=?2 AND consumer=?3 AND event_type=?4")?
            .query_row(params![step, at, consumer, event_type], |row| row.get(0))
            .optional()?
            .flatten();
        let mut histogram = stored.as_deref().and_then(decode).unwrap_or_else(histogram);
        for value in &cell.latencies {
            // Not `saturating_record`: that stops at what the histogram holds so far instead of letting it grow.
            histogram
                .record(*value)
                .unwrap_or_else(|e| tracing::error!(error = ?e, "a latency could not be recorded"));
        }
        latency = encode(&histogram);
    }
    connection
        .prepare_cached(
            "INSERT INTO metric(step,at,consumer,event_type,processed,failed,latency) VALUES(?1,?2,?3,?4,?5,?6,?7)
             ON CONFLICT DO UPDATE SET processed=processed+?5, failed=failed+?6, latency=coalesce(?7,latency)",
        )?
        .execute(params![
            step,
            at,
            consumer,
            event_type,
            i64::try_from(cell.processed).unwrap_or(i64::MAX),
            i64::try_from(cell.failed).unwrap_or(i64::MAX),
            latency
        ])?;
    Ok(())
}

/// Events with an open delivery.
fn in_flight(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM ledger WHERE open != 0")?
        .query_row([], |row| row.get(0))
}

/// An empty latency histogram; it grows with what it is given.
pub(super) fn histogram() -> Histogram<u64> {
    let mut histogram = Histogram::new(2).unwrap_or_else(|e| unreachable!("two figures are within the allowed range: {e:?}"));
    histogram.auto(true);
    histogram
}

fn encode(histogram: &Histogram<u64>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).ok().map(|_| bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Option<Histogram<u64>> {
    let mut histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &*bytes).ok()?;
    histogram.auto(true);
    Some(histogram)
}
