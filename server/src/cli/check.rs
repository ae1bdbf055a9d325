//! `cutover check`: would `serve` work?

use pipeline::demo::Faults;
use pipeline::ports::Ledger;
use pipeline::runtime::{Embedded, EmbeddedConfig};

use super::Failure;
use crate::config::Config;

#[allow(clippy::print_stdout)]
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    println!("configuration  ok");
    let settings = EmbeddedConfig {
        maps: config.maps(),
        ..Default::default()
    };
    let pipeline = Embedded::start(&config.embedded.data, settings, &Faults::default()).map_err(|e| Failure::new(e.to_string()))?;
    let summary = pipeline
        .store
        .summary()
        .await
        .map_err(|e| Failure::because("the store can't be read", e))?;
    println!(
        "data directory ok  {}  {} events, {} in flight, {} unaccounted for",
        config.embedded.data.display(),
        summary.published,
        summary.in_flight,
        summary.unaccounted
    );
    pipeline.stop().await;
    if summary.unaccounted > 0 {
        return Err(Failure::new(format!(
            "{} events are unaccounted for; the dashboard lists them under Events, still open",
            summary.unaccounted
        )));
    }
    Ok(())
}
