//! The demo application's faults.

use app::context::Actor;
use app::pages::demo::api::{DemoView, set_fault_of};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problem};
use super::query::Body;
use crate::http::AppState;

/// The faults that are on; 404 where no demo runs
#[utoipa::path(get, path = "/api/v1/demo", responses((status = 200, body = DemoView), (status = 404, body = Problem)))]
pub(super) async fn faults(State(state): State<AppState>) -> Result<Json<DemoView>, ApiError> {
    Ok(Json(DemoView::read(&state.desk)?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultWish {
    /// A consumer, or `publishers`
    target: String,
    /// none, flaky, slow, outage; for publishers none, poison
    fault: String,
}

/// Turns a fault on or off
#[utoipa::path(put, path = "/api/v1/demo", request_body = FaultWish, responses((status = 200, body = DemoView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set(State(state): State<AppState>, Body(wish): Body<FaultWish>) -> Result<Json<DemoView>, ApiError> {
    set_fault_of(&state.desk, &Actor::local(), &wish.target, &wish.fault).await?;
    faults(State(state)).await
}
