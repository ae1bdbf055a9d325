//! The time range: in the URL, so that back, reload and a new tab keep it.

use serde_json::Value;
use tests::browser::Browser;
use tests::wait::eventually;

use crate::backend::{Backend, on_both};

on_both!(
    a_range_is_kept_by_back_reload_and_a_new_tab,
    a_drag_on_a_chart_zooms,
    a_range_that_makes_no_sense_is_told,
    any_range_can_be_typed
);

async fn chosen(browser: &Browser, label: &str) {
    eventually(&format!("{label} is chosen"), async || {
        let current = browser.text(".seg a[aria-current], .range-sheet summary.chosen").await;
        if current.contains(label) { Ok(()) } else { Err(current) }
    })
    .await;
}

async fn a_range_is_kept_by_back_reload_and_a_new_tab(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    chosen(&browser, "1 h").await;
    for (label, range) in [("6 h", "6h"), ("7 d", "7d")] {
        browser.press(".seg[aria-label='Time range']", label).await;
        chosen(&browser, label).await;
        assert_eq!(browser.address().await, format!("/?range={range}"));
    }
    browser.back().await;
    chosen(&browser, "6 h").await;
    assert_eq!(browser.address().await, "/?range=6h");
    browser.reload().await;
    chosen(&browser, "6 h").await;
    browser.visit("/consumers/audit?range=24h").await;
    chosen(&browser, "24 h").await;
    browser.close().await;
}

/// A selection drawn on a chart becomes the page's range.
async fn a_drag_on_a_chart_zooms(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    let hands = "section[aria-labelledby=throughput-title] .chart-hands";
    let area = browser.run(
        "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.x, r.y, r.width, r.height]",
        vec![hands.into()],
    );
    let area: Vec<f64> = area.await.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let [x, y, width, height] = area[..] else { panic!("{area:?}") };
    let middle = y + height / 2.0;
    browser.drag((x + width * 0.25, middle), (x + width * 0.75, middle)).await;
    chosen(&browser, " – ").await;
    let address = browser.address().await;
    let range = address.strip_prefix("/?range=").unwrap_or_else(|| panic!("{address}"));
    let ends: Vec<i64> = range.split('-').filter_map(|end| end.parse().ok()).collect();
    let minutes = (ends[1] - ends[0]) / 60_000;
    assert!((25..=35).contains(&minutes), "half of an hour, not {minutes} minutes");

    // A double click goes out again, to twice as much.
    browser
        .run(
            "document.querySelector(arguments[0]).dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))",
            vec![hands.into()],
        )
        .await;
    eventually("the range is wider", async || {
        let address = browser.address().await;
        let ends: Vec<i64> = address
            .trim_start_matches("/?range=")
            .split('-')
            .filter_map(|end| end.parse().ok())
            .collect();
        if ends.len() == 2 && (ends[1] - ends[0]) / 60_000 > minutes {
            Ok(())
        } else {
            Err(address)
        }
    })
    .await;
    browser.back().await;
    browser.back().await;
    chosen(&browser, "1 h").await;
    browser.close().await;
}

async fn a_range_that_makes_no_sense_is_told(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.open_path("/?range=forever").await;
    browser.says("main", "range").await;
    browser.close_but_for(|complaint| complaint.contains("422")).await;
}

/// Two times, typed: for whom a drag is no way, and without any script as well.
async fn any_range_can_be_typed(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/consumers/audit").await;
    browser.press(".bar", "Other").await;
    let fill = "for (const [name, value] of Object.entries(arguments[0])) document.querySelector(`.range-sheet input[name=${name}]`).value = value";
    browser
        .run(
            fill,
            vec![serde_json::json!({ "from": "2026-09-21T14:00", "to": "2026-09-21T16:30" })],
        )
        .await;
    browser.press(".range-sheet", "Show").await;
    chosen(&browser, "21 Sep 14:00 – 16:30").await;
    eventually("the sheet is closed", async || browser.texts(".range-sheet[open]").await.is_empty()).await;
    browser.reload().await;
    chosen(&browser, "21 Sep 14:00 – 16:30").await;

    // The wrong way round: said, and nothing else.
    browser
        .open_path("/consumers/audit?from=2026-09-21T16:30&to=2026-09-21T14:00")
        .await;
    browser.says("main", "must end after it begins").await;
    browser.press("main", "Show it without").await;
    chosen(&browser, "1 h").await;
    browser.close_but_for(|complaint| complaint.contains("422")).await;
}
