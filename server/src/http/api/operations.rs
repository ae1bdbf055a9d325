//! Operations over dead letters.

use app::context::Actor;
use app::error::AppError;
use app::pages::letters::api;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pipeline::operation::{NewOperation, Operation, OperationDetail};
use pipeline::page::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{ApiError, Problem};
use super::query::{Body, LIMIT, Path, Query};
use crate::http::AppState;

/// Starts an operation, or, with `dry_run`, counts what it would take
#[utoipa::path(post, path = "/api/v1/operations", request_body = NewOperation, responses((status = 202, body = Operation), (status = 422, body = Problem)))]
pub(super) async fn start(
    State(state): State<AppState>,
    Body(wish): Body<NewOperation>,
) -> Result<(StatusCode, Json<Operation>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(api::start(&state.desk, &Actor::local(), &wish).await?)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationParams {
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Operations, newest first
#[utoipa::path(get, path = "/api/v1/operations", params(OperationParams), responses((status = 200, body = Page<Operation>), (status = 422, body = Problem)))]
pub(super) async fn list(State(state): State<AppState>, Query(params): Query<OperationParams>) -> Result<Json<Page<Operation>>, ApiError> {
    let operations = &state.desk.ports.operations;
    Ok(Json(
        operations.list(params.limit.unwrap_or(LIMIT), params.cursor.as_deref()).await?,
    ))
}

/// One operation, item by item
#[utoipa::path(get, path = "/api/v1/operations/{id}", params(("id", description = "Its id")), responses((status = 200, body = OperationDetail), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<OperationDetail>, ApiError> {
    let operation = state.desk.ports.operations.get(&id).await?;
    Ok(Json(operation.ok_or_else(|| AppError::NotFound(format!("operation {id}")))?))
}

/// Stops an operation: items not begun are left alone
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", params(("id", description = "Its id")), responses((status = 200, body = Operation), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn cancel(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Operation>, ApiError> {
    Ok(Json(api::cancel(&state.desk, &Actor::local(), &id).await?))
}
