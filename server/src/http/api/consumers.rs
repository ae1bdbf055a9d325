//! The consumers.

use app::context::Actor;
use app::error::AppError;
use app::pages::consumers::api::pause as set_paused;
use axum::Json;
use axum::extract::{Path, State};
use pipeline::consumer::{ConsumerFault, ConsumerStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::query::Body;
use crate::http::AppState;

/// How many errors a consumer's answer holds.
const FAULTS: u32 = 20;

/// A list that comes whole.
#[derive(Serialize, ToSchema)]
pub(super) struct Consumers {
    items: Vec<ConsumerStatus>,
    /// Always null: there are few enough for one page.
    next: Option<String>,
}

/// All consumers
#[utoipa::path(get, path = "/api/v1/consumers", responses((status = 200, body = Consumers)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<Consumers>, ApiError> {
    Ok(Json(Consumers {
        items: state.desk.ports.consumers.list().await?,
        next: None,
    }))
}

/// One consumer with its newest errors.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsumerBody {
    consumer: ConsumerStatus,
    last_errors: Vec<ConsumerFault>,
}

/// One consumer
#[utoipa::path(get, path = "/api/v1/consumers/{name}", params(("name", description = "Its name")), responses((status = 200, body = ConsumerBody), (status = 404)))]
pub(super) async fn one(State(state): State<AppState>, Path(name): Path<String>) -> Result<Json<ConsumerBody>, ApiError> {
    let consumers = &state.desk.ports.consumers;
    let consumer = consumers
        .list()
        .await?
        .into_iter()
        .find(|c| c.name == name)
        .ok_or_else(|| AppError::NotFound(format!("consumer {name}")))?;
    Ok(Json(ConsumerBody {
        last_errors: consumers.faults(&name, FAULTS).await?,
        consumer,
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
#[utoipa::path(put, path = "/api/v1/consumers/{name}/paused", request_body = Pause, params(("name", description = "Its name")), responses((status = 200, body = ConsumerBody), (status = 404), (status = 422)))]
pub(super) async fn pause(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Body(wish): Body<Pause>,
) -> Result<Json<ConsumerBody>, ApiError> {
    set_paused(&state.desk, &Actor::local(), &name, wish.paused, &wish.reason).await?;
    one(State(state), Path(name)).await
}
