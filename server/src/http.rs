//! Everything that answers over HTTP on the dashboard's listener, and, in [`ingest`], on the one for events.

pub(crate) mod api;
pub(crate) mod assets;
mod health;
pub(crate) mod ingest;
mod pages;
mod security;
mod shared;

use app::context::Desk;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use leptos::config::LeptosOptions;
use pipeline::sqlite::Sqlite;
use tokio_util::sync::CancellationToken;
use tower_http::trace::TraceLayer;

use crate::live::Hub;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct AppState {
    /// The ports and the one way to change anything.
    pub(crate) desk: Desk,
    /// The live hub.
    pub(crate) hub: Hub,
    /// The embedded store, if that is the backend, for its own health.
    pub(crate) store: Option<Sqlite>,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
    hosts: security::Hosts,
    leptos: LeptosOptions,
}

impl AppState {
    /// `hosts` are the names under which a proxy reaches the dashboard.
    pub(crate) fn new(desk: Desk, hub: Hub, store: Option<Sqlite>, stop: CancellationToken, hosts: &[String]) -> Self {
        Self {
            hosts: hosts.into(),
            desk,
            hub,
            store,
            stop,
            leptos: LeptosOptions::builder().output_name("cutover").build(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// Every route of the dashboard.
pub(crate) fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(api::router())
        .merge(assets::router())
        .merge(pages::router(&state))
        .method_not_allowed_fallback(api::error::no_method)
        .layer(axum::middleware::from_fn_with_state(state.hosts.clone(), security::guard))
        .layer(TraceLayer::new_for_http())
        .with_state(state)
}
