//! Taking events: as JSON, and as EventBridge's `PutEvents`, so that any AWS SDK publishes here by its endpoint.
//! An answer of success means: on disk.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pipeline::event::envelope::{PutEventsEntry, from_parts};
use pipeline::event::{Draft, Event, InvalidField, MAX_EVENT_BYTES};
use pipeline::ports::{Bus, PublishError, Receipt};
use pipeline::publisher::{BATCH, Publisher};
use pipeline::sqlite::Sqlite;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_http::trace::TraceLayer;

use super::api::error::ApiError;
use super::security::refuse;

/// The most events that one call with JSON may bring.
const MAX_EVENTS: usize = 1_000;
/// The largest body, bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// The routes of the ingest listener.
pub(crate) fn router(store: Sqlite) -> Router {
    Router::new()
        .route("/", post(put_events))
        .route("/api/v1/events", post(events))
        .route("/healthz", get(|| async { "ok\n" }))
        .method_not_allowed_fallback(no_method)
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(axum::middleware::from_fn(guard))
        .layer(TraceLayer::new_for_http())
        .with_state(store)
}

async fn no_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "events are sent here with POST",
    )
}

async fn nothing_here() -> ApiError {
    let message = "events are taken at POST /api/v1/events, and by AWS SDKs at POST /; the dashboard listens elsewhere";
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
}

async fn guard(request: Request<Body>, next: Next) -> Response {
    match refuse(&[], request.method(), request.uri(), request.headers()) {
        Some(reason) => ApiError::new(StatusCode::FORBIDDEN, "cross_site", reason).into_response(),
        None => next.run(request).await,
    }
}

/// What became of one event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl From<Result<Receipt, PublishError>> for Taken {
    fn from(result: Result<Receipt, PublishError>) -> Self {
        match result {
            Ok(receipt) => Self {
                event_id: Some(receipt.event_id),
                status: if receipt.duplicate { "duplicate" } else { "accepted" },
                error: None,
            },
            Err(e) => Self {
                event_id: None,
                status: "refused",
                error: Some(json!({ "code": e.code(), "message": e.to_string() })),
            },
        }
    }
}

/// `POST /api/v1/events`: one event or an array. A fault in any of them refuses the call, and nothing is taken.
async fn events(State(store): State<Sqlite>, body: Result<Bytes, BytesRejection>) -> Result<Json<Value>, ApiError> {
    let body = body.map_err(|e| unread(&e))?;
    let drafts: Vec<Box<serde_json::value::RawValue>> = if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(&body).map_err(|e| not_json(&e))?
    } else {
        vec![serde_json::from_slice(&body).map_err(|e| not_json(&e))?]
    };
    if drafts.len() > MAX_EVENTS {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "too_many",
            format!("{} events in one call; at most {MAX_EVENTS} are allowed", drafts.len()),
        ));
    }
    let mut events = Vec::with_capacity(drafts.len());
    for (entry, raw) in drafts.iter().enumerate() {
        let event = Draft::from_json(raw.get())
            .and_then(|draft| Publisher::stamp(draft, true))
            .map_err(|fault| invalid(entry, &fault))?;
        if raw.get().len() > MAX_EVENT_BYTES {
            return Err(invalid(
                entry,
                &InvalidField::new(
                    "$",
                    format!("is {} bytes long; at most {MAX_EVENT_BYTES} are allowed", raw.get().len()),
                ),
            ));
        }
        events.push(event);
    }
    let results = store.put(events, None).await;
    let unavailable = results.iter().any(|result| matches!(result, Err(e) if e.is_transient()));
    let results: Vec<Taken> = results.into_iter().map(Taken::from).collect();
    if unavailable {
        let message = "not every event is on disk: send the call again, what was taken is known by its id";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).with_detail(json!({ "items": results })));
    }
    Ok(Json(json!({ "items": results })))
}

/// A body that did not come, or is too large.
fn unread(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the body is larger than {MAX_BODY} bytes: send the events in several calls");
        return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
    }
    ApiError::new(rejection.status(), "unreadable", rejection.body_text())
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "not_json", format!("the body is not JSON: {error}"))
}

fn invalid(entry: usize, fault: &InvalidField) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_event", format!("entry {entry}: {fault}"))
        .with_detail(json!({ "entry": entry, "field": fault.field, "reason": fault.reason }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<PutEventsEntry>,
}

/// A fault of the whole call, as AWS writes it.
fn aws_error(kind: &str, message: impl Into<String>) -> Response {
    let body = json!({ "__type": kind, "message": message.into() }).to_string();
    (
        StatusCode::BAD_REQUEST,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.1")],
        body,
    )
        .into_response()
}

/// `POST /` with `X-Amz-Target: AWSEvents.PutEvents`.
async fn put_events(State(store): State<Sqlite>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    match headers.get("x-amz-target").and_then(|t| t.to_str().ok()) {
        Some("AWSEvents.PutEvents") => {}
        Some(other) => {
            return aws_error(
                "UnknownOperationException",
                format!("{other} is not offered here; AWSEvents.PutEvents is"),
            );
        }
        None => {
            return aws_error(
                "MissingAction",
                "the header X-Amz-Target is missing; AWSEvents.PutEvents is offered here",
            );
        }
    }
    let body = match body {
        Ok(body) => body,
        Err(e) => return aws_error("ValidationException", e.body_text()),
    };
    let call: PutEvents = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(e) => return aws_error("SerializationException", e.to_string()),
    };
    if call.entries.is_empty() || call.entries.len() > BATCH {
        let message = format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and {BATCH}, not {}",
            call.entries.len()
        );
        return aws_error("ValidationException", message);
    }
    let size: usize = call.entries.iter().map(PutEventsEntry::size).sum();
    if size > MAX_EVENT_BYTES {
        return aws_error(
            "ValidationException",
            format!("Total size of the entries in the request is over the limit: {size} of {MAX_EVENT_BYTES} bytes"),
        );
    }
    let mut answers: Vec<Option<Value>> = vec![None; call.entries.len()];
    let (mut indices, mut events) = (Vec::new(), Vec::new());
    for (i, entry) in call.entries.into_iter().enumerate() {
        match event(entry) {
            Ok(event) => {
                indices.push(i);
                events.push(event);
            }
            Err((code, message)) => answers[i] = Some(failed(code, &message)),
        }
    }
    for (i, result) in indices.into_iter().zip(store.put(events, None).await) {
        answers[i] = Some(match result {
            Ok(receipt) => json!({ "EventId": receipt.event_id }),
            Err(e) if e.is_transient() => failed("InternalFailure", &e.to_string()),
            Err(e) => failed("InvalidArgument", &e.to_string()),
        });
    }
    let entries: Vec<Value> = answers.into_iter().flatten().collect();
    let count = entries.iter().filter(|e| e.get("ErrorCode").is_some()).count();
    let body = json!({ "FailedEntryCount": count, "Entries": entries }).to_string();
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response()
}

fn failed(code: &str, message: &str) -> Value {
    json!({ "ErrorCode": code, "ErrorMessage": message })
}

/// An entry's time, Unix seconds on the wire, in milliseconds: that of an event whose detail doesn't say its own.
fn moment(time: &pipeline::event::Json) -> Result<i64, (&'static str, String)> {
    match serde_json::from_str::<f64>(time.text()) {
        #[allow(clippy::cast_possible_truncation)] // a float that is too large saturates, and is refused as lying in the future
        Ok(seconds) => Ok((seconds * 1000.0).round() as i64),
        Err(_) => Err(("InvalidArgument", format!("Time is {}; Unix seconds are needed", time.kind()))),
    }
}

/// The event of an entry. As on EventBridge the payload is nobody's business yet: consumers judge it.
fn event(entry: PutEventsEntry) -> Result<Event, (&'static str, String)> {
    let required = |name: &str, value: Option<String>| {
        value.filter(|v| !v.is_empty()).ok_or_else(|| {
            (
                "InvalidArgument",
                format!("Parameter {name} is not valid. Reason: {name} is a required argument."),
            )
        })
    };
    let source = required("Source", entry.source)?;
    let detail_type = required("DetailType", entry.detail_type)?;
    let detail = required("Detail", entry.detail)?;
    let time = entry.time.as_ref().map(moment).transpose()?;
    from_parts(&source, &detail_type, &detail)
        .and_then(|mut draft| {
            draft.timestamp = draft.timestamp.or(time);
            Publisher::stamp(draft, false)
        })
        .map_err(|fault| {
            let code = if fault.field == "Detail" {
                "MalformedDetail"
            } else {
                "InvalidArgument"
            };
            (code, format!("Detail is not a valid event: {fault}"))
        })
}
