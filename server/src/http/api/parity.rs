//! Parity of the two paths.

use axum::Json;
use axum::extract::State;
use pipeline::parity::ParityReport;
use pipeline::time::{DAY, Span, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::query::{Query, instant};
use crate::http::AppState;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ParityParams {
    /// RFC 3339 or Unix milliseconds; a day before `to` when left out
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds; now when left out
    to: Option<String>,
    /// Only this event type
    #[serde(rename = "type")]
    #[param(rename = "type")]
    event_type: Option<String>,
}

/// What both paths did, compared operation by operation
#[utoipa::path(get, path = "/api/v1/parity", params(ParityParams), responses((status = 200, body = ParityReport)))]
pub(super) async fn report(State(state): State<AppState>, Query(params): Query<ParityParams>) -> Result<Json<ParityReport>, ApiError> {
    let now = Timestamp::now();
    let to = instant("to", params.to.as_deref())?.unwrap_or(now);
    let from = instant("from", params.from.as_deref())?.unwrap_or(to.plus(-DAY));
    Ok(Json(
        state
            .desk
            .ports
            .parity
            .report(Span { from, to }, params.event_type.as_deref(), now)
            .await?,
    ))
}
