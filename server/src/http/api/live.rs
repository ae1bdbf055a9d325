//! The live stream.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;

use crate::http::AppState;

/// Server-sent events: `overview`, `series`, `operation`; each with an id, and a heartbeat every 15 s
#[utoipa::path(
    get,
    path = "/api/v1/live",
    params(("Last-Event-ID" = Option<u64>, Header, description = "The id of the last message that arrived: what was said since is repeated")),
    responses((status = 200, content_type = "text/event-stream", body = String))
)]
pub(super) async fn live(State(state): State<AppState>, headers: HeaderMap) -> impl IntoResponse {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    state.hub.subscribe(last)
}
