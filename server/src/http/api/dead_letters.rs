//! The dead letters.

use app::error::AppError;
use axum::Json;
use axum::extract::State;
use pipeline::letter::{Letter, LetterDetail, LetterFilter, LetterGroup, LetterQueue, LetterQueues, LetterStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, Problem};
use super::query::{LIMIT, Path, Query, instant};
use crate::http::AppState;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct LetterParams {
    /// open, redriving, redriven, discarded
    status: Option<LetterStatus>,
    consumer: Option<String>,
    /// An error's code
    error: Option<String>,
    #[serde(rename = "type")]
    #[param(rename = "type")]
    event_type: Option<String>,
    /// Text in id, user, error or payload, case aside
    q: Option<String>,
    /// RFC 3339 or Unix milliseconds
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds
    to: Option<String>,
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page of letters.
#[derive(Serialize, ToSchema)]
pub(super) struct LetterPage {
    items: Vec<Letter>,
    next: Option<String>,
    /// How many match in all.
    matching: u64,
}

/// Dead letters, newest first
#[utoipa::path(get, path = "/api/v1/dead-letters", params(LetterParams), responses((status = 200, body = LetterPage), (status = 422, body = Problem)))]
pub(super) async fn list(State(state): State<AppState>, Query(params): Query<LetterParams>) -> Result<Json<LetterPage>, ApiError> {
    let filter = LetterFilter {
        status: params.status,
        consumer: params.consumer,
        error: params.error,
        event_type: params.event_type,
        q: params.q,
        from: instant("from", params.from.as_deref())?,
        to: instant("to", params.to.as_deref())?,
    };
    let letters = &state.desk.ports.letters;
    let page = letters
        .list(&filter, params.limit.unwrap_or(LIMIT), params.cursor.as_deref())
        .await?;
    Ok(Json(LetterPage {
        items: page.items,
        next: page.next,
        matching: letters.count(&filter).await?,
    }))
}

/// Groups that come whole.
#[derive(Serialize, ToSchema)]
pub(super) struct Groups {
    items: Vec<LetterGroup>,
    /// Always null: there are few enough for one page.
    next: Option<String>,
}

/// Open letters by consumer and kind of error
#[utoipa::path(get, path = "/api/v1/dead-letters/groups", responses((status = 200, body = Groups)))]
pub(super) async fn groups(State(state): State<AppState>) -> Result<Json<Groups>, ApiError> {
    Ok(Json(Groups {
        items: state.desk.ports.letters.groups().await?,
        next: None,
    }))
}

/// The queues, and whether what is in them becomes letters.
#[derive(Serialize, ToSchema)]
pub(super) struct Queues {
    /// Whether what arrives in them is taken over and listed among the letters; if not, it stays where it is.
    taken_over: bool,
    items: Vec<LetterQueue>,
    /// Always null: there are few enough for one page.
    next: Option<String>,
}

/// The queues that dead letters arrive in: how many messages are in each, and about how old the oldest is. Nothing is received
#[utoipa::path(get, path = "/api/v1/dead-letters/queues", responses((status = 200, body = Queues), (status = 503, body = Problem)))]
pub(super) async fn queues(State(state): State<AppState>) -> Result<Json<Queues>, ApiError> {
    // Where there are none, letters are written as such at once.
    let found = state.desk.ports.letters.queues().await?;
    let LetterQueues { taken_over, items } = found.unwrap_or_else(|| LetterQueues {
        taken_over: true,
        items: Vec::new(),
    });
    Ok(Json(Queues {
        taken_over,
        items,
        next: None,
    }))
}

/// One letter with its body and its attempts
#[utoipa::path(get, path = "/api/v1/dead-letters/{id}", params(("id", description = "Its id")), responses((status = 200, body = LetterDetail), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<LetterDetail>, ApiError> {
    let letter = state.desk.ports.letters.get(&id).await?;
    Ok(Json(letter.ok_or_else(|| AppError::NotFound(format!("dead letter {id}")))?))
}
