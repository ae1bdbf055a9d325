//! What people did.

use axum::Json;
use axum::extract::State;
use pipeline::activity::Activity;
use pipeline::page::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use super::query::{LIMIT, Query};
use crate::http::AppState;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivityParams {
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The record, newest first; each entry's hash covers the one before
#[utoipa::path(get, path = "/api/v1/activity", params(ActivityParams), responses((status = 200, body = Page<Activity>)))]
pub(super) async fn list(State(state): State<AppState>, Query(params): Query<ActivityParams>) -> Result<Json<Page<Activity>>, ApiError> {
    Ok(Json(
        state
            .desk
            .ports
            .activity
            .list(params.limit.unwrap_or(LIMIT), params.cursor.as_deref())
            .await?,
    ))
}
