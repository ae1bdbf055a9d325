//! The JSON API: what the pages can do, it can do. Described at `/api/openapi.json`.

mod activity;
mod consumers;
mod dead_letters;
mod demo;
pub(crate) mod error;
mod events;
mod findings;
mod flags;
mod live;
mod operations;
mod overview;
mod parity;
mod query;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;

#[derive(OpenApi)]
#[openapi(info(
    title = "Cutover",
    description = "What the dashboard shows and does. Times are RFC 3339 or Unix milliseconds in, RFC 3339 out. Lists are newest first."
))]
struct Document;

/// Every route of the API.
pub(super) fn router() -> Router<AppState> {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(overview::overview))
        .routes(routes!(overview::series))
        .routes(routes!(consumers::list))
        .routes(routes!(consumers::one))
        .routes(routes!(consumers::pause))
        .routes(routes!(events::list))
        .routes(routes!(events::one))
        .routes(routes!(events::chain))
        .routes(routes!(events::open))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::groups))
        .routes(routes!(dead_letters::queues))
        .routes(routes!(dead_letters::one))
        .routes(routes!(operations::start, operations::list))
        .routes(routes!(operations::one))
        .routes(routes!(operations::items))
        .routes(routes!(operations::cancel))
        .routes(routes!(flags::list, flags::set))
        .routes(routes!(flags::write_functions))
        .routes(routes!(parity::report))
        .routes(routes!(activity::list))
        .routes(routes!(findings::list))
        .routes(routes!(demo::faults, demo::set))
        .routes(routes!(live::live))
        .split_for_parts();
    router
        .route("/api/openapi.json", get(move || async move { Json(document) }))
        .route("/api/{*rest}", axum::routing::any(error::no_route))
}
