//! The consumers.

use app::context::Actor;
use app::error::{AppError, Unanswered};
use app::pages::consumers::api::pause as set_paused;
use axum::Json;
use axum::extract::State;
use pipeline::consumer::{ConsumerFault, ConsumerStatus, HEALTH_WINDOW};
use pipeline::time::Span;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, Problem};
use super::query::{Body, Path, Query, span};
use crate::http::AppState;

/// How many errors a consumer's answer holds.
const FAULTS: u32 = 20;

/// A list that comes whole.
#[derive(Serialize, ToSchema)]
pub(super) struct Consumers {
    items: Vec<ConsumerStatus>,
    /// What doesn't answer, so that some of this is null
    unanswered: Vec<String>,
    /// Always null: there are few enough for one page.
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerParams {
    /// Begin of the span that the counts are of: RFC 3339 or Unix milliseconds; 15 minutes before `to` when left out
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds; now when left out
    to: Option<String>,
}

impl ConsumerParams {
    fn span(&self) -> Result<Span, ApiError> {
        span(self.from.as_deref(), self.to.as_deref(), HEALTH_WINDOW)
    }
}

/// All consumers
#[utoipa::path(get, path = "/api/v1/consumers", params(ConsumerParams), responses((status = 200, body = Consumers), (status = 422, body = Problem)))]
pub(super) async fn list(State(state): State<AppState>, Query(params): Query<ConsumerParams>) -> Result<Json<Consumers>, ApiError> {
    let mut unanswered = Unanswered::default();
    Ok(Json(Consumers {
        items: unanswered.consumers(state.desk.ports.consumers.list(params.span()?).await?)?,
        unanswered: unanswered.names().to_vec(),
        next: None,
    }))
}

/// One consumer with its newest errors.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsumerBody {
    consumer: ConsumerStatus,
    /// Null where they aren't known
    last_errors: Option<Vec<ConsumerFault>>,
    /// What doesn't answer, so that some of this is null
    unanswered: Vec<String>,
}

/// One consumer
#[utoipa::path(get, path = "/api/v1/consumers/{name}", params(("name", description = "Its name"), ConsumerParams), responses((status = 200, body = ConsumerBody), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn one(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Query(params): Query<ConsumerParams>,
) -> Result<Json<ConsumerBody>, ApiError> {
    read(&state, &name, params.span()?).await
}

async fn read(state: &AppState, name: &str, span: Span) -> Result<Json<ConsumerBody>, ApiError> {
    let consumers = &state.desk.ports.consumers;
    let mut unanswered = Unanswered::default();
    let all = unanswered.consumers(consumers.list(span).await?)?;
    let consumer = all
        .into_iter()
        .find(|c| c.name == name)
        .ok_or_else(|| AppError::NotFound(format!("consumer {name}")))?;
    Ok(Json(ConsumerBody {
        consumer,
        last_errors: unanswered.known(consumers.faults(name, FAULTS).await)?,
        unanswered: unanswered.names().to_vec(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    /// Stop (`true`) or start it
    paused: bool,
    /// Why; shown for ever
    reason: String,
}

/// Stops or starts a consumer
#[utoipa::path(put, path = "/api/v1/consumers/{name}/paused", request_body = Pause, params(("name", description = "Its name")), responses((status = 200, body = ConsumerBody), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Body(wish): Body<Pause>,
) -> Result<Json<ConsumerBody>, ApiError> {
    set_paused(&state.desk, &Actor::local(), &name, wish.paused, &wish.reason).await?;
    read(&state, &name, span(None, None, HEALTH_WINDOW)?).await
}
