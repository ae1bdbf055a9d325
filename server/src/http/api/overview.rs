//! The overview and the series behind the charts.

use app::error::AppError;
use app::pages::overview::api::{Overview, OverviewQuery};
use axum::Json;
use axum::extract::State;
use pipeline::criteria::Criterion;
use pipeline::flag::Stage;
use pipeline::letter::Depth;
use pipeline::metric::{By, Metric, Reading, SeriesQuery, step_for};
use pipeline::time::{HOUR, Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use super::query::{Query, instant};
use crate::http::AppState;

/// The overview.
#[derive(Serialize, ToSchema)]
pub(super) struct OverviewBody {
    /// Null where the backend offers no flags, or they don't answer.
    stage: Option<Stage>,
    /// The verdict in a sentence or two.
    verdict: String,
    criteria: Vec<Criterion>,
    /// Null where the backend doesn't offer them, or they don't answer.
    dead_letters: Option<Depth>,
    /// Dead letters beside those, in queues that nothing takes over from; null where they can't be counted.
    dead_letters_staying: Option<u64>,
    /// `embedded` or `aws`.
    backend: String,
    /// What didn't answer, such as `the ledger` or `CloudWatch`: what rests on it is unknown, null, or old
    unanswered: Vec<String>,
    at: Timestamp,
}

/// Stage, verdict and criteria
#[utoipa::path(get, path = "/api/v1/overview", responses((status = 200, body = OverviewBody)))]
pub(super) async fn overview(State(state): State<AppState>) -> Result<Json<OverviewBody>, ApiError> {
    let overview = Overview::shared(&state.desk, &OverviewQuery::default()).await?;
    Ok(Json(OverviewBody {
        stage: overview.stage,
        verdict: format!("{} {}", overview.verdict.0, overview.verdict.1),
        criteria: overview.criteria,
        dead_letters: overview.dead_letters.ok(),
        dead_letters_staying: overview.staying,
        backend: overview.backend,
        unanswered: overview.unanswered.names().to_vec(),
        at: overview.now,
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesParams {
    /// throughput, latency_p50, latency_p95, latency_p99, errors, error_rate, dead_letters, in_flight
    metric: String,
    /// consumer, type; none when left out
    by: Option<By>,
    /// Only this consumer
    consumer: Option<String>,
    /// RFC 3339 or Unix milliseconds; an hour before `to` when left out
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds; now when left out
    to: Option<String>,
    /// Milliseconds, whole minutes; chosen by the span when left out
    step: Option<i64>,
}

/// One metric over a span
#[utoipa::path(get, path = "/api/v1/series", params(SeriesParams), responses((status = 200, body = Reading)))]
pub(super) async fn series(State(state): State<AppState>, Query(params): Query<SeriesParams>) -> Result<Json<Reading>, ApiError> {
    let metric: Metric = params
        .metric
        .parse()
        .map_err(|e: pipeline::metric::UnknownMetric| AppError::Invalid {
            field: "metric".to_owned(),
            reason: e.to_string(),
        })?;
    let to = instant("to", params.to.as_deref())?.unwrap_or_else(Timestamp::now);
    let from = instant("from", params.from.as_deref())?.unwrap_or(to.plus(-HOUR));
    let query = SeriesQuery {
        metric,
        by: params.by.unwrap_or_default(),
        from: from.0,
        to: to.0,
        step: params.step.unwrap_or_else(|| step_for(Span { from, to })),
        consumer: params.consumer,
    };
    Ok(Json(state.desk.ports.metrics.series(&query).await?))
}
