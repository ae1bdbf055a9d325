//! What a page says when the server is gone.

use serde_json::json;
use tests::browser::Browser;
use tests::event::updated;
use tests::server::Setup;

#[tokio::test]
async fn a_lost_connection_is_said_and_the_data_stays() {
    let server = Setup::new().start().await;
    server
        .ingest
        .post("/api/v1/events", &json!([updated(), updated(), updated()]))
        .await
        .expect(200);
    tests::account::settled(&server, 3).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 3);
    server.kill().await;
    browser.says(".chip.live", "connection lost").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 3, "what there was stays");
    browser.close_but_for(|complaint| complaint.contains("net::ERR_")).await;
}

/// What happens is seen without a reload.
#[tokio::test]
async fn what_is_new_appears_by_itself() {
    let server = Setup::new().start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.says("main", "No events yet").await;
    let event = updated();
    server.ingest.post("/api/v1/events", &event).await.expect(200);
    browser.present(&format!("table.events a[title={}]", event["eventId"])).await;
    // Stopped, it stays as it is; the choice to go on reads again.
    browser.choose(".chip.live select", "off").await;
    let other = updated();
    server.ingest.post("/api/v1/events", &other).await.expect(200);
    tests::account::settled(&server, 2).await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 1);
    browser.choose(".chip.live select", "2s").await;
    browser.present(&format!("table.events a[title={}]", other["eventId"])).await;
    browser.close().await;
}
