//! The keyboard.

use tests::browser::Browser;
use tests::server::Setup;
use tests::wait::eventually;

#[tokio::test]
async fn keys_list_themselves_and_lead_to_pages() {
    let server = Setup::new().start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    browser.key("?").await;
    browser.says("dialog.keys[open]", "This list").await;
    browser.press("dialog.keys", "Close").await;
    eventually("the list is closed", async || browser.texts("dialog.keys[open]").await.is_empty()).await;

    for (letter, path) in [
        ("e", "/events"),
        ("d", "/dead-letters"),
        ("x", "/cutover"),
        ("a", "/activity"),
        ("c", "/consumers"),
        ("o", "/"),
    ] {
        browser.key("g").await;
        browser.key(letter).await;
        eventually(&format!("g {letter} leads to {path}"), async || {
            let address = browser.address().await;
            if address == path { Ok(()) } else { Err(address) }
        })
        .await;
    }

    // To the filter; and what is typed there is text, not a command.
    browser.visit("/events").await;
    browser.key("/").await;
    eventually("the filter has the focus", async || {
        browser.run("return document.activeElement.name", vec![]).await == "q"
    })
    .await;
    browser.key("g").await;
    browser.key("o").await;
    assert_eq!(browser.run("return document.activeElement.value", vec![]).await, "go");
    assert_eq!(browser.address().await, "/events");
    browser.close().await;
}
