//! The bus: accepting events, and routing them to the consumers' lanes.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::lane::Lanes;
use super::metrics::{Counted, PUBLISHER, Sample};
use super::writer::Write;
use super::{Failure, Sqlite};
use crate::delivery::Work;
use crate::event::{Event, MAX_EVENT_BYTES};
use crate::ports::{Bus, PublishError, Receipt, StoreError};
use crate::rule::Rules;
use crate::time::Timestamp;

/// An event ready to be accepted: serialised and routed before the writer is asked.
pub(super) struct Accepted {
    event: Arc<Event>,
    body: String,
    digest: i64,
    consumers: i64,
    published_at: i64,
    accepted_us: i64,
    shift: i64,
}

impl Accepted {
    /// Routes an event. `published_at` dates it back: only back-filled history has one.
    pub(super) fn prepare(event: Event, rules: &Rules, lanes: &Lanes, published_at: Option<Timestamp>) -> Result<Self, PublishError> {
        let body = event.to_json();
        if body.len() > MAX_EVENT_BYTES {
            return Err(PublishError::TooLarge {
                size: body.len(),
                max: MAX_EVENT_BYTES,
            });
        }
        let consumers = rules
            .route(&event)?
            .into_iter()
            .filter_map(|name| lanes.by_name(name))
            .fold(0, |set, lane| set | lane.bit());
        let accepted_us = now_us();
        let now = accepted_us / 1000;
        let published_at = published_at.map_or(now, |at| at.0.min(now));
        Ok(Self {
            digest: digest(&body),
            event: Arc::new(event),
            body,
            consumers,
            published_at,
            accepted_us,
            shift: now - published_at,
        })
    }

    /// Writes the event, if it is new, and has it delivered once it is on disk.
    pub(super) fn accept(self, write: &mut Write<'_>, lanes: &Arc<Lanes>) -> Result<Result<Receipt, PublishError>, Failure> {
        let inserted = write
            .connection
            .prepare_cached(
                "INSERT INTO ledger(event_id,event_type,digest,published_at,shift,expected,open) VALUES(?1,?2,?3,?4,?5,?6,?6) ON CONFLICT(event_id) DO NOTHING",
            )?
            .execute(params![self.event.event_id, self.event.event_type, self.digest, self.published_at, self.shift, self.consumers])?;
        let event_id = self.event.event_id.clone();
        if inserted == 0 {
            let earlier: Option<i64> = write
                .connection
                .prepare_cached("SELECT digest FROM ledger WHERE event_id=?1")?
                .query_row([&event_id], |row| row.get(0))
                .optional()?;
            return Ok(if earlier == Some(self.digest) {
                Ok(Receipt { event_id, duplicate: true })
            } else {
                Err(PublishError::Conflict { event_id })
            });
        }
        let seq = write.connection.last_insert_rowid();
        write
            .connection
            .prepare_cached("INSERT INTO bus(seq,body) VALUES(?1,?2)")?
            .execute(params![seq, self.body])?;
        write
            .connection
            .prepare_cached("DELETE FROM orphan WHERE causation_id=?1")?
            .execute([&event_id])?;
        write.count(Sample {
            consumer: PUBLISHER,
            event: Arc::clone(&self.event),
            at: self.published_at,
            what: Counted::Published,
        });
        let lanes = Arc::clone(lanes);
        write.after_commit(move || {
            for lane in lanes.all().iter().filter(|lane| self.consumers & lane.bit() != 0) {
                lane.offer(Work {
                    seq,
                    event: Arc::clone(&self.event),
                    accepted_us: self.accepted_us,
                    shift: self.shift,
                    attempt: 1,
                    redriven: false,
                });
            }
        });
        Ok(Ok(Receipt {
            event_id,
            duplicate: false,
        }))
    }
}

pub(super) fn now_us() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// Tells a repeated event from another one with its id.
fn digest(body: &str) -> i64 {
    let hash = Sha256::digest(body.as_bytes());
    i64::from_be_bytes(std::array::from_fn(|i| hash[i]))
}

#[async_trait]
impl Bus for Sqlite {
    async fn put(&self, events: Vec<Event>, published_at: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>> {
        let prepared: Vec<_> = events
            .into_iter()
            .map(|event| Accepted::prepare(event, &self.inner.rules, &self.inner.lanes, published_at))
            .collect();
        let (count, lanes) = (prepared.len(), Arc::clone(&self.inner.lanes));
        let written = self
            .write(move |write| {
                prepared
                    .into_iter()
                    .map(|entry| match entry {
                        Ok(accepted) => accepted.accept(write, &lanes),
                        Err(e) => Ok(Err(e)),
                    })
                    .collect::<Result<Vec<_>, Failure>>()
            })
            .await;
        written.unwrap_or_else(|e| vec![Err(PublishError::Unavailable(e.to_string())); count])
    }

    async fn bury(&self, body: String, error: &PublishError, attempts: u32) -> Result<(), StoreError> {
        let (code, message, permanent) = (error.code(), error.to_string(), !error.is_transient());
        self.write(move |write| {
            let draft = crate::event::Draft::from_json(&body).unwrap_or_default();
            let now = Timestamp::now().0;
            write.connection.prepare_cached(
                "INSERT INTO letter(id,consumer,event_id,event_type,user_id,error_code,error_message,permanent,attempts,published_at,first_failed_at,failed_at,status,status_at,body)
                 VALUES(?1,'publisher',?2,?3,?4,?5,?6,?7,?10,?8,?8,?8,'open',?8,?9)",
            )?
            .execute(params![uuid::Uuid::now_v7().to_string(), draft.event_id, draft.event_type, draft.user_id, code, message, permanent, now, body, attempts])?;
            Ok(())
        })
        .await
    }
}
