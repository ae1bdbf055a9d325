//! `/dead-letters`, and `/demo`, where failures can be had.

use tests::browser::Browser;
use tests::server::Cutover;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(
    an_outage_makes_letters_and_a_redrive_clears_them,
    what_is_selected_is_discarded_and_nothing_else,
    what_is_ticked_and_has_left_the_page_is_acted_on_too,
    a_failed_redrive_leads_to_what_failed_and_why
);

/// Opens the sheet, says which letters and what with them, and has it done.
async fn act(browser: &Browser, all: &str, kind: &str, reason: &str) {
    browser.press("#letters-work", "…").await;
    browser.click(&format!("#letters-work input[name=all][value={all}]")).await;
    browser.click(&format!("#letters-work input[name=kind][value={kind}]")).await;
    browser.type_into("#work-reason", reason).await;
    browser.press("#letters-work details[open]", "Do it").await;
}

async fn open_letters(server: &Cutover) -> f64 {
    server.metric("cutover_dead_letters_open").await
}

/// A consumer fails, letters come, the fault ends, a redrive clears them: all of it in the browser.
async fn an_outage_makes_letters_and_a_redrive_clears_them(backend: Backend) {
    let server = backend.frail().await;
    let browser = Browser::open(&server.site).await;
    server.set_outage(&browser, true).await;
    let events: Vec<_> = (0..6).map(|_| tests::event::updated()).collect();
    server.publish(&events).await;
    eventually("letters come", async || open_letters(&server).await >= 5.0).await;

    // They are seen without a reload, with what went wrong, and in the rail.
    browser.visit("/dead-letters").await;
    browser.says("table.letters", backend.outage()).await;
    browser.says("table.letters", "analytics").await;
    browser.present(".rail .count").await;

    // One letter's page: every attempt.
    browser.click("table.letters a[href^='/dead-letters/']").await;
    browser.says(".kv", "after its attempts were spent").await;
    eventually("three attempts", async || browser.texts("ol.attempts li").await.len() == 3).await;

    server.set_outage(&browser, false).await;
    server.idle("analytics").await;

    browser.visit("/dead-letters").await;
    act(&browser, "true", "redrive", "the store answers again").await;
    browser.says(".said-done", "started").await;
    eventually("the sheet is closed", async || {
        browser.texts("#letters-work details[open]").await.is_empty()
    })
    .await;
    eventually("the redrive is verified", async || {
        let operation = browser.text(".op").await;
        let verified = operation
            .lines()
            .find_map(|line| line.split_once(" verified, 0 failed, 0 passed over, of "));
        if verified.is_some_and(|(verified, all)| verified == all && all != "0") {
            Ok(())
        } else {
            Err(operation)
        }
    })
    .await;
    browser.says("#groups-title", "0 open").await;
    assert_eq!(open_letters(&server).await, 0.0);
    browser.says(".op", "the store answers again").await;

    browser.visit("/dead-letters?status=redriven").await;
    let states = browser.texts("table.letters tbody tr td:nth-child(7)").await;
    assert!(states.len() >= 5 && states.iter().all(|state| state == "redriven"), "{states:?}");
    browser.visit("/activity").await;
    browser.says("table", "letters.redrive").await;
    browser.close().await;
}

/// Only what is ticked is acted on, and a refusal is shown.
async fn what_is_selected_is_discarded_and_nothing_else(backend: Backend) {
    let server = backend.start().await;
    let entries: Vec<_> = (0..3).map(|_| tests::event::poison_entry().1).collect();
    server.put(&entries).await;
    eventually("three letters", async || open_letters(&server).await == 3.0).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.click("table.letters tbody tr:nth-child(2) input[type=checkbox]").await;
    browser.says("#letters-work", "3 match, 1 selected").await;

    // A reload keeps what is ticked.
    browser.reload().await;
    browser.says("#letters-work", "3 match, 1 selected").await;
    act(&browser, "false", "discard", "known to be broken").await;
    browser.says("#groups-title", "2 open").await;
    assert_eq!(open_letters(&server).await, 2.0);
    browser.close().await;
}

/// What is ticked is meant, whether it is still on the page or not.
async fn what_is_ticked_and_has_left_the_page_is_acted_on_too(backend: Backend) {
    let server = backend.start().await;
    let put = async |count: usize| {
        let entries: Vec<_> = (0..count).map(|_| tests::event::poison_entry().1).collect();
        server.put(&entries).await;
    };
    put(2).await;
    eventually("two letters", async || open_letters(&server).await == 2.0).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    browser.click("table.letters thead input[type=checkbox]").await;
    browser.says("#letters-work", "2 match, 2 selected").await;
    put(60).await;
    browser.says("#letters-work", "62 match, 2 selected").await;
    act(&browser, "false", "discard", "only these two").await;
    eventually("both are discarded", async || open_letters(&server).await == 60.0).await;
    browser.close().await;
}

/// A redrive that fails again leads to the letters it failed for, and each of them says who tried, why, and what came of it.
async fn a_failed_redrive_leads_to_what_failed_and_why(backend: Backend) {
    let server = backend.start().await;
    let entries: Vec<_> = (0..2).map(|_| tests::event::poison_entry().1).collect();
    server.put(&entries).await;
    eventually("two letters", async || open_letters(&server).await == 2.0).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/dead-letters").await;
    act(&browser, "true", "redrive", "perhaps it was the weather").await;
    browser.says(".op", "done, with failures").await;
    browser.press(".op", "2 failed").await;
    browser.says("h1", "Operation").await;
    eventually("the two that failed", async || {
        let rows = browser.texts("section[aria-labelledby=items-title] tbody tr").await;
        rows.len() == 2 && rows.iter().all(|row| row.contains("failed") && row.contains("InvalidPayload"))
    })
    .await;
    assert!(browser.address().await.ends_with("?show=failed"));
    browser.press("nav[aria-label=Outcome]", "passed over").await;
    browser
        .says("section[aria-labelledby=items-title]", "No letter of this operation")
        .await;
    browser.back().await;
    browser.click("section[aria-labelledby=items-title] tbody a").await;
    browser
        .says("section[aria-labelledby=deeds-title]", "perhaps it was the weather")
        .await;
    browser.press("section[aria-labelledby=deeds-title]", "redrive").await;
    browser.says("h1", "Operation").await;
    browser.visit("/activity").await;
    browser.says("table", "redrive all letters that are open: 2").await;
    browser.press("table", "redrive all letters").await;
    browser
        .says("section[aria-labelledby=operation-title]", "perhaps it was the weather")
        .await;
    browser.close().await;
}
