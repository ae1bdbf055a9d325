//! The dashboard in a real browser, over the real binary. Modules mirror the pages, and what all pages have in common.
//!
//! Every test ends with [`Browser::close`](tests::browser::Browser::close): a console that isn't clean fails it.

mod backend;
mod connection;
mod consumers;
mod cutover;
mod events;
mod every_page;
mod keys;
mod letters;
mod missing;
mod range;
mod readme;
mod without_script;

use tests::server::{Cutover, Setup};
use tests::wait::eventually;

/// A server whose demo makes believable traffic from now on, without a past.
async fn with_demo() -> Cutover {
    let server = Setup::new().demo(600).env("CUTOVER_DEMO__HISTORY_DAYS", "0").start().await;
    eventually("the demo publishes", async || {
        server.metric("cutover_events_published_total").await > 10.0
    })
    .await;
    server
}
