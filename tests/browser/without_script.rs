//! Reading works without any script.

use serde_json::json;
use tests::account::settled;
use tests::browser::Browser;
use tests::data;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(pages_are_read_and_filtered_without_script, changes_are_made_without_script);

async fn pages_are_read_and_filtered_without_script(backend: Backend) {
    let server = backend.start().await;
    let events: Vec<_> = data::sent().into_iter().map(|event| event.body).collect();
    server.publish(&events).await;
    let (poisoned, entry) = tests::event::poison_entry();
    server.put(&[entry]).await;
    settled(&server, 121).await;

    let browser = Browser::open(&server.site).await;
    browser.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    for (path, css, words) in [
        ("/", ".criteria", "121 published, all accounted for"),
        ("/", ".chart-drawing svg", ""),
        ("/consumers", "table.consumers", "categorization"),
        (
            "/consumers/audit",
            ".figures",
            if backend == Backend::Embedded { "121" } else { "Attempts" },
        ),
        (&format!("/events/{poisoned}"), ".deliveries", "dead-lettered"),
        ("/dead-letters", "table.letters", "InvalidPayload"),
        ("/cutover", "table.flags", "category.service"),
        ("/findings", "main", "What was looked at"),
        ("/activity", "main", "Nobody has changed anything yet"),
    ] {
        // Such a page doesn't read again by itself what it could not have at once.
        eventually(&format!("{path} says {words:?}"), async || {
            browser.open_path(path).await;
            let says = "const found = document.querySelector(arguments[0]); return found !== null && (found.innerText ?? '').includes(arguments[1])";
            browser.run(says, vec![css.into(), words.into()]).await == true
        })
        .await;
    }

    // The filter is a form, the pager is links.
    browser.open_path("/events").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 50);
    browser.press("footer.pager", "Older").await;
    browser.present("footer.pager a[href='/events']").await;
    browser.open_path("/events").await;
    browser.choose("select[name=type]", "account.deleted").await;
    browser.press("form.tools", "Filter").await;
    let expected = events.iter().filter(|event| event["eventType"] == "account.deleted").count();
    eventually("the filter's answer", async || {
        let rows = browser.texts("table.events tbody tr td:nth-child(3)").await;
        if rows.len() == expected && rows.iter().all(|row| row == "account.deleted") {
            Ok(())
        } else {
            Err(format!("{rows:?}"))
        }
    })
    .await;
    assert!(browser.address().await.contains("type=account.deleted"));
    browser.close().await;
}

/// Changes are plain forms: what was wrong is said on the page, and only what is ticked is acted on.
async fn changes_are_made_without_script(backend: Backend) {
    let server = backend.start().await;
    let entries: Vec<_> = (0..3).map(|_| tests::event::poison_entry().1).collect();
    server.put(&entries).await;
    settled(&server, 3).await;
    let browser = Browser::open(&server.site).await;
    browser.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;

    browser.open_path("/dead-letters").await;
    browser.press("#letters-work", "…").await;
    browser.click("#letters-work input[name=all][value=false]").await;
    browser.click("#letters-work input[name=kind][value=discard]").await;
    browser.type_into("#work-reason", "nothing is ticked").await;
    browser.press("#letters-work", "Do it").await;
    browser.says(".said-refused", "nothing is selected").await;
    assert_eq!(server.metric("cutover_dead_letters_open").await, 3.0);

    browser.open_path("/dead-letters").await;
    browser.click("table.letters tbody tr:nth-child(2) input[type=checkbox]").await;
    browser.press("#letters-work", "…").await;
    browser.click("#letters-work input[name=all][value=false]").await;
    browser.click("#letters-work input[name=kind][value=discard]").await;
    browser.type_into("#work-reason", "one is ticked").await;
    browser.press("#letters-work", "Do it").await;
    eventually("one is discarded", async || server.metric("cutover_dead_letters_open").await == 2.0).await;
    browser.close_but_for(|complaint| complaint.contains("favicon")).await;
}
