//! Errors of the API: `{ "error": { "code", "message", "detail"? } }`.

use app::error::AppError;
use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use pipeline::ports::StoreError;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What an error says, for the description of the API.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its shape is used")]
pub(crate) struct Problem {
    error: ProblemBody,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "only its shape is used")]
struct ProblemBody {
    /// A stable name: `invalid`, `not_found`, `conflict`, `unavailable`, …
    code: String,
    /// For people: what is wrong and what to do
    message: String,
    /// Where: the field and the reason, for instance
    detail: Option<Value>,
}

/// An error with its status.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    detail: Option<Value>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
        }
    }

    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(detail) = self.detail {
            error["detail"] = detail;
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = match &error {
            AppError::Invalid { field, reason } => Some(json!({ "field": field, "reason": reason })),
            _ => None,
        };
        Self {
            status,
            code: error.code(),
            message: error.to_string(),
            detail,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

/// A path that answers to other methods.
pub(crate) async fn no_method(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{} does not take {method}; /api/openapi.json lists what it takes", uri.path()),
    )
}

/// A path under `/api` that nothing answers to.
pub(super) async fn no_route(uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("there is nothing at {}; /api/openapi.json lists what there is", uri.path()),
    )
}
