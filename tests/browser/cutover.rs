//! `/cutover`: the flags, and what they do to the demo application.

use serde_json::json;
use tests::account::settled;
use tests::browser::Browser;
use tests::endpoint::Endpoint;
use tests::event;
use tests::server::Cutover;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};
use crate::with_demo;

on_both!(a_change_that_was_overtaken_is_refused, a_publisher_goes_its_own_way_and_comes_back);

/// Changes the global flags to those of a stage, as a person does.
async fn change(browser: &Browser, stage: &str, reason: &str) {
    change_of(browser, "global", "table.flags tbody tr:first-child", stage, reason).await;
}

async fn change_of(browser: &Browser, scope: &str, row: &str, stage: &str, reason: &str) {
    browser.click(&format!("{row} summary")).await;
    browser.click(&format!("{row} label.choice:has(input[value=\"{stage}\"])")).await;
    browser.type_into(&format!("#flag-reason-{scope}"), reason).await;
    browser.click(&format!("{row} label.choice:has(input[name=confirmed])")).await;
    browser.click(&format!("{row} button.main")).await;
    browser.says(".said-done", &format!("“{stage}”")).await;
}

/// Listens to the live stream for `count` readings: as long as it takes for something new to show.
async fn beats(site: &Endpoint, count: usize) {
    let mut stream = site.request(reqwest::Method::GET, "/api/v1/live").send().await.expect("a stream");
    let mut heard = 0;
    while heard < count {
        let chunk = stream.chunk().await.expect("an open stream").expect("a stream without end");
        heard += String::from_utf8_lossy(&chunk).matches("event: overview").count();
    }
}

async fn published(server: &Cutover) -> f64 {
    server.metric("cutover_events_published_total").await
}

async fn a_publisher_goes_its_own_way_and_comes_back(backend: Backend) {
    let server = backend.start().await;
    // Publishers are known by what they publish.
    let data = json!({ "fileId": "f-1", "processingStatus": "failed" });
    server.publish(&[event::of("file.processed", "file.service", &data)]).await;
    settled(&server, 1).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    let (scope, row) = ("file-service", "table.flags tr:has(#flag-reason-file-service)");
    browser.says(row, "as all").await;
    change_of(&browser, scope, row, "events only", "the first to go").await;
    browser.says(row, "off").await;
    change_of(&browser, scope, row, "as all", "with the others again").await;
    browser.says(row, "Override").await;
    browser
        .says(
            "section[aria-labelledby=history-title]",
            "file.service: events only → shadow, as all",
        )
        .await;
    browser.close().await;
}

#[tokio::test]
async fn a_flag_changes_what_the_demo_application_does() {
    let server = with_demo().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    browser.says("[aria-label=Stage]", "Shadow").await;
    change(&browser, "direct only", "rehearsing the rollback").await;
    browser.says("[aria-label=Stage]", "Direct only").await;

    // What was under way is delivered; after that nothing new is published, for several readings.
    eventually("nothing is in flight", async || {
        server.metric("cutover_events_in_flight").await == 0.0
    })
    .await;
    let stood = published(&server).await;
    beats(&server.site, 3).await;
    assert_eq!(published(&server).await, stood, "events were published though publishing is off");

    // Who, why, from, to: on the page and on the record.
    browser.says("section[aria-labelledby=history-title]", "shadow → direct only").await;
    browser
        .says("section[aria-labelledby=history-title]", "rehearsing the rollback")
        .await;
    change(&browser, "shadow", "rehearsed").await;
    eventually("the demo publishes again", async || published(&server).await > stood + 5.0).await;
    browser.visit("/activity").await;
    let deeds = browser.texts("tbody tr").await;
    assert_eq!(
        deeds
            .iter()
            .filter(|row| row.contains("flags.change") && row.contains("done"))
            .count(),
        2,
        "{deeds:?}"
    );

    // And on the charts: a mark for the changes.
    browser.visit("/").await;
    let flags = "section[aria-labelledby=throughput-title] .chart-flags title";
    browser.present(flags).await;
    let titles = browser
        .run(
            "return [...document.querySelectorAll(arguments[0])].map(t => t.textContent).join('\\n')",
            vec![flags.into()],
        )
        .await;
    assert!(
        titles.as_str().is_some_and(|text| text.contains("rehearsing the rollback")),
        "{titles}"
    );
    browser.close().await;
}

/// Has the page fetch nothing more, and waits for what it is fetching.
pub(crate) async fn hold_still(browser: &Browser) {
    let watch = "const real = window.fetch; window.begun = 0; window.ended = 0;
        window.fetch = (...what) => { window.begun += 1; return real.apply(window, what).finally(() => window.ended += 1); }";
    browser.run(watch, Vec::new()).await;
    let is = async |condition: &str| browser.run(&format!("return {condition}"), Vec::new()).await == true;
    // What was under way before is over by then, or is not waited for any more.
    eventually("the page fetches", async || is("window.ended > 0").await).await;
    browser.choose(".chip.live select", "off").await;
    eventually("the page fetches nothing", async || is("window.begun === window.ended").await).await;
}

/// The choice that would leave analytics stale can't be made, and one that was overtaken is refused in words.
async fn a_change_that_was_overtaken_is_refused(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    let disabled = browser
        .run("return document.querySelector('table.flags input[value=neither]').disabled", vec![])
        .await;
    assert_eq!(disabled, true);

    // While the form is open and the page holds still, someone else changes the flags.
    hold_still(&browser).await;
    let other = json!({ "publishing": true, "direct": false, "reason": "faster", "expected_version": 0 });
    server.site.put("/api/v1/flags", &other).await.expect(200);
    let row = "table.flags tbody tr:first-child";
    browser.click(&format!("{row} summary")).await;
    browser
        .click(&format!("{row} label.choice:has(input[value=\"direct only\"])"))
        .await;
    browser.type_into("#flag-reason-global", "slower").await;
    browser.click(&format!("{row} label.choice:has(input[name=confirmed])")).await;
    browser.click(&format!("{row} button.main")).await;
    browser.says(".said-refused", "since you looked").await;
    let flags = server.site.json("/api/v1/flags").await;
    assert_eq!(flags["items"][0]["version"], 1, "{flags}");
    browser
        .close_but_for(|complaint| complaint.contains("/fn/flags") && complaint.contains("409"))
        .await;
}
