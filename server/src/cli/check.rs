//! `cutover check`: would `serve` work? Looks, and changes nothing.

#![allow(clippy::print_stdout, reason = "what was found is what the command is for")]

use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::ports;
use pipeline::examine::examine;
use pipeline::finding::{Examination, Severity};
use pipeline::ports::Ledger;
use pipeline::rule::Rules;
use pipeline::sqlite::Sqlite;
use pipeline::time::Timestamp;

use super::Failure;
use crate::config::{Backend, Config};

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    config.pipeline()?;
    println!("configuration  ok");
    for said in config.without_effect() {
        println!("               {said}");
    }
    match config.backend {
        Backend::Embedded => embedded(&config).await,
        Backend::Aws => aws(&config).await,
    }
}

async fn aws(config: &Config) -> Result<(), Failure> {
    let names = config.aws.names()?;
    let connection = config.aws.connect().await?;
    // The cache is the server's, which may be running; the ceiling holds for one look too.
    let asked = MetricsConfig {
        cache: None,
        ..config.aws.metrics(&config.embedded.data)?
    };
    let metrics = CloudWatch::open(&connection, &names, config.aws.endpoint()?, &asked).map_err(|e| Failure::new(e.to_string()))?;
    let (ports, _) = ports(&connection, &names, metrics.clone(), config.dashboard()?);
    let reached = match &ports.deployment {
        Some(deployment) => deployment.access().await.is_none(),
        None => true,
    };
    if reached {
        // What it can't read it says among the findings that rest on it.
        match metrics.read_once().await {
            Ok(()) => println!("measurements   ok"),
            Err(error) => println!("measurements   not there: {error}"),
        }
    }
    let now = Timestamp::now();
    report(&examine(&ports, now).await)
}

/// Says what was found, the worst first.
fn report(examination: &Examination) -> Result<(), Failure> {
    for check in &examination.checks {
        let found = match check.findings.len() {
            0 => "ok".to_owned(),
            n => format!("{n} found"),
        };
        println!("{:<24} {found}", check.name);
    }
    for finding in examination.findings() {
        println!("\n{:<8} {}", finding.severity.word(), finding.what);
        for (name, said) in [
            ("where", &finding.subject),
            ("shows", &finding.evidence),
            ("to do", &finding.remedy),
        ] {
            println!("  {name}  {said}");
        }
    }
    println!("\n{}", examination.summary());
    match examination.count(Severity::Error) {
        0 => Ok(()),
        1 => Err(Failure::new("there is an error among the findings")),
        n => Err(Failure::new(format!("there are {n} errors among the findings"))),
    }
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
