//! The flags.

use app::context::Actor;
use app::error::AppError;
use app::pages::cutover::api::{set as change, write};
use axum::Json;
use axum::extract::State;
use pipeline::flag::{FlagChange, FlagFunction, FlagRecord, FlagState, FlagWish};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, Problem};
use super::query::Body;
use crate::http::AppState;

/// Every scope, and the newest changes.
#[derive(Serialize, ToSchema)]
pub(super) struct FlagsBody {
    /// The global scope first.
    items: Vec<FlagState>,
    next: Option<String>,
    history: Vec<FlagRecord>,
    /// The functions that read them from their environment.
    functions: Vec<FlagFunction>,
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Shown for ever.
    reason: String,
}

/// Every function, as it is after that
#[derive(Serialize, ToSchema)]
pub(super) struct FunctionsBody {
    items: Vec<FlagFunction>,
    next: Option<String>,
}

/// The flags and their history
#[utoipa::path(get, path = "/api/v1/flags", responses((status = 200, body = FlagsBody)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<FlagsBody>, ApiError> {
    let flags = &state.desk.ports.flags;
    Ok(Json(FlagsBody {
        items: flags.all().await?,
        next: None,
        history: flags.history(100).await?,
        functions: flags.functions().await?,
    }))
}

/// Changes a scope's flags, or, with `inherit`, takes a publisher's own back
#[utoipa::path(put, path = "/api/v1/flags", request_body = FlagWish, responses((status = 200, body = FlagState), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set(State(state): State<AppState>, Body(wish): Body<FlagWish>) -> Result<Json<FlagState>, ApiError> {
    let wish = FlagChange::try_from(wish).map_err(AppError::from)?;
    Ok(Json(change(&state.desk, &Actor::local(), &wish).await?.0))
}

/// Writes the flags to the functions whose environment has others
#[utoipa::path(put, path = "/api/v1/flags/functions", request_body = Why, responses((status = 200, body = FunctionsBody), (status = 422, body = Problem), (status = 501, body = Problem)))]
pub(super) async fn write_functions(State(state): State<AppState>, Body(why): Body<Why>) -> Result<Json<FunctionsBody>, ApiError> {
    Ok(Json(FunctionsBody {
        items: write(&state.desk, &Actor::local(), why.reason).await?,
        next: None,
    }))
}
