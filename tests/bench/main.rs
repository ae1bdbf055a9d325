//! `make bench`: what the pipeline and the server do on this machine, measured, as a table and as JSON.
//!
//! Each benchmark is a module; all of them run in one process, one after the other, against fresh data directories,
//! so that their figures can be compared with each other.

mod aws;
mod http;
mod pages;
mod pipeline;
mod report;

use report::Report;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let mut report = Report::new();
    if wanted("pipeline") {
        pipeline::throughput(&mut report).await?;
        pipeline::latency(&mut report).await?;
    }
    if wanted("http") {
        http::put_events(&mut report).await?;
    }
    if wanted("pages") {
        pages::overview(&mut report).await?;
    }
    if wanted("aws") {
        aws::for_an_event(&mut report).await?;
        aws::events_page(&mut report).await?;
        aws::refresh(&mut report).await?;
    }
    if wanted("letters") {
        aws::takeover(&mut report).await?;
        aws::redrive(&mut report).await?;
    }
    report.finish()
}
