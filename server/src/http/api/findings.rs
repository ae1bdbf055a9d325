//! What is wrong with the deployment.

use app::pages::findings::api::examined;
use axum::Json;
use axum::extract::State;
use pipeline::finding::Examination;

use super::error::ApiError;
use crate::http::AppState;

/// What is wrong, how it shows, and what to do about it
#[utoipa::path(get, path = "/api/v1/findings", responses((status = 200, body = Examination)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<Examination>, ApiError> {
    Ok(Json(examined(&state.desk).await?))
}
