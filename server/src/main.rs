//! The `cutover` binary: reads its configuration, opens a backend, serves the dashboard, drains and stops.

mod cli;
mod config;
mod http;
mod live;
mod shutdown;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// The stack of a worker, bytes. Rendering a page descends through nested view types, deeply so without optimisation.
const STACK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            report(&error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(arguments)) {
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
