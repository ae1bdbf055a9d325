//! The `cutover` binary: reads its configuration, opens a backend, serves the dashboard, drains and stops.

mod cli;
mod config;
mod http;
mod live;
mod shutdown;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            failure.exit_code()
        }
    }
}

/// The error in one line, then its causes, one a line.
#[allow(clippy::print_stderr)]
fn report(error: &dyn Error) {
    eprintln!("cutover: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
