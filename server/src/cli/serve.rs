//! `cutover serve`.

mod aws;
mod embedded;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::{Backend, Config};

/// How long connections may take to end once the server stops.
const DRAIN: Duration = Duration::from_secs(4);

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    log();
    for said in config.without_effect() {
        tracing::warn!("configuration: {said}");
    }
    match config.backend {
        Backend::Embedded => embedded::run(config).await,
        Backend::Aws => aws::run(config).await,
    }
}

/// Human on a terminal, JSON otherwise; `RUST_LOG` chooses how much.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.init();
    } else {
        builder.json().init();
    }
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(format!(
            "{address} is in use by another program: stop it, or choose another address with --{key}"
        )),
        _ => Failure::because(format!("can't listen on {address} (--{key})"), e),
    })
}

async fn serve(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    if let Err(e) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(error = %e, "a listener failed");
    }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|e| Failure::because("the listener has no address", e))
}

/// Has what is being served end.
async fn drain(stop: &CancellationToken, tasks: &TaskTracker) {
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time; closing them");
    }
}
