//! Reading metrics: sums of counts, percentiles of merged histograms.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::book::{PUBLISHER, histogram};
use super::bucket::Bucket;
use crate::consumer::ConsumerCounts;
use crate::metric::{By, MINUTE_RETENTION, Metric, MetricsSource, Reading, Series, SeriesQuery, Vitals};
use crate::ports::{Metrics, StoreError};
use crate::sqlite::{Failure, Sqlite};
use crate::time::{HOUR, MINUTE, Span, Timestamp};

/// The most lines that one reading by type has; the rest are added up as `other`.
const MAX_LINES: usize = 20;

#[async_trait]
impl Metrics for Sqlite {
    async fn series(&self, query: &SeriesQuery) -> Result<Reading, StoreError> {
        query.check()?;
        let query = query.clone();
        self.read(move |connection| read(connection, &query, Timestamp::now())).await
    }

    async fn counts(&self, span: Span) -> Result<Vec<ConsumerCounts>, StoreError> {
        self.read(move |connection| {
            let names = names(connection)?;
            let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
            let step = resolution(span.from.0, MINUTE, Timestamp::now().0);
            let mut statement = connection.prepare_cached(
                "SELECT consumer,processed,failed,latency FROM metric WHERE step=?1 AND at>=?2 AND at<?3 AND consumer>=0 AND event_type=''",
            )?;
            let mut rows = statement.query(params![step, span.from.floor(step).0, span.to.0])?;
            while let Some(row) = rows.next()? {
                buckets.entry(row.get(0)?).or_default().add(row.get(1)?, row.get(2)?, row.get(3)?);
            }
            Ok(names
                .into_iter()
                .map(|(id, name)| {
                    let bucket = buckets.remove(&id).unwrap_or_default();
                    ConsumerCounts {
                        name,
                        processed: bucket.processed,
                        failed: bucket.failed,
                        p50: bucket.percentile(0.5),
                        p95: bucket.percentile(0.95),
                        p99: bucket.percentile(0.99),
                    }
                })
                .collect())
        })
        .await
    }

    async fn peak(&self, span: Span) -> Result<(f64, u64), StoreError> {
        self.read(move |connection| {
            // Only whole minutes make a peak; hours, where minutes are gone, as their mean. The count is of all that the span touches.
            let now = Timestamp::now();
            let step = resolution(span.from.0, MINUTE, now.0);
            let sql = "SELECT coalesce(max(CASE WHEN at>=?3 AND at+?1<=?5 THEN n END),0), coalesce(sum(n),0)
                       FROM (SELECT at, sum(processed) n FROM metric WHERE step=?1 AND consumer=?2 AND event_type='' AND at+?1>?3 AND at<?4 GROUP BY at)";
            let (most, sum): (i64, i64) =
                connection.prepare_cached(sql)?.query_row(params![step, PUBLISHER, span.from.0, span.to.0, span.to.0.min(now.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
            #[allow(clippy::cast_precision_loss)]
            Ok((most as f64 / (step / MINUTE) as f64, u64::try_from(sum).unwrap_or(0)))
        })
        .await
    }

    async fn vitals(&self, _: &str, _: Span, _: i64) -> Result<Vitals, StoreError> {
        Ok(Vitals::default())
    }

    fn source(&self) -> Option<MetricsSource> {
        None
    }
}

fn names(connection: &Connection) -> Result<Vec<(i64, String)>, Failure> {
    Ok(connection
        .prepare_cached("SELECT id,name FROM consumer ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}

/// Minutes where they are still kept and wanted, hours otherwise.
const fn resolution(from: i64, step: i64, now: i64) -> i64 {
    if step % HOUR == 0 || from < now - MINUTE_RETENTION {
        HOUR
    } else {
        MINUTE
    }
}

fn read(connection: &Connection, query: &SeriesQuery, now: Timestamp) -> Result<Reading, Failure> {
    let resolution = resolution(query.from, query.step, now.0);
    let step = query.step.max(resolution);
    let from = Timestamp(query.from).floor(step);
    let to = Timestamp(query.to.min(now.0 + step));
    let steps = usize::try_from((to.since(from) + step - 1).max(0) / step).unwrap_or(0);
    let frame = Frame {
        query,
        resolution,
        step,
        from,
        to,
        steps,
        now,
    };
    let series = match query.metric {
        Metric::DeadLetters => dead_letters(connection, &frame)?,
        Metric::InFlight => in_flight(connection, &frame)?,
        _ => counted(connection, &frame)?,
    };
    Ok(Reading {
        metric: query.metric,
        unit: query.metric.unit(),
        from,
        step,
        until: now,
        series,
    })
}

struct Frame<'a> {
    query: &'a SeriesQuery,
    resolution: i64,
    step: i64,
    from: Timestamp,
    to: Timestamp,
    steps: usize,
    now: Timestamp,
}

impl Frame<'_> {
    fn index(&self, at: i64) -> Option<usize> {
        usize::try_from((at - self.from.0).div_euclid(self.step))
            .ok()
            .filter(|i| *i < self.steps)
    }

    /// How much of a step has passed, milliseconds: the one that is still filling counts by what it covers, but by no less
    /// than a sixth, for a rate of a few seconds is noise.
    fn covered(&self, index: usize) -> i64 {
        let start = self.from.0 + self.step * i64::try_from(index).unwrap_or(0);
        (self.now.0 - start).clamp(self.step / 6, self.step)
    }

    /// What a step in which nothing was counted means: before anything was ever counted nothing is known, after it zero is zero.
    fn empty(&self, metric: Metric, index: usize, began: Option<i64>) -> Option<f64> {
        let end = self.from.0 + self.step * (i64::try_from(index).unwrap_or(0) + 1);
        (metric.absent_is_zero() && began.is_some_and(|began| end > began) && end - self.step <= self.now.0).then_some(0.0)
    }
}

fn counted(connection: &Connection, frame: &Frame<'_>) -> Result<Vec<Series>, Failure> {
    let query = frame.query;
    let names: BTreeMap<i64, String> = names(connection)?.into_iter().collect();
    let began: Option<i64> = connection
        .prepare_cached("SELECT min(at) FROM metric WHERE step=?1")?
        .query_row([frame.resolution], |row| row.get(0))?;
    let mut lines: BTreeMap<String, Vec<Bucket>> = BTreeMap::new();
    let fresh = || (0..frame.steps).map(|_| Bucket::default()).collect::<Vec<_>>();
    match query.by {
        By::Consumer => {
            for name in names
                .values()
                .filter(|name| query.consumer.as_ref().is_none_or(|only| only == *name))
            {
                lines.insert(name.clone(), fresh());
            }
        }
        By::None => {
            lines.insert("all".to_owned(), fresh());
        }
        By::Type => {}
    }
    // Published events are the bus's own count; everything else is counted at the consumers.
    let from_bus = query.metric == Metric::Throughput && query.by != By::Consumer && query.consumer.is_none();
    let mut statement = connection.prepare_cached(
        "SELECT at,consumer,event_type,processed,failed,CASE WHEN ?5 THEN latency END FROM metric WHERE step=?1 AND at>=?2 AND at<?3 AND (consumer=?4) = ?6 AND (event_type='') = ?7",
    )?;
    let wants_latency = matches!(query.metric, Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99);
    let mut rows = statement.query(params![
        frame.resolution,
        frame.from.0,
        frame.to.0,
        PUBLISHER,
        wants_latency,
        from_bus,
        query.by != By::Type
    ])?;
    while let Some(row) = rows.next()? {
        let consumer: i64 = row.get(1)?;
        let name = names.get(&consumer);
        if query.consumer.is_some() && query.consumer.as_ref() != name {
            continue;
        }
        let Some(index) = frame.index(row.get(0)?) else {
            continue;
        };
        let label = match query.by {
            By::None => "all".to_owned(),
            By::Consumer => match name {
                Some(name) => name.clone(),
                None => continue,
            },
            By::Type => row.get(2)?,
        };
        lines.entry(label).or_insert_with(fresh)[index].add(row.get(3)?, row.get(4)?, row.get(5)?);
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    match query.by {
        By::Consumer => lines.sort_by_key(|(label, _)| names.iter().find(|(_, name)| *name == label).map(|(id, _)| *id)),
        By::Type => lines = largest(lines, frame.steps),
        By::None => {}
    }
    Ok(lines
        .into_iter()
        .map(|(label, buckets)| {
            let values = buckets
                .iter()
                .enumerate()
                .map(|(i, bucket)| {
                    if bucket.processed + bucket.failed == 0 {
                        frame.empty(query.metric, i, began)
                    } else {
                        bucket.value(query.metric, frame.covered(i))
                    }
                })
                .collect();
            Series { label, values }
        })
        .collect())
}

/// The lines with the most in them; the rest added up.
fn largest(mut lines: Vec<(String, Vec<Bucket>)>, steps: usize) -> Vec<(String, Vec<Bucket>)> {
    lines.sort_by_key(|(_, buckets)| std::cmp::Reverse(buckets.iter().map(|b| b.processed + b.failed).sum::<u64>()));
    if lines.len() > MAX_LINES {
        let mut other: Vec<Bucket> = (0..steps).map(|_| Bucket::default()).collect();
        for (_, buckets) in lines.drain(MAX_LINES - 1..) {
            for (sum, bucket) in other.iter_mut().zip(buckets) {
                sum.processed += bucket.processed;
                sum.failed += bucket.failed;
                if let Some(latency) = bucket.latency {
                    let all = sum.latency.get_or_insert_with(histogram);
                    all.add(&latency)
                        .unwrap_or_else(|e| tracing::error!(error = ?e, "a latency histogram did not add up"));
                }
            }
        }
        lines.push(("other".to_owned(), other));
    }
    lines
}

/// Open letters at the end of each step, from when they failed and when that ended: exact for any moment.
fn dead_letters(connection: &Connection, frame: &Frame<'_>) -> Result<Vec<Series>, Failure> {
    let query = frame.query;
    let began: Option<i64> = connection
        .prepare_cached("SELECT min(at) FROM metric WHERE step=?1")?
        .query_row([frame.resolution], |row| row.get(0))?;
    let mut lines: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    if query.by == By::Consumer {
        for (_, name) in names(connection)? {
            lines.insert(name, vec![0; frame.steps]);
        }
    } else if query.by == By::None {
        lines.insert("all".to_owned(), vec![0; frame.steps]);
    }
    let mut statement = connection.prepare_cached(
        "SELECT consumer, event_type, first_failed_at, CASE WHEN status IN ('redriven','discarded') THEN status_at END FROM letter WHERE first_failed_at < ?1",
    )?;
    let mut rows = statement.query([frame.to.0])?;
    while let Some(row) = rows.next()? {
        let consumer: String = row.get(0)?;
        if query.consumer.as_ref().is_some_and(|only| *only != consumer) {
            continue;
        }
        let label = match query.by {
            By::None => "all".to_owned(),
            By::Consumer => consumer,
            By::Type => row.get::<_, Option<String>>(1)?.unwrap_or_else(|| "unreadable".to_owned()),
        };
        let (opened, closed): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
        let first = frame.index(opened.max(frame.from.0)).unwrap_or(frame.steps);
        // Open at the end of a step unless it was closed within it.
        let end = closed.map_or(frame.steps, |closed| {
            if closed < frame.from.0 {
                0
            } else {
                frame.index(closed).unwrap_or(frame.steps)
            }
        });
        for count in lines
            .entry(label)
            .or_insert_with(|| vec![0; frame.steps])
            .iter_mut()
            .take(end)
            .skip(first)
        {
            *count += 1;
        }
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(lines
        .into_iter()
        .map(|(label, counts)| {
            let values = counts
                .iter()
                .enumerate()
                .map(|(i, count)| frame.empty(Metric::DeadLetters, i, began).map(|zero| zero + *count as f64))
                .collect();
            Series { label, values }
        })
        .collect())
}

fn in_flight(connection: &Connection, frame: &Frame<'_>) -> Result<Vec<Series>, Failure> {
    let query = frame.query;
    if query.by == By::Type {
        return Err(StoreError::invalid("by", "in_flight is known by consumer, not by type").into());
    }
    let names: BTreeMap<i64, String> = names(connection)?.into_iter().collect();
    let mut lines: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    let mut statement = connection
        .prepare_cached("SELECT at,consumer,value FROM gauge WHERE step=?1 AND name='in_flight' AND at>=?2 AND at<?3 ORDER BY at")?;
    let mut rows = statement.query(params![frame.resolution, frame.from.0, frame.to.0])?;
    let mut at_in_step: BTreeMap<(String, usize), i64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        let (Some(name), Some(index)) = (names.get(&row.get(1)?), frame.index(at)) else {
            continue;
        };
        if query.consumer.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let label = if query.by == By::Consumer { name.clone() } else { "all".to_owned() };
        let value: f64 = row.get(2)?;
        let last = at_in_step.insert((label.clone(), index), at);
        let slot = &mut lines.entry(label).or_insert_with(|| vec![None; frame.steps])[index];
        // The last minute of a step stands for it; consumers of the same minute add up.
        *slot = Some(if last == Some(at) { slot.unwrap_or(0.0) + value } else { value });
    }
    Ok(lines.into_iter().map(|(label, values)| Series { label, values }).collect())
}
