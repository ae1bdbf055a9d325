//! `kill -9` while events flow, many times: nothing that was acknowledged is lost, and nothing takes effect twice.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::time::Timestamp;
use rand::RngExt;
use serde_json::Value;
use tests::account::{of_ledger, settled, stored};
use tests::flow::{Flow, Record};
use tests::rules;
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

/// How often the server is killed.
const ROUNDS: usize = 30;
/// At most this many events are acknowledged between two kills.
const MOST: usize = 400;
/// How many requests look at the outcome at once.
const READERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_random_loses_nothing_and_repeats_nothing() {
    let began = tests::event::now();
    let (mut record, mut data, mut kills_in_flight) = (Record::default(), None, 0);
    for _ in 0..ROUNDS {
        let setup = data.map_or_else(Setup::new, |data| Setup::new().on(data));
        let server = setup.start().await;
        let flow = Flow::start(server.ingest.clone(), record);
        // Anywhere from the first moments after the start, with all that was left over, to well into the flow.
        let moment = flow.acknowledged() + rand::rng().random_range(0..MOST);
        eventually("events are acknowledged", async || flow.acknowledged() >= moment).await;
        data = Some(server.kill().await);
        record = flow.end().await;
        kills_in_flight += usize::from(record.unanswered.is_some());
    }
    assert!(kills_in_flight > 0, "some kill met a call under way");

    let server = data.map_or_else(Setup::new, |data| Setup::new().on(data)).start().await;
    let record = Flow::finish(&server.ingest, record).await;
    println!(
        "{} events acknowledged over {ROUNDS} kills, {} of them sent twice",
        record.acknowledged.len(),
        record.duplicates
    );
    let sent: BTreeMap<String, Value> = record
        .acknowledged
        .into_iter()
        .map(|event| (event["eventId"].to_string(), event))
        .collect();
    settled(&server, sent.len()).await;

    everything_is_stored_once(&server, &sent).await;
    everything_was_done_once(&server, &sent).await;
    the_counts_agree(&server, &sent, began).await;
    let ended = server.terminate().await;
    assert_eq!(ended.status.code(), Some(0));
    notifications_were_sent_once(&ended.data.path().join("data/cutover.db"), &sent);
}

/// The event store has each event that was acknowledged, as it was sent, and no other.
async fn everything_is_stored_once(server: &Cutover, sent: &BTreeMap<String, Value>) {
    let stored = stored(server).await;
    assert_eq!(stored.len(), sent.len());
    let stored: BTreeMap<String, Value> = stored.into_iter().map(|event| (event["eventId"].to_string(), event)).collect();
    assert!(stored == *sent, "the store differs from what was sent");
}

/// Each consumer that the rules name completed each event, in one attempt that succeeded.
async fn everything_was_done_once(server: &Cutover, sent: &BTreeMap<String, Value>) {
    let events: Vec<&Value> = sent.values().collect();
    let share = events.len().div_ceil(READERS).max(1);
    let mut readers = tokio::task::JoinSet::new();
    for part in events.chunks(share) {
        let (site, part) = (server.site.clone(), part.iter().map(|event| (*event).clone()).collect::<Vec<_>>());
        readers.spawn(async move {
            for event in part {
                let id = event["eventId"].as_str().expect("an id");
                let outcome = of_ledger(&site.json(format!("/api/v1/events/{id}")).await["ledger"]);
                let expected = rules::consumers(&event)
                    .into_iter()
                    .map(|name| (name.to_owned(), ("completed".to_owned(), 1)))
                    .collect();
                assert_eq!(outcome, expected, "{event}");
            }
        });
    }
    for result in readers.join_all().await {
        let () = result;
    }
}

/// The ledger balances, and what was counted by the minute adds up to it.
async fn the_counts_agree(server: &Cutover, sent: &BTreeMap<String, Value>, began: i64) {
    #[allow(clippy::cast_precision_loss)] // small counts
    let count = |takes: &dyn Fn(&Value) -> bool| sent.values().filter(|event| takes(event)).count() as f64;
    let all = count(&|_| true);
    assert_eq!(server.metric("cutover_events_completed_total").await, all);
    assert_eq!(server.metric("cutover_events_unaccounted").await, 0.0);
    assert_eq!(server.metric("cutover_dead_letters_open").await, 0.0);

    let expected: BTreeMap<String, f64> = ["analytics", "audit", "categorization", "notification"]
        .into_iter()
        .map(|name| (name.to_owned(), count(&|event| rules::consumers(event).contains(&name))))
        .chain([("all".to_owned(), all)])
        .collect();
    // Whole minutes around the run; counts are written a moment after what they count.
    let minute = 60_000;
    let (from, to) = (began / minute * minute, (tests::event::now() / minute + 1) * minute);
    eventually("the counts add up", async || {
        let mut seen = BTreeMap::new();
        for by in ["none", "consumer"] {
            let path = format!("/api/v1/series?metric=throughput&by={by}&from={from}&to={to}&step={minute}");
            let reading = server.site.json(path).await;
            for series in reading["series"].as_array().cloned().unwrap_or_default() {
                seen.insert(series["label"].as_str().unwrap_or_default().to_owned(), counted(&reading, &series));
            }
        }
        if seen == expected {
            Ok(())
        } else {
            Err(format!("{seen:?}, not {expected:?}"))
        }
    })
    .await;
}

/// What the rates of a series add up to: each holds for its minute, the last for as much of it as has passed.
fn counted(reading: &Value, series: &Value) -> f64 {
    let instant = |key: &str| {
        reading[key]
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .expect("an instant")
            .millis()
    };
    let (from, step, until) = (instant("from"), reading["step"].as_i64().expect("a step"), instant("until"));
    let starts = (0..).map(|n| from + n * step);
    let values = series["values"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|value| value.as_f64().unwrap_or(0.0));
    #[allow(clippy::cast_precision_loss)] // milliseconds of a minute
    let counts = starts
        .zip(values)
        .map(|(start, rate)| rate * (until - start).clamp(0, step) as f64 / 60_000.0);
    counts.sum::<f64>().round()
}

/// The one effect that a repeated attempt would double, looked up where it is kept: no page shows it yet.
fn notifications_were_sent_once(database: &std::path::Path, sent: &BTreeMap<String, Value>) {
    let connection = rusqlite::Connection::open(database).expect("a database");
    let mut statement = connection
        .prepare("SELECT event_id FROM notification")
        .expect("the table of notifications");
    let ids = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let ids: Vec<String> = ids.collect::<Result<_, _>>().expect("ids");
    let expected: BTreeSet<String> = sent
        .values()
        .filter(|e| rules::consumers(e).contains(&"notification"))
        .filter_map(|e| e["eventId"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids.len(), expected.len(), "one each");
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
}
