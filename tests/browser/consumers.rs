//! `/consumers` and a consumer's page.

use tests::browser::Browser;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(a_consumer_is_paused_and_resumed);

async fn a_consumer_is_paused_and_resumed(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/consumers").await;
    assert_eq!(browser.texts("table.consumers tbody tr").await.len(), 4);
    browser.press("table.consumers", "analytics").await;
    browser.says("h1", "analytics").await;
    browser.says("details.fold", "analytics").await;
    for (verb, word, paused) in [("Pause", "paused", 1.0), ("Resume", "idle", 0.0)] {
        browser.press("section[aria-label='At a glance']", verb).await;
        browser.type_into("#pause-reason", "maintenance").await;
        browser.click("details.sheet[open] button.main").await;
        browser.says(".said-done", "analytics").await;
        browser.says(".lead .state", word).await;
        // Left open, the sheet would offer the opposite with the same reason, one stroke away.
        eventually("the sheet is closed", async || {
            browser.texts("details.sheet[open]").await.is_empty()
        })
        .await;
        eventually("it is so", async || {
            server.metric("cutover_consumer_paused{consumer=\"analytics\"}").await == paused
        })
        .await;
    }
    browser.close().await;
}
