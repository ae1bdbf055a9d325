//! Settling attempts: effects and the mark that they were applied, in one transaction.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::bus::{Accepted, now_us};
use super::flags::publishing;
use super::metrics::{Counted, Sample};
use super::writer::{Write, contained};
use super::{Failure, Sqlite, analytics};
use crate::consumers::{ConsumerError, Effect};
use crate::delivery::{Outcome, Settled, Work};
use crate::ports::{PublishError, StoreError};
use crate::rule::Rules;
use crate::time::Timestamp;

use super::lane::Lanes;

/// What is needed to settle one consumer's attempts.
struct Context<'a> {
    consumer: usize,
    name: &'a str,
    bit: i64,
    rules: &'a Rules,
    lanes: &'a Arc<Lanes>,
}

impl Sqlite {
    pub(super) async fn apply(&self, consumer: &str, settled: Arc<Vec<Settled>>) -> Result<(), StoreError> {
        let Some(lane) = self.inner.lanes.by_name(consumer) else {
            return Err(StoreError::invalid("consumer", format!("there is no consumer {consumer}")));
        };
        let (id, bit, store) = (lane.id, lane.bit(), Arc::clone(&self.inner));
        let name = lane.name.clone();
        let batch = Arc::clone(&settled);
        self.write(move |write| {
            let context = Context {
                consumer: id,
                name: &name,
                bit,
                rules: &store.rules,
                lanes: &store.lanes,
            };
            let mut whole = Vec::new();
            for one in batch.iter() {
                if settle_or_bury(write, &context, one)? {
                    whole.push(one.work.seq);
                }
            }
            let completed = whole.len();
            forget(write.connection, &whole)?;
            if completed > 0 {
                write
                    .connection
                    .prepare_cached("INSERT INTO total VALUES('completed',?1) ON CONFLICT(name) DO UPDATE SET value=value+?1")?
                    .execute([i64::try_from(completed).unwrap_or(i64::MAX)])?;
            }
            let lanes = Arc::clone(&store.lanes);
            write.after_commit(move || {
                let Some(lane) = lanes.by_id(id) else { return };
                for one in batch.iter() {
                    match &one.outcome {
                        Outcome::Retry(_, at) => lane.retry(
                            at.0,
                            Work {
                                attempt: one.work.attempt + 1,
                                ..one.work.clone()
                            },
                        ),
                        Outcome::Completed(_) | Outcome::Dead(_) => lane.release(one.work.seq),
                    }
                }
            });
            Ok(())
        })
        .await
    }
}

/// Settles one attempt. One whose effects are refused, say an event that can't be published, is a dead letter: tried again
/// it would be refused again, and hold up everything settled with it.
fn settle_or_bury(write: &mut Write<'_>, context: &Context<'_>, one: &Settled) -> Result<bool, Failure> {
    let refusable = matches!(&one.outcome, Outcome::Completed(effects) if effects.iter().any(|e| matches!(e, Effect::Publish(_))));
    if !refusable {
        return settle(write, context, one);
    }
    match contained(write, |write| settle(write, context, one)) {
        Err(Failure::Store(refusal @ (StoreError::NotOffered { .. } | StoreError::Corrupt { .. } | StoreError::Invalid(_)))) => {
            let buried = Settled {
                outcome: Outcome::Dead(ConsumerError::permanent("EffectRefused", refusal.to_string())),
                ..one.clone()
            };
            settle(write, context, &buried)
        }
        settled => settled,
    }
}

/// Settles one attempt; true if with it the whole event is completed.
fn settle(write: &mut Write<'_>, context: &Context<'_>, one: &Settled) -> Result<bool, Failure> {
    let ended_us = now_us();
    let at = ended_us / 1000 - one.work.shift;
    // What was a dead letter has no latency: it waited for people, not for the pipeline.
    let latency_us = if one.work.redriven {
        -1
    } else {
        (ended_us - one.work.accepted_us).max(0)
    };
    let (failed, whole) = match &one.outcome {
        Outcome::Completed(effects) => {
            let Some((open, dead)) = close(write, context, one, false)? else {
                return Ok(false);
            };
            for effect in effects {
                apply(write, context, one, at, effect)?;
            }
            if one.work.redriven {
                redriven(write, context, one, at)?;
            }
            (None, open == 0 && dead == 0)
        }
        Outcome::Retry(error, next_at) => {
            write
                .connection
                .prepare_cached("INSERT INTO retry(consumer,seq,attempts,next_at) VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET attempts=?3, next_at=?4")?
                .execute(params![context.consumer, one.work.seq, one.work.attempt, next_at.0])?;
            (Some((error, 1)), false)
        }
        Outcome::Dead(error) => {
            if close(write, context, one, true)?.is_none() {
                return Ok(false);
            }
            bury(write, context, one, at, error)?;
            (Some((error, 2)), false)
        }
    };
    if one.work.attempt > 1 && !matches!(one.outcome, Outcome::Retry(..)) {
        write
            .connection
            .prepare_cached("DELETE FROM retry WHERE consumer=?1 AND seq=?2")?
            .execute(params![context.consumer, one.work.seq])?;
    }
    let number = if one.work.attempt == 1 && !one.work.redriven {
        1
    } else {
        next_number(write, context, one)?
    };
    write
        .connection
        .prepare_cached("INSERT INTO attempt(seq,consumer,number,at,duration_us,latency_us,outcome,error) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")?
        .execute(params![
            one.work.seq,
            context.consumer,
            number,
            at,
            i64::try_from(one.duration_us).unwrap_or(i64::MAX),
            latency_us,
            failed.map_or(0, |(_, outcome)| outcome),
            failed.map(|(error, _)| error.to_string()),
        ])?;
    let what = match failed {
        Some(_) => Counted::Failed,
        None => Counted::Completed(u64::try_from(latency_us).ok()),
    };
    write.count(Sample {
        consumer: i64::try_from(context.consumer).unwrap_or(i64::MAX),
        event: Arc::clone(&one.work.event),
        at,
        what,
    });
    Ok(whole)
}

/// Takes this consumer out of the event's open set: the mark of idempotence. `None` if it was out already, and nothing must be done.
fn close(write: &Write<'_>, context: &Context<'_>, one: &Settled, dead: bool) -> Result<Option<(i64, i64)>, Failure> {
    Ok(write
        .connection
        .prepare_cached("UPDATE ledger SET open = open & ~?2, dead = dead | ?3 WHERE seq=?1 AND open & ?2 RETURNING open, dead")?
        .query_row(params![one.work.seq, context.bit, if dead { context.bit } else { 0 }], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?)
}

fn next_number(write: &Write<'_>, context: &Context<'_>, one: &Settled) -> Result<i64, Failure> {
    Ok(write
        .connection
        .prepare_cached("SELECT 1 + count(*) FROM attempt WHERE seq=?1 AND consumer=?2")?
        .query_row(params![one.work.seq, context.consumer], |row| row.get(0))?)
}

fn apply(write: &mut Write<'_>, context: &Context<'_>, one: &Settled, at: i64, effect: &Effect) -> Result<(), Failure> {
    let event = &one.work.event;
    match effect {
        Effect::Store => {
            write
                .connection
                .prepare_cached(
                    "INSERT INTO event(event_id,at,event_type,source,user_id,correlation_id,causation_id,stored_at,body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(event_id) DO NOTHING",
                )?
                .execute(params![
                    event.event_id,
                    event.timestamp,
                    event.event_type,
                    event.source,
                    event.user_id,
                    event.correlation_id,
                    event.causation_id,
                    at,
                    event.to_json()
                ])?;
            if let Some(cause) = &event.causation_id {
                // A cause that was never seen is a gap in the trail; should it come later, accepting it closes the gap.
                write
                    .connection
                    .prepare_cached(
                        "INSERT INTO orphan SELECT ?1, ?2 WHERE NOT EXISTS(SELECT 1 FROM ledger WHERE event_id=?2) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![event.event_id, cause])?;
            }
        }
        Effect::MarkAnalytics { user_id, trigger } => {
            analytics::mark(write, user_id, *trigger, at)?;
            write
                .connection
                .prepare_cached(
                    "INSERT INTO trigger_ledger(operation_id,event_type,user_id,at,event_priority,event_types,event_at) VALUES(?1,?2,?3,?4,?5,?6,?7)
                     ON CONFLICT DO UPDATE SET event_priority=?5, event_types=?6, event_at=?7",
                )?
                .execute(params![event.event_id, event.event_type, user_id, published(one), trigger.priority, trigger.types.0, at])?;
        }
        Effect::SetCategory {
            transaction_id,
            category_id,
        } => {
            write
                .connection
                .prepare_cached("UPDATE app_transaction SET category_id=?2 WHERE id=?1")?
                .execute(params![transaction_id, category_id])?;
        }
        Effect::Notify { user_id, text } => {
            write
                .connection
                .prepare_cached("INSERT INTO notification(event_id,user_id,text,at,next_at) VALUES(?1,?2,?3,?4,?5)")?
                // Nobody wants to hear now of what a back-filled history would have told them.
                .execute(params![event.event_id, user_id, text, at, (one.work.shift == 0).then_some(at)])?;
        }
        Effect::Publish(published_event) => {
            if !publishing(write.connection, &published_event.source)? {
                return Ok(());
            }
            let refused = |e: PublishError| StoreError::invalid("an event that it publishes", e.to_string());
            let published_at = (one.work.shift > 0).then_some(Timestamp(at));
            let accepted = Accepted::prepare((**published_event).clone(), context.rules, context.lanes, published_at).map_err(refused)?;
            // A repeat of an event that an earlier, unfinished run published is what idempotence asks for.
            accepted.accept(write, context.lanes)?.map_err(refused)?;
        }
    }
    Ok(())
}

/// Takes events that every consumer has completed off the bus: nobody will ask it for them again.
fn forget(connection: &Connection, whole: &[i64]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached("DELETE FROM bus WHERE seq=?1")?;
    for seq in whole {
        statement.execute([seq])?;
    }
    Ok(())
}

/// When the event was published, Unix milliseconds, in its own history.
const fn published(one: &Settled) -> i64 {
    one.work.accepted_us / 1000 - one.work.shift
}

fn bury(write: &Write<'_>, context: &Context<'_>, one: &Settled, at: i64, error: &ConsumerError) -> Result<(), Failure> {
    let event = &one.work.event;
    let again = write
        .connection
        .prepare_cached(
            "UPDATE letter SET status='open', status_at=?3, failed_at=?3, error_code=?4, error_message=?5, permanent=?6, attempts=attempts+?7, failed_redrives=failed_redrives+1
             WHERE seq=?1 AND consumer=?2 RETURNING id",
        )?
        .query_row(params![one.work.seq, context.name, at, error.code, error.message, error.permanent, one.work.attempt], |row| row.get::<_, String>(0))
        .optional()?;
    if let Some(letter) = again {
        write
            .connection
            .prepare_cached("UPDATE operation_item SET status='failed', note=?2 WHERE letter=?1 AND status='sent'")?
            .execute(params![letter, error.to_string()])?;
        return Ok(());
    }
    write
        .connection
        .prepare_cached(
            "INSERT INTO letter(id,seq,consumer,event_id,event_type,user_id,error_code,error_message,permanent,attempts,published_at,first_failed_at,failed_at,status,status_at,body)
             VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?12,'open',?12,?13)",
        )?
        .execute(params![
            uuid::Uuid::now_v7().to_string(),
            one.work.seq,
            context.name,
            event.event_id,
            event.event_type,
            event.user_id,
            error.code,
            error.message,
            error.permanent,
            one.work.attempt,
            published(one),
            at,
            event.to_json(),
        ])?;
    Ok(())
}

/// The consumer completed what was a dead letter: verified.
fn redriven(write: &Write<'_>, context: &Context<'_>, one: &Settled, at: i64) -> Result<(), Failure> {
    let letter: Option<String> = write
        .connection
        .prepare_cached(
            "UPDATE letter SET status='redriven', status_at=?3 WHERE seq=?1 AND consumer=?2 AND status='redriving' RETURNING id",
        )?
        .query_row(params![one.work.seq, context.name, at], |row| row.get(0))
        .optional()?;
    if let Some(letter) = letter {
        write
            .connection
            .prepare_cached("UPDATE operation_item SET status='succeeded', note=NULL WHERE letter=?1 AND status='sent'")?
            .execute([letter])?;
    }
    Ok(())
}
