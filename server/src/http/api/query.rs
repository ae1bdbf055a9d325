//! Query strings and bodies, with errors in the API's own shape.

use app::error::AppError;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::StatusCode;
use pipeline::time::Timestamp;

use super::error::ApiError;

/// How many entries a list gives when the caller doesn't say.
pub(super) const LIMIT: u32 = 50;

/// The query string.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Query<T>(pub(super) T);

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
