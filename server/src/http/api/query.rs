//! Query strings and bodies, with errors in the API's own shape.

use app::error::AppError;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;
use pipeline::time::{Span, Timestamp, check_range};

use super::error::ApiError;

/// How many entries a list gives when the caller doesn't say.
pub(super) const LIMIT: u32 = 50;

/// The query string.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Query<T>(pub(super) T);

/// A part of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Path<T>(pub(super) T);

/// The JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(super) struct Body<T>(pub(super) T);

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "invalid", rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", rejection.body_text())
    }
}

/// The span between two optional instants of the query: up to now, and `usual` milliseconds long.
pub(super) fn span(from: Option<&str>, to: Option<&str>, usual: i64) -> Result<Span, ApiError> {
    let to = instant("to", to)?.unwrap_or_else(Timestamp::now);
    let from = instant("from", from)?.unwrap_or(to.plus(-usual));
    check_range(Some(from), Some(to)).map_err(AppError::from)?;
    Ok(Span { from, to })
}

/// An optional instant of the query.
pub(super) fn instant(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    text.map(|text| {
        text.parse().map_err(|e: pipeline::time::NotATime| {
            AppError::Invalid {
                field: field.to_owned(),
                reason: e.to_string(),
            }
            .into()
        })
    })
    .transpose()
}
