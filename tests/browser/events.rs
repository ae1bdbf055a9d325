//! `/events`, and what was sent there by an AWS SDK as every page shows it.

use tests::account::settled;
use tests::browser::Browser;
use tests::data::{self, PUT_EVENTS};
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(what_an_aws_client_sends_is_seen_on_the_pages, the_form_follows_the_address);

/// The thin slice through everything: an AWS client sends, consumers consume, people see.
async fn what_an_aws_client_sends_is_seen_on_the_pages(backend: Backend) {
    let server = backend.start().await;
    let answered = server.put_lines(PUT_EVENTS).await;
    assert_eq!((answered.failed, answered.ids.len()), (0, 120));
    settled(&server, 120).await;

    let browser = Browser::open(&server.site).await;
    browser.visit("/events").await;
    let rows = browser.texts("table.events tbody tr").await;
    assert_eq!(rows.len(), 50, "a page of events: {rows:?}");

    // The filter, as a person uses it; and what it finds.
    let deleted: Vec<_> = data::sent()
        .into_iter()
        .filter(|event| event.event_type == "account.deleted")
        .collect();
    browser.choose("select[name=type]", "account.deleted").await;
    browser.press("form.tools", "Filter").await;
    tests::wait::eventually("the events of one type", async || {
        let types = browser.texts("table.events tbody tr td:nth-child(3)").await;
        if types.len() == deleted.len() && types.iter().all(|t| t == "account.deleted") {
            Ok(())
        } else {
            Err(format!("{types:?}"))
        }
    })
    .await;
    assert!(browser.address().await.contains("type=account.deleted"));

    // One event: its fields, its payload, its deliveries.
    let one = &deleted[0];
    browser.click(&format!("table.events a[href='/events/{}']", one.id)).await;
    browser.says(".kv", &one.id).await;
    browser
        .says("pre", one.body["data"]["accountId"].as_str().expect("an account"))
        .await;
    let mut consumers = browser.texts(".deliveries > li .row a").await;
    consumers.sort();
    assert_eq!(consumers, one.consumers());
    let states = browser.texts(".deliveries > li .row").await;
    assert!(states.iter().all(|row| row.contains("completed")), "{states:?}");

    // The overview counts them: the newest minutes of its charts, and its consumers.
    browser.visit("/").await;
    browser.says(".criteria", "120 published, all accounted for").await;
    browser.present("#throughput-title").await;
    let audited = browser.texts("table.consumers tbody tr").await;
    assert_eq!(audited.len(), 4, "{audited:?}");
    browser.close().await;
}

/// The form shows the filter that is applied, whichever way it came to be.
async fn the_form_follows_the_address(backend: Backend) {
    let server = backend.start().await;
    let events = [tests::event::updated(), tests::event::account_deleted()];
    server.publish(&events).await;
    tests::account::settled(&server, 2).await;
    let browser = Browser::open(&server.site).await;
    let shown = async |wanted: (&str, &str)| {
        let state =
            "return [document.querySelector('select[name=type]').value, document.querySelector('input[name=user]').value].join('|')";
        eventually("the form shows it", async || {
            let now = browser.run(state, vec![]).await;
            if now == format!("{}|{}", wanted.0, wanted.1) {
                Ok(())
            } else {
                Err(now.to_string())
            }
        })
        .await;
    };
    browser.visit("/events").await;
    browser.choose("select[name=type]", "account.deleted").await;
    browser.type_into("input[name=user]", "user-1").await;
    browser.press("form.tools", "Filter").await;
    eventually("the filter is applied", async || browser.address().await.contains("user=user-1")).await;
    shown(("account.deleted", "user-1")).await;
    browser.press("form.tools", "Clear").await;
    shown(("", "")).await;
    browser.back().await;
    shown(("account.deleted", "user-1")).await;
    // Seconds and zone may be left out of a time.
    browser.visit("/events?from=2026-01-31T09:00").await;
    assert_eq!(browser.texts("table.events tbody tr").await.len(), 2);
    browser.close().await;
}
