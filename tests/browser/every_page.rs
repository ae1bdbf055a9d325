//! Every page, on a desk, on a phone and as narrow as may be, in the light and in the dark: nothing complains, nothing sticks out, nothing
//! is a barrier.

use serde_json::json;
use tests::browser::{Browser, Screen};
use tests::event::poison_entry;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(every_page_fits_every_screen_and_everybody, one_visit_through_all_pages);

const SCREENS: [(&str, Screen); 5] = [
    ("desk", Screen::DESK),
    ("desk-dark", Screen::DESK.dark()),
    ("phone", Screen::PHONE),
    ("phone-dark", Screen::PHONE.dark()),
    ("narrow", Screen::NARROW),
];

async fn every_page_fits_every_screen_and_everybody(backend: Backend) {
    let server = backend.busy().await;
    let (event, entry) = poison_entry();
    server.put(&[entry]).await;
    let letter = eventually("a letter", async || {
        let letters = server.site.json("/api/v1/dead-letters").await;
        letters["items"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let wish =
        json!({ "kind": "redrive", "select": { "ids": [letter, "never-was"] }, "reason": "to see it fail again, and one passed over" });
    let operation = server.site.post("/api/v1/operations", &wish).await.expect(202).json();
    let operation = operation["id"].as_str().expect("an id").to_owned();
    let change = json!({ "publishing": true, "direct": false, "reason": "to have a history with a long reason that wraps on a phone", "expected_version": 0 });
    server.site.put("/api/v1/flags", &change).await.expect(200);

    let mut pages = vec![
        ("overview", "/".to_owned()),
        ("consumers", "/consumers".to_owned()),
        ("consumer", "/consumers/categorization".to_owned()),
        ("events", "/events".to_owned()),
        ("event", format!("/events/{event}")),
        ("dead-letters", "/dead-letters?status=all".to_owned()),
        ("dead-letter", format!("/dead-letters/{letter}")),
        ("operations", "/operations".to_owned()),
        ("operation", format!("/operations/{operation}")),
        ("cutover", "/cutover".to_owned()),
        ("findings", "/findings".to_owned()),
        ("activity", "/activity".to_owned()),
    ];
    if backend == Backend::Embedded {
        pages.push(("demo", "/demo".to_owned()));
    }
    let browser = Browser::open(&server.site).await;
    let mut faults = Vec::new();
    for (name, path) in &pages {
        browser.visit(path).await;
        browser.present("main section").await;
        for (screen_name, screen) in SCREENS {
            browser.screen(screen).await;
            if let Some(out) = browser.sticking_out().await {
                faults.push(format!("{path} on {screen_name}: {out}"));
            }
            // On a screen of 320 px they may be drawn along; on a phone they are all in view.
            let rail = "const rail = document.querySelector('nav.rail'); return rail.scrollWidth - rail.clientWidth";
            let beyond = browser.run(rail, vec![]).await;
            if screen_name != "narrow" && beyond != 0 {
                faults.push(format!("{path} on {screen_name}: {beyond} px of the pages' names are out of view"));
            }
            faults.extend(
                browser
                    .barriers()
                    .await
                    .into_iter()
                    .map(|barrier| format!("{path} on {screen_name}: {barrier}")),
            );
            let of = if backend == Backend::Aws { "aws-" } else { "" };
            browser.picture(&format!("{of}{name}-{screen_name}")).await;
        }
        faults.extend(
            browser
                .complaints()
                .await
                .into_iter()
                .map(|complaint| format!("{path}: {complaint}")),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
    browser.close().await;
}

/// Links between pages are followed by the script, without a load; and the console stays clean on the way.
async fn one_visit_through_all_pages(backend: Backend) {
    let server = backend.busy().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    browser.run("window.stayed = true", vec![]).await;
    let pages = [
        ("Consumers", "All consumers"),
        ("Events", "Payload"),
        ("Dead letters", "By kind of error"),
        ("Cutover", "Flags"),
        ("Activity", "covers"),
        ("Demo", "Faults"),
        ("Overview", "Consumers"),
    ];
    for (label, words) in pages {
        if label == "Demo" && backend == Backend::Aws {
            continue;
        }
        browser.press("nav.rail", label).await;
        browser.says("h1", label).await;
        browser.says("main", words).await;
        let complaints = browser.complaints().await;
        assert!(complaints.is_empty(), "{label}: {complaints:#?}");
    }
    assert_eq!(browser.run("return window.stayed", vec![]).await, true, "the page was never left");
    browser.close().await;
}
