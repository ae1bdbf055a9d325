//! `cutover check`: would `serve` work? Looks, and changes nothing.

#![allow(clippy::print_stdout, reason = "what was found is what the command is for")]

use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::{connect, ports};
use pipeline::letter::LetterFilter;
use pipeline::ports::{EventFilter, Ledger, StoreError};
use pipeline::rule::Rules;
use pipeline::sqlite::Sqlite;

use super::Failure;
use crate::config::{Backend, Config};

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    config.pipeline()?;
    println!("configuration  ok");
    match config.backend {
        Backend::Embedded => embedded(&config).await,
        Backend::Aws => aws(&config).await,
    }
}

/// Asks for the newest event, as the pages do.
async fn aws(config: &Config) -> Result<(), Failure> {
    let names = config.aws.names()?;
    let connection = connect(config.aws.region.as_deref(), config.aws.endpoint()?).await;
    let metrics = CloudWatch::open(&connection, &names, config.aws.endpoint()?, &MetricsConfig::default())
        .map_err(|e| Failure::new(e.to_string()))?;
    let (ports, _) = ports(&connection, &names, metrics);
    let found = ports.events.list(&EventFilter::default(), 1, None).await;
    let found = found.map_err(|e| Failure::new(e.to_string()))?;
    let newest = found.page.items.first().map_or_else(
        || "no events yet".to_owned(),
        |newest| format!("newest event {}", pipeline::time::Timestamp(newest.event.timestamp)),
    );
    println!("event store    ok  {}  {newest}", names.event_store_table);
    let own = [
        ("flags", ports.flags.all().await.map(drop)),
        ("activity", ports.activity.list(1, None).await.map(drop)),
        ("ledger", ports.ledger.summary().await.map(drop)),
        ("operations", ports.operations.list(1, None).await.map(drop)),
        (
            "dead letters",
            ports.letters.list(&LetterFilter::default(), 1, None).await.map(drop),
        ),
    ];
    for (what, answer) in own {
        match answer {
            Ok(()) => println!("{what:<14} ok"),
            Err(StoreError::NotOffered { what: table }) => {
                println!("{what:<14} not there: {table} is missing, so that they are not shown; deploy/cutover.yaml makes it");
            }
            Err(error) => return Err(Failure::new(error.to_string())),
        }
    }
    Ok(())
}

async fn embedded(config: &Config) -> Result<(), Failure> {
    let data = &config.embedded.data;
    if !data.exists() {
        println!("data directory not there yet; serve makes {}", data.display());
        return Ok(());
    }
    let store = Sqlite::open(data, Rules::default()).map_err(|e| Failure::new(e.to_string()))?;
    let faults = store.examine().await.map_err(|e| Failure::because("the store can't be read", e))?;
    if !faults.is_empty() {
        return Err(Failure::new(format!(
            "the database in {} is damaged: {}. Restore it from a backup, or move it away to start anew",
            data.display(),
            faults.join("; ").replace('\n', ": ")
        )));
    }
    let summary = store.summary().await.map_err(|e| Failure::because("the store can't be read", e))?;
    println!(
        "data directory ok  {}  {} events, {} in flight, {} unaccounted for",
        data.display(),
        summary.published,
        summary.in_flight,
        summary.unaccounted
    );
    store.close().await;
    if summary.unaccounted > 0 {
        return Err(Failure::new(format!(
            "{} events are unaccounted for; the dashboard lists them under Events, still open",
            summary.unaccounted
        )));
    }
    Ok(())
}
