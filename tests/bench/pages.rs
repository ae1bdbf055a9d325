//! The real binary over a million events: starting, rendering, memory, and what a first visit weighs.

use std::error::Error;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pipeline::demo::Faults;
use pipeline::ports::{Bus, Ledger};
use pipeline::runtime::{Embedded, EmbeddedConfig};
use pipeline::time::{DAY, Timestamp};
use tokio::process::{Child, Command};

use crate::pipeline::events;
use crate::report::Report;

/// Events stored before the server starts.
const STORED: usize = 1_000_000;
/// Connections that ask for the page.
const CONNECTIONS: usize = 20;
/// How long they ask.
const FOR: Duration = Duration::from_secs(10);

/// The real binary, serving.
pub(crate) struct Server {
    child: Child,
    pub(crate) dashboard: String,
    pub(crate) ingest: String,
    /// From the start of the process to its first answer.
    pub(crate) ready_in: Duration,
}

impl Server {
    pub(crate) async fn start(data: &Path) -> Result<Self, Box<dyn Error>> {
        let binary = std::env::var("CUTOVER_BIN").unwrap_or_else(|_| "target/release/cutover".to_owned());
        let port = || Ok::<_, std::io::Error>(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let (page, ingest) = (port()?, port()?);
        let began = Instant::now();
        let child = Command::new(binary)
            .args([
                "serve",
                "--no-demo",
                "--listen",
                &format!("127.0.0.1:{page}"),
                "--ingest",
                &format!("127.0.0.1:{ingest}"),
                "--data",
            ])
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let dashboard = format!("http://127.0.0.1:{page}");
        while reqwest::get(format!("{dashboard}/healthz")).await.is_err() {
            if began.elapsed() > Duration::from_secs(60) {
                return Err("the server did not start".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Self {
            child,
            dashboard,
            ingest: format!("http://127.0.0.1:{ingest}/"),
            ready_in: began.elapsed(),
        })
    }

    /// Resident memory, MB.
    fn resident(&self) -> Result<f64, Box<dyn Error>> {
        let pid = self.child.id().ok_or("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse::<f64>()? / 1024.0)
    }

    pub(crate) async fn stop(mut self) {
        // The benchmark is over; there is nothing to be kept of it.
        let _ = self.child.kill().await;
    }
}

async fn fill(dir: &Path) -> Result<(), Box<dyn Error>> {
    let pipeline = Embedded::start(dir, EmbeddedConfig::default(), &Faults::default())?;
    let now = Timestamp::now().0;
    let (calls, week) = (STORED / 1000, 7 * DAY);
    for call in 0..calls {
        #[allow(clippy::cast_possible_wrap)]
        let at = now - week + week * call as i64 / calls as i64;
        let mut batch = events(1000);
        for event in &mut batch {
            event.timestamp = at;
        }
        pipeline.store.put(batch, Some(Timestamp(at))).await;
    }
    while pipeline.store.summary().await?.in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pipeline.stop().await;
    Ok(())
}

/// Everything about the overview.
pub(crate) async fn overview(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    fill(dir.path()).await?;
    let server = Server::start(dir.path()).await?;
    report.add("start_with_million_events", server.ready_in.as_secs_f64() * 1000.0, "ms", "500");
    tokio::time::sleep(Duration::from_secs(3)).await;
    report.add("memory_idle", server.resident()?, "MB", "60");
    let url = format!("{}/?range=7d", server.dashboard);
    let client = reqwest::Client::new();
    client.get(&url).send().await?.error_for_status()?.bytes().await?;
    let began = Instant::now();
    let mut viewers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, url) = (client.clone(), url.clone());
        viewers.spawn(async move {
            let mut took = Vec::new();
            while began.elapsed() < FOR {
                let asked = Instant::now();
                client.get(&url).send().await?.error_for_status()?.bytes().await?;
                took.push(asked.elapsed());
            }
            Ok::<_, reqwest::Error>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(viewer) = viewers.join_next().await {
        took.extend(viewer??);
    }
    took.sort();
    #[allow(clippy::cast_precision_loss)]
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    report.add("overview_rendered", rate, "requests/s", "2,000");
    report.add("overview_p99", took[took.len() * 99 / 100].as_secs_f64() * 1000.0, "ms", "25");
    report.add("memory_under_load", server.resident()?, "MB", "200");
    report.add("first_visit", first_visit(&client, &server.dashboard).await?, "kB", "180");
    server.stop().await;
    Ok(())
}

/// The page and everything it asks for, as brotli sends it.
async fn first_visit(client: &reqwest::Client, dashboard: &str) -> Result<f64, Box<dyn Error>> {
    let get = async |path: &str| -> Result<usize, Box<dyn Error>> {
        let body = client
            .get(format!("{dashboard}{path}"))
            .header("accept-encoding", "br")
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        Ok(body.len())
    };
    let mut total = get("/").await?;
    // Without a coding, so that the addresses in it can be read.
    let html = client.get(format!("{dashboard}/")).send().await?.text().await?;
    let mut paths: Vec<&str> = html.split(['"', '\'']).filter(|part| part.starts_with("/assets/")).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        total += get(path).await?;
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(total as f64 / 1000.0)
}
