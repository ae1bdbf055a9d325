//! What CloudWatch said, in memory for whoever reads, and on disk for the next start.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};

use rusqlite::{Connection, params};

use super::ask::Answers;
use super::budget::Spent;
use super::cache::{self, CacheError};
use super::quantity::Key;
use super::schedule::LEVELS;
use crate::time::{Span, Timestamp};

/// Values by the start of their step, Unix milliseconds.
pub(super) type Line = BTreeMap<i64, f64>;

/// What is in memory.
#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) lines: HashMap<(Key, i64), Line>,
    /// By period, what has been asked for.
    pub(super) asked: HashMap<i64, Span>,
    /// By number and length, the percentile over a span of that length that ended when it was asked for.
    windows: HashMap<(Key, i64), (Timestamp, f64)>,
    pub(super) spent: Spent,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Book {
    inner: RwLock<Inner>,
    disk: Mutex<Connection>,
}

impl Book {
    /// Opens the cache of a deployment; what it holds of another is forgotten. Without a `path` it lives in memory.
    pub(super) fn open(path: Option<&Path>, deployment: &str) -> Result<Self, CacheError> {
        let (disk, inner) = cache::open(path, deployment)?;
        Ok(Self {
            inner: RwLock::new(inner),
            disk: Mutex::new(disk),
        })
    }

    fn read<T>(&self, f: impl FnOnce(&Inner) -> T) -> T {
        f(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value of a step.
    pub(super) fn value(&self, key: &Key, period: i64, at: i64) -> Option<f64> {
        self.read(|inner| inner.lines.get(&(key.clone(), period))?.get(&at).copied())
    }

    /// The values of the steps that begin in a span.
    pub(super) fn values(&self, key: &Key, period: i64, span: Span) -> Line {
        self.read(|inner| {
            let line = inner.lines.get(&(key.clone(), period));
            line.map(|line| {
                line.range(span.from.0..span.to.0.max(span.from.0))
                    .map(|(at, value)| (*at, *value))
                    .collect()
            })
            .unwrap_or_default()
        })
    }

    /// Whether there ever was a value.
    pub(super) fn knows(&self, key: &Key) -> bool {
        self.read(|inner| {
            LEVELS
                .iter()
                .any(|level| inner.lines.get(&(key.clone(), level.period)).is_some_and(|line| !line.is_empty()))
        })
    }

    /// What of a period has been asked for.
    pub(super) fn asked(&self, period: i64) -> Option<Span> {
        self.read(|inner| inner.asked.get(&period).copied())
    }

    /// A percentile over the span of `length` that ended last, and when that was.
    pub(super) fn window(&self, key: &Key, length: i64) -> Option<(Timestamp, f64)> {
        self.read(|inner| inner.windows.get(&(key.clone(), length)).copied())
    }

    pub(super) fn spent(&self) -> Spent {
        self.read(|inner| inner.spent)
    }

    /// Notes that so much is spent, unless the day's spending would come to more than `ceiling`; whether it may be.
    pub(super) fn spend(&self, micros: u64, ceiling: u64, now: Timestamp) -> bool {
        let spent = self.write(|inner| {
            let spent = inner.spent.with(micros, now);
            (spent.micros <= ceiling).then(|| {
                inner.spent = spent;
                spent
            })
        });
        let Some(spent) = spent else { return false };
        self.keep(|disk| {
            let micros = i64::try_from(spent.micros).unwrap_or(i64::MAX);
            disk.execute("DELETE FROM spent WHERE day != ?1", [spent.day])?;
            disk.execute(
                "INSERT INTO spent VALUES(?1,?2) ON CONFLICT(day) DO UPDATE SET micros=excluded.micros",
                params![spent.day, micros],
            )
            .map(drop)
        });
        true
    }

    /// Notes percentiles of spans of `length` that end at `end`: of several steps that reach into it the worst.
    pub(super) fn note_windows(&self, answers: &Answers, length: i64, end: Timestamp) {
        self.write(|inner| {
            for ((key, period), values) in answers.iter().filter(|((_, period), _)| *period == length) {
                let within = values.iter().filter(|(at, _)| **at + period > end.0 - length && **at < end.0);
                let worst = within.map(|(_, value)| *value).reduce(f64::max);
                match worst {
                    Some(value) => inner.windows.insert((key.clone(), length), (end, value)),
                    None => inner.windows.remove(&(key.clone(), length)),
                };
            }
        });
    }

    /// Notes what was answered for the steps of `period` in `span`, and forgets what is older than `keep`.
    pub(super) fn note(&self, answers: &Answers, period: i64, span: Span, keep: i64) {
        let oldest = span.to.plus(-keep).0;
        let asked = self.write(|inner| {
            for ((key, _), values) in answers.iter().filter(|((_, of), _)| *of == period) {
                let line = inner.lines.entry((key.clone(), period)).or_default();
                line.extend(values.iter().map(|(at, value)| (*at, *value)));
            }
            for (_, line) in inner.lines.iter_mut().filter(|((_, of), _)| *of == period) {
                *line = line.split_off(&oldest);
            }
            let before = inner.asked.get(&period).filter(|before| before.to >= span.from);
            let asked = Span {
                from: Timestamp(before.map_or(span.from, |before| before.from.min(span.from)).0.max(oldest)),
                to: span.to,
            };
            inner.asked.insert(period, asked);
            asked
        });
        self.keep(|disk| {
            let transaction = disk.unchecked_transaction()?;
            {
                let sql = "INSERT INTO point VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET value=excluded.value";
                let mut insert = transaction.prepare_cached(sql)?;
                for ((key, _), values) in answers.iter().filter(|((_, of), _)| *of == period) {
                    let consumer = key.consumer.as_deref().unwrap_or_default();
                    for (at, value) in values {
                        insert.execute(params![consumer, key.quantity, period, at, value])?;
                    }
                }
                transaction.execute("DELETE FROM point WHERE period=?1 AND at<?2", [period, oldest])?;
                transaction.execute(
                    "INSERT INTO asked VALUES(?1,?2,?3) ON CONFLICT(period) DO UPDATE SET since=excluded.since, until=excluded.until",
                    [period, asked.from.0, asked.to.0],
                )?;
            }
            transaction.commit()
        });
    }

    /// Notes how much there is of something now: it stands for the step, of each width, that holds the moment.
    pub(super) fn sample(&self, samples: &[(Key, f64)], now: Timestamp) {
        self.write(|inner| {
            for level in LEVELS {
                for (key, value) in samples {
                    let line = inner.lines.entry((key.clone(), level.period)).or_default();
                    line.insert(now.floor(level.period).0, *value);
                    *line = line.split_off(&now.plus(-level.keep).0);
                }
            }
        });
        self.keep(|disk| {
            let transaction = disk.unchecked_transaction()?;
            {
                let sql = "INSERT INTO point VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET value=excluded.value";
                let mut insert = transaction.prepare_cached(sql)?;
                for level in LEVELS {
                    for (key, value) in samples {
                        let consumer = key.consumer.as_deref().unwrap_or_default();
                        insert.execute(params![consumer, key.quantity, level.period, now.floor(level.period).0, value])?;
                    }
                }
            }
            transaction.commit()
        });
    }

    /// Writes to the disk. A cache that can't be written is a cache less: what is in memory serves on.
    fn keep(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
        let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = write(&disk) {
            tracing::warn!(%error, "the metrics' cache can't be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::metrics::quantity::{OPEN, P99, PROCESSED};
    use crate::time::{DAY, MINUTE};

    fn answers(key: &Key, period: i64, values: &[(i64, f64)]) -> Answers {
        Answers::from([((key.clone(), period), values.iter().copied().collect())])
    }

    fn span(from: i64, to: i64) -> Span {
        Span {
            from: Timestamp(from * MINUTE),
            to: Timestamp(to * MINUTE),
        }
    }

    #[test]
    fn what_was_answered_outlives_the_process_and_is_corrected() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("deep/cache.db");
        let key = Key::new(Some("audit"), &PROCESSED);
        let book = Book::open(Some(&file), "here").expect("a cache");
        book.note(&answers(&key, MINUTE, &[(0, 3.0), (MINUTE, 4.0)]), MINUTE, span(0, 2), DAY);
        book.note(&answers(&key, MINUTE, &[(MINUTE, 5.0)]), MINUTE, span(1, 3), DAY);
        book.sample(&[(Key::new(None, &OPEN), 7.0)], Timestamp(2 * MINUTE + 1));
        assert!(book.spend(30, 30, Timestamp(DAY)));
        assert!(!book.spend(1, 30, Timestamp(DAY)), "no more than the ceiling");
        drop(book);
        let book = Book::open(Some(&file), "here").expect("a cache");
        assert_eq!(book.values(&key, MINUTE, span(0, 9)), Line::from([(0, 3.0), (MINUTE, 5.0)]));
        assert_eq!(book.asked(MINUTE), Some(span(0, 3)));
        assert_eq!(book.value(&Key::new(None, &OPEN), 5 * MINUTE, 0), Some(7.0));
        assert_eq!(book.spent(), Spent { day: 1, micros: 30 });
        // After a gap, what lies before it does not count as asked for.
        book.note(&Answers::new(), MINUTE, span(10, 12), DAY);
        assert_eq!(book.asked(MINUTE), Some(span(10, 12)));
        drop(book);
        let other = Book::open(Some(&file), "elsewhere").expect("a cache");
        assert!(!other.knows(&key) && other.asked(MINUTE).is_none());
        assert_eq!(other.spent().micros, 30, "money is money");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let book = Book::open(None, "here").expect("a cache");
        let key = Key::new(None, &PROCESSED);
        book.note(
            &answers(&key, MINUTE, &[(0, 1.0), (9 * MINUTE, 2.0)]),
            MINUTE,
            span(0, 10),
            5 * MINUTE,
        );
        assert_eq!(book.values(&key, MINUTE, span(0, 10)), Line::from([(9 * MINUTE, 2.0)]));
        assert_eq!(book.asked(MINUTE), Some(span(5, 10)));
    }

    #[test]
    fn a_windows_percentile_is_the_worst_of_the_steps_that_reach_into_it() {
        let book = Book::open(None, "here").expect("a cache");
        let key = Key::new(None, &P99);
        let length = 15 * MINUTE;
        let steps = [(0, 9.0), (length, 2.0), (2 * length, 3.0)];
        book.note_windows(&answers(&key, length, &steps), length, Timestamp(40 * MINUTE));
        assert_eq!(book.window(&key, length), Some((Timestamp(40 * MINUTE), 3.0)));
        book.note_windows(&answers(&key, length, &[]), length, Timestamp(50 * MINUTE));
        assert_eq!(book.window(&key, length), None, "nothing is no percentile");
    }

    #[test]
    fn somebody_elses_file_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("other");
        std::fs::write(
            &file,
            "a letter to my aunt, long enough to be taken for the header of a database, but it is none",
        )
        .expect("written");
        assert!(matches!(Book::open(Some(&file), "here"), Err(CacheError::Foreign { .. })));
        let theirs = Connection::open(directory.path().join("theirs")).expect("a database");
        theirs.execute_batch("CREATE TABLE recipe(name TEXT)").expect("a table");
        assert!(matches!(
            Book::open(Some(&directory.path().join("theirs")), "here"),
            Err(CacheError::Foreign { .. })
        ));
    }
}
