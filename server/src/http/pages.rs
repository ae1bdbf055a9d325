//! The pages and their server functions.

use app::context::{Actor, Desk};
use app::shell::{Assets, shell};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::any;
use leptos::prelude::provide_context;
use leptos_axum::{LeptosRoutes, generate_route_list};

use super::AppState;
use super::assets::{asset, part};
use super::shared::{Rendered, share};

/// Where the server functions are.
const FUNCTIONS: &str = "/fn/{*name}";

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let provide = context(&state.desk);
    let routes = generate_route_list(app::App);
    let assets = assets();
    Router::new()
        .leptos_routes_with_context(state, routes, provide.clone(), move || shell(assets))
        .fallback(leptos_axum::render_app_async_with_context(provide, move || shell(assets)))
        .layer(axum::middleware::from_fn_with_state(Rendered::new(state.desk.clone()), share))
        .route(FUNCTIONS, any(function))
}

/// What pages and server functions find in their context.
fn context(desk: &Desk) -> impl Fn() + Clone + Send + Sync + use<> {
    let desk = desk.clone();
    move || {
        provide_context(desk.clone());
        provide_context(Actor::local());
    }
}

async fn function(State(state): State<AppState>, request: Request<Body>) -> impl IntoResponse {
    leptos_axum::handle_server_fns_with_context(context(&state.desk), request).await
}

fn assets() -> Assets {
    let path = |name| asset(name).map(|a| a.path);
    Assets {
        css: path("cutover.css"),
        js: path("code/cutover.js"),
        loader: path("code/parts.js"),
        wasm: path("code/cutover.wasm"),
        part: |name| part(name).collect(),
        theme: path("theme.js"),
        icon: path("favicon.svg"),
    }
}
