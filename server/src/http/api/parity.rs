//! Parity of the two paths.

use axum::Json;
use axum::extract::State;
use pipeline::parity::ParityReport;
use pipeline::time::{DAY, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, Problem};
use super::query::{Query, span};
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

/// The counts over all kinds of operations, and what they are made of.
#[derive(Serialize, ToSchema)]
pub(super) struct ParityBody {
    matched: u64,
    different: u64,
    missing: u64,
    late: u64,
    extra: u64,
    /// The event path still has time
    pending: u64,
    #[serde(flatten)]
    report: ParityReport,
}

/// What both paths did, compared operation by operation
#[utoipa::path(get, path = "/api/v1/parity", params(ParityParams), responses((status = 200, body = ParityBody), (status = 422, body = Problem)))]
pub(super) async fn report(State(state): State<AppState>, Query(params): Query<ParityParams>) -> Result<Json<ParityBody>, ApiError> {
    let span = span(params.from.as_deref(), params.to.as_deref(), DAY)?;
    let parity = &state.desk.ports.parity;
    let report = parity.report(span, params.event_type.as_deref(), Timestamp::now()).await?;
    let total = &report.total;
    Ok(Json(ParityBody {
        matched: total.matched,
        different: total.different,
        missing: total.missing,
        late: total.late,
        extra: total.extra,
        pending: total.pending,
        report,
    }))
}
