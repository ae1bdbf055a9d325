//! The events.

use app::error::AppError;
use app::pages::events::api::chain as follow;
use axum::Json;
use axum::extract::State;
use pipeline::event::Event;
use pipeline::ledger::LedgerEntry;
use pipeline::ports::{EventFilter, StoreError, StoredEvent};
use pipeline::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, Problem};
use super::query::{LIMIT, Path, Query, instant};
use crate::http::AppState;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct EventParams {
    #[serde(rename = "type")]
    #[param(rename = "type")]
    event_type: Option<String>,
    source: Option<String>,
    user: Option<String>,
    correlation: Option<String>,
    /// Text in the id or the payload, case aside
    q: Option<String>,
    /// RFC 3339 or Unix milliseconds
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds
    to: Option<String>,
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page of events; each with the design's own keys.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    #[schema(value_type = Vec<Object>)]
    items: Vec<Event>,
    next: Option<String>,
    /// With a text filter, how many events were looked through.
    searched: u64,
    /// Whether the search stopped at its limit.
    partial: bool,
    /// How many event types there are beyond those that a list is merged of; their events are found by their type.
    left_out: u64,
    /// What reading it consumed, in DynamoDB's read units; null where reading costs nothing.
    capacity: Option<f64>,
}

/// Events, newest first
#[utoipa::path(get, path = "/api/v1/events", params(EventParams), responses((status = 200, body = Events), (status = 422, body = Problem)))]
pub(super) async fn list(State(state): State<AppState>, Query(params): Query<EventParams>) -> Result<Json<Events>, ApiError> {
    let filter = EventFilter {
        event_type: params.event_type,
        source: params.source,
        user: params.user,
        correlation: params.correlation,
        q: params.q,
        from: instant("from", params.from.as_deref())?,
        to: instant("to", params.to.as_deref())?,
    };
    let found = state
        .desk
        .ports
        .events
        .list(&filter, params.limit.unwrap_or(LIMIT), params.cursor.as_deref())
        .await?;
    Ok(Json(Events {
        items: found.page.items.into_iter().map(|s| s.event).collect(),
        next: found.page.next,
        searched: found.searched,
        partial: found.partial,
        left_out: found.left_out,
        capacity: found.capacity,
    }))
}

async fn stored(state: &AppState, id: &str) -> Result<StoredEvent, ApiError> {
    Ok(state
        .desk
        .ports
        .events
        .get(id)
        .await?
        .ok_or_else(|| AppError::NotFound(format!("event {id}")))?)
}

/// Events that are still open.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenEvents {
    items: Vec<LedgerEntry>,
    /// Always null: the list ends where the limit does.
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenParams {
    /// 1 to 500; 50 when left out
    limit: Option<u32>,
}

/// What the ledger still has open, oldest first
#[utoipa::path(get, path = "/api/v1/ledger/open", params(OpenParams), responses((status = 200, body = OpenEvents), (status = 422, body = Problem)))]
pub(super) async fn open(State(state): State<AppState>, Query(params): Query<OpenParams>) -> Result<Json<OpenEvents>, ApiError> {
    Ok(Json(OpenEvents {
        items: state.desk.ports.ledger.open(params.limit.unwrap_or(LIMIT)).await?,
        next: None,
    }))
}

/// An event and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct EventBody {
    #[schema(value_type = Option<Object>)]
    event: Option<Event>,
    /// Null while the audit consumer has not completed it; `event` is null then too.
    stored_at: Option<Timestamp>,
    /// Each consumer's delivery; null if the ledger doesn't know the event, or the backend has none.
    ledger: Option<LedgerEntry>,
}

/// One event
#[utoipa::path(get, path = "/api/v1/events/{event_id}", params(("event_id", description = "Its id")), responses((status = 200, body = EventBody), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<EventBody>, ApiError> {
    let (stored, ledger) = (state.desk.ports.events.get(&id).await?, entry(&state, &id).await?);
    if stored.is_none() && ledger.is_none() {
        return Err(AppError::NotFound(format!("event {id}")).into());
    }
    let (event, stored_at) = stored.map(|stored| (stored.event, stored.stored_at)).unzip();
    Ok(Json(EventBody { event, stored_at, ledger }))
}

/// What the ledger knows of an event; nothing, where the backend has no ledger.
async fn entry(state: &AppState, id: &str) -> Result<Option<LedgerEntry>, ApiError> {
    match state.desk.ports.ledger.entry(id).await {
        Err(StoreError::NotOffered { .. }) => Ok(None),
        known => Ok(known?),
    }
}

/// A link of the chain.
#[derive(Serialize, ToSchema)]
pub(super) struct Link {
    #[schema(value_type = Object)]
    event: Event,
    ledger: Option<LedgerEntry>,
}

/// Causation, both ways.
#[derive(Serialize, ToSchema)]
pub(super) struct ChainBody {
    /// First cause first.
    causes: Vec<Link>,
    event: Link,
    /// Oldest first.
    effects: Vec<Link>,
    /// A cause that is named but was never seen.
    orphan_of: Option<String>,
}

/// An event's causes and effects, each with its deliveries
#[utoipa::path(get, path = "/api/v1/events/{event_id}/chain", params(("event_id", description = "Its id")), responses((status = 200, body = ChainBody), (status = 404, body = Problem)))]
pub(super) async fn chain(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<ChainBody>, ApiError> {
    let stored = stored(&state, &id).await?;
    let chain = follow(&state.desk, &stored.event).await?;
    let links = async |events: Vec<StoredEvent>| {
        let mut links = Vec::with_capacity(events.len());
        for stored in events {
            links.push(Link {
                ledger: entry(&state, &stored.event.event_id).await?,
                event: stored.event,
            });
        }
        Ok::<_, ApiError>(links)
    };
    Ok(Json(ChainBody {
        causes: links(chain.causes).await?,
        event: Link {
            ledger: entry(&state, &id).await?,
            event: stored.event,
        },
        effects: links(chain.effects).await?,
        orphan_of: chain.orphan_of,
    }))
}
