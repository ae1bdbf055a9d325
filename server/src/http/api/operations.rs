//! Operations over dead letters.

use app::context::Actor;
use app::error::AppError;
use app::pages::letters::api;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use pipeline::operation::{NewOperation, Operation, OperationDetail};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::query::Body;
use crate::http::AppState;

/// How many operations are listed.
const LISTED: u32 = 100;

/// Starts an operation, or, with `dry_run`, counts what it would take
#[utoipa::path(post, path = "/api/v1/operations", request_body = NewOperation, responses((status = 202, body = Operation), (status = 422)))]
pub(super) async fn start(
    State(state): State<AppState>,
    Body(wish): Body<NewOperation>,
) -> Result<(StatusCode, Json<Operation>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(api::start(&state.desk, &Actor::local(), &wish).await?)))
}

/// The newest operations.
#[derive(Serialize, ToSchema)]
pub(super) struct OperationList {
    items: Vec<Operation>,
    /// Always null: the newest hundred are listed.
    next: Option<String>,
}

/// The newest operations, newest first
#[utoipa::path(get, path = "/api/v1/operations", responses((status = 200, body = OperationList)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<OperationList>, ApiError> {
    Ok(Json(OperationList {
        items: state.desk.ports.operations.list(LISTED).await?,
        next: None,
    }))
}

/// One operation, item by item
#[utoipa::path(get, path = "/api/v1/operations/{id}", params(("id", description = "Its id")), responses((status = 200, body = OperationDetail), (status = 404)))]
pub(super) async fn one(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<OperationDetail>, ApiError> {
    let operation = state.desk.ports.operations.get(&id).await?;
    Ok(Json(operation.ok_or_else(|| AppError::NotFound(format!("operation {id}")))?))
}

/// Stops an operation: items not begun are left alone
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", params(("id", description = "Its id")), responses((status = 200, body = Operation), (status = 404), (status = 409)))]
pub(super) async fn cancel(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Operation>, ApiError> {
    Ok(Json(api::cancel(&state.desk, &Actor::local(), &id).await?))
}
