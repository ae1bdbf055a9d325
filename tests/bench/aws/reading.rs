//! A page of events, under each filter.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pipeline::time::{HOUR, MINUTE, Timestamp};
use tests::between::{Between, Fate};
use tests::deployment::Account;
use tests::server::Setup;
use tests::wait::eventually;

use crate::report::Report;

/// Types of events, a few more than there are of the design's.
const TYPES: usize = 12;
/// Events of each.
const EACH: usize = 250;

fn item(n: usize, now: Timestamp) -> String {
    let (kind, user, at) = (n % TYPES, n % 7, now.0 - i64::try_from(n).unwrap_or(0) * MINUTE / 4);
    format!(
        r#"{{"eventId":"e-{n}","timestamp":{at},"eventType":"bench.type_{kind}","eventVersion":"1.0","source":"bench.service_{}","userId":"u-{user}","correlationId":"c-{}","eventData":{{"n":{n}}}}}"#,
        n % 3,
        n / 200,
    )
}

/// How many queries of the event store a page of 100 costs, for each type that is asked for.
pub(crate) async fn events_page(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let account = Account::deployed().await;
    let now = Timestamp::now();
    let items = (0..TYPES * EACH).fold(String::new(), |mut all, n| {
        let _ = writeln!(all, "{}", item(n, now));
        all
    });
    account.put_items(&items).await;
    let facets = (0..TYPES).fold(String::new(), |mut all, n| {
        let _ = writeln!(all, r#"{{"kind":"type","value":"bench.type_{n}"}}"#);
        all
    });
    account.put_items_into("cutover-facets", &facets).await;

    let between = Between::of(account.endpoint()).await;
    let queries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&queries);
    between.set_by_body(move |call, body| {
        if call.operation == "Query" && body.contains("-event-store\"") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Answered
    });
    let server = Setup::new().at(between.endpoint()).start().await;
    // Every type that is known is a partition: the design's own as well.
    let facets = eventually("the types are known", async || {
        let page = server.site.json("/api/v1/events?limit=1").await;
        if page["items"][0]["eventType"].is_string() {
            Ok(())
        } else {
            Err(page.to_string())
        }
    });
    facets.await;
    let types = TYPES + pipeline::event::payload::KNOWN_TYPES.len();
    let span = format!("from={}&to={}", now.0 - 6 * HOUR, now.0 - HOUR);
    let mut worst: f64 = 0.0;
    for (filter, partitions) in [
        ("", types),
        (span.as_str(), types),
        ("type=bench.type_3", 1),
        ("user=u-2", 1),
        ("source=bench.service_1", 1),
        ("correlation=c-3", 1),
        ("user=u-2&type=bench.type_2", 1),
        ("source=bench.service_1&type=bench.type_4", 1),
        // What is rare, or isn't there.
        ("user=u-2&type=bench.type_2&source=bench.service_9", 1),
        ("q=nothing-like-this", types),
        ("user=u-2&q=nothing-like-this", 1),
    ] {
        let mut next = String::new();
        for _ in 0..3 {
            let before = queries.load(Ordering::Relaxed);
            let page = server.site.json(format!("/api/v1/events?limit=100&{filter}{next}")).await;
            let items = page["items"].as_array().map_or(0, Vec::len);
            let cost = queries.load(Ordering::Relaxed) - before;
            #[allow(clippy::cast_precision_loss)] // a few
            let each = cost as f64 / partitions as f64;
            if each > 1.0 {
                eprintln!("{filter:?}: {cost} queries for {partitions} partitions, {items} items");
            }
            worst = worst.max(each);
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
    }
    report.add("aws_events_page_queries", worst, "per type", "at most 1");
    Ok(())
}
