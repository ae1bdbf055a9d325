//! What a page says when the server is gone.

use serde_json::json;
use tests::browser::Browser;
use tests::event::updated;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};
use crate::cutover::hold_still;

on_both!(
    a_lost_connection_is_said_and_the_data_stays,
    silence_over_an_open_connection_is_said,
    a_page_is_fetched_when_the_server_is_back,
    a_hidden_tab_lets_go_of_its_connection,
    what_is_new_appears_by_itself
);

async fn a_lost_connection_is_said_and_the_data_stays(backend: Backend) {
    let server = backend.start().await;
    server.publish(&[updated(), updated(), updated()]).await;
    tests::account::settled(&server, 3).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 3);
    server.server.kill().await;
    browser.says(".chip.live", "connection lost").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 3, "what there was stays");
    browser.close_but_for(|complaint| complaint.contains("net::ERR_")).await;
}

/// A server that hangs keeps its connections open; the page says all the same that what it shows is old.
async fn silence_over_an_open_connection_is_said(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    server.freeze();
    browser.says(".chip.live", "old: no news from the server").await;
    browser.says(".chip.live", "as of").await;
    server.thaw();
    browser.live().await;
    browser.close().await;
}

/// A page whose code can't be fetched says so, and comes by itself when the server is back.
async fn a_page_is_fetched_when_the_server_is_back(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    // As good as a server that is gone, for the one file that is needed.
    browser.cdp("Network.enable", json!({})).await;
    browser.cdp("Network.setBlockedURLs", json!({ "urls": ["*split_records*"] })).await;
    browser.press("nav.rail", "Events").await;
    browser.says("main", "This page can't be fetched").await;
    browser.cdp("Network.setBlockedURLs", json!({ "urls": [] })).await;
    browser.says("h1", "Events").await;
    browser
        .close_but_for(|complaint| complaint.contains("split_records") || complaint.contains("Failed to fetch"))
        .await;
}

/// A tab in the background asks for nothing, and reads at once when it comes back.
async fn a_hidden_tab_lets_go_of_its_connection(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    let hide = "Object.defineProperty(document, 'visibilityState', { value: arguments[0], configurable: true }); document.dispatchEvent(new Event('visibilitychange'))";
    browser.run(hide, vec!["hidden".into()]).await;
    browser.says(".chip.live", "paused").await;
    eventually("nobody listens", async || server.metric("cutover_live_viewers").await == 0.0).await;
    browser.run(hide, vec!["visible".into()]).await;
    browser.live().await;
    browser.close().await;
}

/// What happens is seen without a reload.
async fn what_is_new_appears_by_itself(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main", "No events yet").await;
    let event = updated();
    server.publish(std::slice::from_ref(&event)).await;
    browser.present(&format!("table.events a[title={}]", event["eventId"])).await;
    // Stopped, it stays as it is; the choice to go on reads again.
    hold_still(&browser).await;
    let other = updated();
    server.publish(std::slice::from_ref(&other)).await;
    tests::account::settled(&server, 2).await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 1);
    browser.choose(".chip.live select", "2s").await;
    browser.present(&format!("table.events a[title={}]", other["eventId"])).await;
    browser.close().await;
}
