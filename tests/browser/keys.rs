//! The keyboard.

use tests::browser::Browser;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(
    keys_list_themselves_and_lead_to_pages,
    a_page_is_left_from_inside_a_chart,
    a_list_is_held_while_it_has_the_focus
);

async fn keys_list_themselves_and_lead_to_pages(backend: Backend) {
    let server = backend.start().await;
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
        ("f", "/findings"),
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

/// Leaving a page while one of its charts has the focus leaves nothing behind that complains.
async fn a_page_is_left_from_inside_a_chart(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    let into = "const hands = document.querySelector('.chart-hands'); hands.focus(); hands.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }))";
    browser.run(into, vec![]).await;
    browser.key("g").await;
    browser.key("e").await;
    browser.says("h1", "Events").await;
    browser.present("main .empty").await;
    browser.close().await;
}

/// A list stands still under whoever walks through it.
async fn a_list_is_held_while_it_has_the_focus(backend: Backend) {
    let server = backend.start().await;
    let send = async || server.publish(&[tests::event::updated()]).await;
    send().await;
    tests::account::settled(&server, 1).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    browser.present("table.events tbody a").await;
    browser.run("document.querySelector('table.events tbody a').focus()", vec![]).await;
    send().await;
    browser.says("footer.pager", "Held while you are in the list").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 1);
    assert_eq!(
        browser
            .run("return document.activeElement.closest('table.events') !== null", vec![])
            .await,
        true
    );
    browser.run("document.activeElement.blur()", vec![]).await;
    eventually("what is new is shown", async || {
        browser.texts("table.events tbody tr").await.len() == 2
    })
    .await;
    browser.close().await;
}
