//! Cutover's pages: rendered on the server, taken over in the browser.
//!
//! A page owns its filters (in the URL), its server functions (`api.rs`) and its view. It never sees a store: the
//! server functions reach the ports through [`context::Desk`], which also is the one place where anything is
//! changed: authorised, done, and recorded.

#![recursion_limit = "256"]
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "leptos makes undocumented, public structs of documented components and server functions"
)]

pub mod charts;
#[cfg(feature = "ssr")]
pub mod context;
pub mod error;
pub mod live;
pub mod pages;
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;
pub mod wire;

mod app;

pub use app::App;

/// Takes over the page that the server rendered, once its code is here.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let path = leptos::prelude::location().pathname().unwrap_or_default();
    if let Some(part) = pages::parts::Part::of(&path) {
        // Without its code the page stays what the server sent: it reads, and its forms and links work.
        if part.arrive().await.is_err() {
            return;
        }
    }
    leptos::mount::hydrate_body(App);
}
