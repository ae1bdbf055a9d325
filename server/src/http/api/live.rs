//! The live stream.

use axum::extract::State;
use axum::response::IntoResponse;

use crate::http::AppState;

/// Server-sent events: `overview`, `series`, `operation`; each with an id, and a heartbeat every 15 s
#[utoipa::path(get, path = "/api/v1/live", responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn live(State(state): State<AppState>) -> impl IntoResponse {
    state.hub.subscribe()
}
