//! `GetMetricData`: up to 500 metrics a call, the answer in parts.

use std::collections::HashMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode};

use super::STORE;
use super::discover::Found;
use super::quantity::Key;
use crate::aws::error::failed;
use crate::ports::StoreError;
use crate::time::Span;

/// The most metrics of one call.
pub(super) const MOST: usize = 500;

/// A metric, and the width of the steps that it is asked for in, milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) found: &'a Found,
    pub(super) period: i64,
}

/// What was answered: by number and period, the values by the start of their step.
pub(super) type Answers = HashMap<(Key, i64), HashMap<i64, f64>>;

/// Asks for the values of `span`; `pay` is asked before each call, which is for so many metrics, and says why not.
pub(super) async fn ask(
    client: &Client,
    questions: &[Question<'_>],
    span: Span,
    pay: impl Fn(usize) -> Result<(), StoreError>,
) -> Result<Answers, StoreError> {
    let mut answers = Answers::new();
    for batch in questions.chunks(MOST) {
        let queries = batch.iter().enumerate().map(|(n, question)| query(n, question));
        let data = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.collect()))
            .start_time(DateTime::from_millis(span.from.0))
            .end_time(DateTime::from_millis(span.to.0))
            .scan_by(ScanBy::TimestampAscending);
        let mut token = None;
        loop {
            pay(batch.len())?;
            let page = data.clone().set_next_token(token).send().await;
            let page = page.map_err(|e| failed(STORE, "GetMetricData", &e))?;
            for result in page.metric_data_results() {
                let question = result
                    .id()
                    .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok())
                    .and_then(|n| batch.get(n));
                let Some(question) = question else { continue };
                if matches!(result.status_code(), Some(StatusCode::InternalError | StatusCode::Forbidden)) {
                    let messages: Vec<_> = result.messages().iter().filter_map(|m| m.value()).collect();
                    return Err(StoreError::Unavailable {
                        what: STORE,
                        reason: format!("GetMetricData of {}: {}", question.found.quantity.metric, messages.join("; ")),
                    });
                }
                let values = answers.entry((question.found.key.clone(), question.period)).or_default();
                let quantity = &question.found.quantity;
                for (at, value) in result.timestamps().iter().zip(result.values()) {
                    let (at, value) = (at.secs() * 1_000, value * quantity.scale);
                    let together = |old: &mut f64| *old = if quantity.adds_up() { *old + value } else { old.max(value) };
                    values.entry(at).and_modify(together).or_insert(value);
                }
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
    }
    Ok(answers)
}

fn query(n: usize, question: &Question<'_>) -> MetricDataQuery {
    let found = question.found;
    let metric = Metric::builder()
        .namespace(found.quantity.part.namespace())
        .metric_name(found.quantity.metric)
        .set_dimensions(Some(found.dimensions.clone()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(question.period / 1_000).unwrap_or(i32::MAX))
        .stat(found.quantity.stat)
        .build();
    MetricDataQuery::builder().id(format!("m{n}")).metric_stat(stat).build()
}
