//! `site` builds the browser's half of Cutover: wasm, its glue, style sheets and everything in `public/`.
//!
//! The result is `<target>/site`: files named by their content, each with its compressed siblings, and `manifest.json`,
//! which `server/build.rs` reads to put them inside the binary.
//!
//! | module | does |
//! |---|---|
//! | [`assemble`] | the whole build, step by step |
//! | [`workspace`] | where things are: root, target directory, cargo |
//! | [`wasm`] → [`split`] → [`bind`] | Rust to wasm, wasm to a main module and parts, main module to wasm and glue |
//! | [`prune`] → [`shrink`] | wasm to less wasm: what can't be reached, and what can be said shorter |
//! | [`code`] | all of that, kept as long as the wasm is the same |
//! | [`style`], [`css`] | one sheet out of `style/*.css`, references resolved |
//! | [`asset`], [`encode`] | names by content, content types, brotli and gzip |
//! | [`output`], [`manifest`], [`tree`] | what is written, what is left alone, what is removed |
//! | [`dev`] | the same again on every change, and the server restarted |

mod assemble;
mod asset;
mod bind;
mod code;
mod css;
mod dev;
mod encode;
mod error;
mod manifest;
mod output;
mod prune;
mod shrink;
mod split;
mod style;
mod tree;
mod wasm;
mod workspace;

use std::error::Error as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::error::Error;
use crate::workspace::Workspace;

/// Builds the browser's half of Cutover into <target>/site.
#[derive(Parser)]
#[command(name = "site")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile, bind, shrink, hash and compress, whatever of it has changed.
    Build(BuildArgs),
    /// Build without shrinking, start the server, and do both again on every change.
    Dev {
        /// Passed on to `cutover serve`.
        #[arg(last = true)]
        serve: Vec<String>,
    },
}

#[derive(Args)]
struct BuildArgs {
    /// The cargo profile that compiles the wasm.
    #[arg(long, default_value = "wasm-release")]
    profile: String,
    /// Leave out wasm-opt: ten seconds sooner, twice as large.
    #[arg(long)]
    no_opt: bool,
    /// Leave out the brotli and gzip copies.
    #[arg(long)]
    no_compress: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  caused by: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    let workspace = Workspace::find()?;
    match cli.command {
        Command::Build(args) => {
            let plan = assemble::Plan {
                profile: args.profile,
                shrink: !args.no_opt,
                compress: !args.no_compress,
            };
            let manifest = assemble::build(&workspace, &plan)?;
            print!("{}", manifest.table());
            Ok(())
        }
        Command::Dev { serve } => dev::run(&workspace, &serve),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
