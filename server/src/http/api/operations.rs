//! Operations over dead letters.

use app::context::Actor;
use app::error::AppError;
use app::pages::operations::api;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pipeline::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem};
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

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemParams {
    /// Only with this status
    status: Option<ItemStatus>,
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
    cursor: Option<String>,
}

/// An operation's items, in the order of its selection
#[utoipa::path(get, path = "/api/v1/operations/{id}/items", params(("id", description = "Its id"), ItemParams), responses((status = 200, body = Page<OperationItem>), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn items(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Query(params): Query<ItemParams>,
) -> Result<Json<Page<OperationItem>>, ApiError> {
    let operations = &state.desk.ports.operations;
    let limit = params.limit.unwrap_or(LIMIT);
    let page = operations.items(&id, params.status, limit, params.cursor.as_deref()).await?;
    if page.items.is_empty() && operations.get(&id).await?.is_none() {
        return Err(AppError::NotFound(format!("operation {id}")).into());
    }
    Ok(Json(page))
}

/// Stops an operation: items not begun are left alone
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", params(("id", description = "Its id")), responses((status = 200, body = Operation), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn cancel(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Operation>, ApiError> {
    Ok(Json(api::cancel(&state.desk, &Actor::local(), &id).await?))
}
