//! What can go wrong while building the site: what, where, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A failed build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or directory could not be read, written or removed.
    #[error("could not {action} {}", path.display())]
    File {
        /// The verb: "read", "write" …
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("could not start {program}")]
    Start {
        /// Its name or path.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran and failed; its own message is on the terminal above.
    #[error("{program} failed ({status}); its message is above")]
    Failed {
        /// The command as it could be typed.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// A program, or a file, said something that could not be understood.
    #[error("could not understand {what}")]
    Json {
        /// Whose JSON it was.
        what: String,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// Cargo succeeded without naming a wasm file.
    #[error("cargo built `{package}` but reported no .wasm file; is `cdylib` among its crate-types?")]
    NoWasm {
        /// The package that was built.
        package: &'static str,
    },
    /// wasm-bindgen refused.
    #[error("wasm-bindgen could not bind {}: {message}", wasm.display())]
    Bind {
        /// The module given to it.
        wasm: PathBuf,
        /// Its message, with causes.
        message: String,
    },
    /// The split refused.
    #[error("the wasm could not be split into parts: {message}")]
    Split {
        /// Its message, with causes.
        message: String,
    },
    /// A module could not be read or written by the pruning.
    #[error("could not prune {}: {message}", wasm.display())]
    Prune {
        /// The module.
        wasm: PathBuf,
        /// What was said, with causes.
        message: String,
    },
    /// The functions that the pruning is for are gone, or are called otherwise now.
    #[error("nothing was pruned; if Leptos doesn't keep its second way to hydrate any more, drop site/src/prune.rs")]
    NothingPruned,
    /// A dependency wants something from npm, which a page without a bundler cannot give it.
    #[error("the wasm imports npm packages ({packages}), and the site has no bundler; drop the dependency that asks for them")]
    NpmDependency {
        /// Their names.
        packages: String,
    },
    /// wasm-opt is nowhere.
    #[error("wasm-opt was found neither in node_modules/.bin nor on PATH; `npm install` brings it, `--no-opt` goes without")]
    NoWasmOpt,
    /// A file in `public/` whose type nobody has named.
    #[error("no content type is known for {name}; add its extension to `content_type` in site/src/asset.rs, or move it out of public/")]
    UnknownType {
        /// The file, relative to `public/`.
        name: String,
    },
    /// A file in `public/` whose name would need escaping in an address.
    #[error("the name {name:?} is not fit for an address; use letters, digits, `-`, `_` and `.` only")]
    UnfitName {
        /// The file, relative to `public/`.
        name: String,
    },
    /// Two sources want to be the same asset.
    #[error("two sources make an asset called {name}; rename the one in public/")]
    Duplicate {
        /// The logical name.
        name: String,
    },
    /// A sheet refers to a file that is not there.
    #[error("{sheet} refers to {target:?}, and public/ has no such file")]
    DanglingUrl {
        /// The sheet.
        sheet: String,
        /// The reference, as written.
        target: String,
    },
    /// A sheet ends inside a comment, a string or a `url(`.
    #[error("{sheet}: the {what} that opens on line {line} is never closed")]
    UnclosedCss {
        /// The sheet.
        sheet: String,
        /// What was open.
        what: &'static str,
        /// Counted from 1.
        line: usize,
    },
}

impl Error {
    /// For `map_err`: an I/O error with the verb and the path it belongs to.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
