//! `cutover check`: would `serve` work? Looks, and changes nothing.

use pipeline::ports::Ledger;
use pipeline::rule::Rules;
use pipeline::sqlite::Sqlite;

use super::Failure;
use crate::config::Config;

#[allow(clippy::print_stdout)]
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    config.pipeline()?;
    println!("configuration  ok");
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
