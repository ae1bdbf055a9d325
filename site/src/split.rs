//! Wasm to main wasm and a file for each part of the application, fetched when it is wanted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wasm_split_cli_support::{Options, transform};

use crate::error::Error;

/// The script that fetches the parts; the main module's glue imports it.
pub(crate) const LOADER: &str = "./parts.js";

/// A module in parts.
#[derive(Debug)]
pub(crate) struct Split {
    /// The main module, still to be bound.
    pub(crate) main: PathBuf,
    /// The other modules, by file name.
    pub(crate) modules: Vec<PathBuf>,
    /// Which of them each part needs.
    pub(crate) parts: BTreeMap<String, Vec<String>>,
}

/// Splits `wasm` where the application says so. Everything goes into `dir`; the loader expects the glue as `<name>.js` there.
pub(crate) fn split(wasm: &[u8], name: &str, dir: &Path) -> Result<Split, Error> {
    let main = dir.join("unbound.wasm");
    let glue = format!("./{name}.js");
    let mut options = Options::new(wasm);
    options.output_dir = dir;
    options.main_out_path = &main;
    options.link_name = LOADER;
    options.main_module = &glue;
    let split = transform(options).map_err(|error| Error::Split {
        message: format!("{error:#}"),
    })?;
    let file = |stem: String| format!("{stem}.wasm");
    Ok(Split {
        main,
        modules: split.split_modules,
        parts: split
            .prefetch_map
            .into_iter()
            .map(|(part, files)| (part, files.into_iter().map(file).collect()))
            .collect(),
    })
}
