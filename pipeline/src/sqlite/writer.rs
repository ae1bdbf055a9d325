//! The one thread that writes.
//!
//! Jobs queue up while a transaction is being synced to disk; all that wait go into the next one together, so
//! that durability costs one sync a group and not one an event. A caller hears of success only after the sync.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::metrics::{Book, Sample};
use super::{Failure, unavailable};
use crate::ports::StoreError;

/// How many jobs may wait; further callers wait to be let in.
const QUEUE: usize = 1024;
/// The most jobs one transaction takes.
const GROUP: usize = 256;
/// Metrics are written at least this often.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// What a job may do: write, and leave things to be done once it is on disk.
pub(super) struct Write<'c> {
    pub(super) connection: &'c Connection,
    after: Vec<Box<dyn FnOnce() + Send>>,
    samples: Vec<Sample>,
}

impl Write<'_> {
    /// Runs `f` after the commit, in the order of the commits.
    pub(super) fn after_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(f));
    }

    /// Counts something, once the transaction that it happened in is on disk.
    pub(super) fn count(&mut self, sample: Sample) {
        self.samples.push(sample);
    }
}

type Answer = Box<dyn FnOnce(Option<&str>) + Send>;
type Job = Box<dyn FnOnce(&mut Write<'_>) -> Answer + Send>;

enum Message {
    Run(Job),
    Flush,
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    jobs: mpsc::Sender<Message>,
    queued: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> rusqlite::Result<Self> {
        let book = Book::recover(&connection)?;
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let queued = Arc::new(AtomicUsize::new(0));
        let thread = {
            let queued = Arc::clone(&queued);
            std::thread::Builder::new()
                .name("sqlite-writer".to_owned())
                .spawn(move || Loop { connection, book, queued }.run(inbox))
                .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?
        };
        tick(jobs.clone());
        Ok(Self {
            jobs,
            queued,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    pub(super) async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let job: Job = Box::new(move |write| {
            let result = contained(write, job);
            Box::new(move |commit_failure| {
                let result = match commit_failure {
                    None => result.map_err(StoreError::from),
                    Some(reason) => Err(unavailable(reason)),
                };
                // The caller may have gone; the work is done all the same.
                let _ = answer.send(result);
            })
        });
        self.queued.fetch_add(1, Ordering::Relaxed);
        if self.jobs.send(Message::Run(job)).await.is_err() {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(unavailable("it is closed"));
        }
        outcome.await.map_err(|_| unavailable("it was closed"))?
    }

    pub(super) async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        if self.jobs.send(Message::Close(answer)).await.is_ok() {
            let _ = closed.await;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _: Result<(), Box<dyn Any + Send>> = thread.join();
        }
    }
}

/// Asks for the metrics to be written, for as long as the writer lives.
fn tick(jobs: mpsc::Sender<Message>) {
    let weak = jobs.downgrade();
    drop(jobs);
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(FLUSH_EVERY);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let Some(jobs) = weak.upgrade() else { return };
            if jobs.send(Message::Flush).await.is_err() {
                return;
            }
        }
    });
}

/// Runs a job, or a part of one, so that, if it fails, nothing of it stays while its neighbours in the transaction do.
pub(super) fn contained<T>(write: &mut Write<'_>, job: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let (after, samples) = (write.after.len(), write.samples.len());
    write.connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = job(write);
    if result.is_err() {
        write.after.truncate(after);
        write.samples.truncate(samples);
        write.connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    write.connection.prepare_cached("RELEASE job")?.execute([])?;
    result
}

struct Loop {
    connection: Connection,
    book: Book,
    queued: Arc<AtomicUsize>,
}

impl Loop {
    fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(first) = inbox.blocking_recv() {
            let (mut group, mut flush, mut close) = (Vec::new(), false, None);
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Run(job) => group.push(job),
                    Message::Flush => flush = true,
                    Message::Close(answer) => close = Some(answer),
                }
                if group.len() < GROUP && close.is_none() {
                    next = inbox.try_recv().ok();
                }
            }
            self.queued.fetch_sub(group.len(), Ordering::Relaxed);
            self.commit(group, flush || close.is_some());
            if let Some(answer) = close {
                inbox.close();
                // A directory that was closed well is one file: whoever copies it has everything.
                if let Err(e) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::warn!(error = %e, "the write-ahead log could not be folded in; the next start does it");
                }
                drop(self);
                let _ = answer.send(());
                return;
            }
        }
    }

    fn commit(&mut self, group: Vec<Job>, flush: bool) {
        let flush = flush && (self.book.is_dirty() || self.book.is_gauge_due(&self.connection));
        if group.is_empty() && !flush {
            return;
        }
        let mut write = Write {
            connection: &self.connection,
            after: Vec::new(),
            samples: Vec::new(),
        };
        let mut answers = Vec::with_capacity(group.len());
        let outcome = (|| {
            write.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            if flush {
                // Before the group: what the book holds is exactly what earlier transactions did.
                self.book.write(write.connection)?;
            }
            for job in group {
                answers.push(job(&mut write));
                // A full disk may make SQLite give up the whole transaction; what came after it would be on its own.
                if write.connection.is_autocommit() {
                    return Err(rusqlite::Error::SqliteFailure(
                        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                        Some("the store gave up the transaction: its disk is full or fails".to_owned()),
                    ));
                }
            }
            write.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
        })();
        let Write { after, samples, .. } = write;
        match outcome {
            Ok(()) => {
                if flush {
                    self.book.written();
                }
                self.book.add(samples);
                for f in after {
                    f();
                }
                for answer in answers {
                    answer(None);
                }
            }
            Err(e) => {
                let reason = e.to_string();
                tracing::error!(error = %reason, "a transaction failed");
                if !self.connection.is_autocommit() {
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
                for answer in answers {
                    answer(Some(&reason));
                }
            }
        }
    }
}
