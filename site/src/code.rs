//! The browser's code: from a fresh module to the files that a page loads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::asset::{Asset, fingerprint};
use crate::error::Error;
use crate::shrink::WasmOpt;
use crate::{bind, prune, split, tree};

/// Part of every cache key; to be raised when something else comes to be done with the same input.
const CACHE_VERSION: &str = concat!("2 ", env!("CARGO_PKG_VERSION"));
/// Which files each part needs; beside them in the cache.
const PARTS: &str = "parts.json";

/// The code, ready to be served.
pub(crate) struct Code {
    /// The glue `<name>.js`, the module `<name>.wasm`, the loader and modules of the parts, and the crates' own scripts.
    pub(crate) assets: Vec<Asset>,
    /// The names of the assets that each part needs beside the module.
    pub(crate) parts: BTreeMap<String, Vec<String>>,
}

/// Makes the code of `module`, or finds it in `cache`. It is pruned and shrunk if there is a `wasm_opt`.
pub(crate) fn make(module: &Path, name: &str, wasm_opt: Option<&WasmOpt>, cache: &Path) -> Result<Code, Error> {
    let wasm = fs::read(module).map_err(Error::file("read", module))?;
    let shrinking = wasm_opt.map(WasmOpt::identity).transpose()?.unwrap_or_default();
    let dir = cache.join(fingerprint(&[&wasm, shrinking.as_bytes(), CACHE_VERSION.as_bytes()]));
    if !dir.is_dir() {
        // One entry is enough; an older one, or one that was cut short, only takes room.
        if cache.exists() {
            fs::remove_dir_all(cache).map_err(Error::file("remove", cache))?;
        }
        let unfinished = cache.join("unfinished");
        fs::create_dir_all(&unfinished).map_err(Error::file("create", &unfinished))?;
        work(&wasm, name, wasm_opt, &unfinished)?;
        fs::rename(&unfinished, &dir).map_err(Error::file("create", &dir))?;
    }
    collect(&dir, name)
}

fn work(wasm: &[u8], name: &str, wasm_opt: Option<&WasmOpt>, dir: &Path) -> Result<(), Error> {
    let split = split::split(wasm, name, dir)?;
    bind::bind(&split.main, name, dir)?;
    fs::remove_file(&split.main).map_err(Error::file("remove", &split.main))?;
    let main = dir.join(format!("{name}.wasm"));
    let bound = dir.join(format!("{name}_bg.wasm"));
    fs::rename(&bound, &main).map_err(Error::file("rename", &bound))?;
    if let Some(wasm_opt) = wasm_opt {
        let modules: Vec<PathBuf> = split.modules.iter().cloned().chain([main]).collect();
        let mut pruned = 0;
        for module in &modules {
            pruned += prune::prune(module)?;
            wasm_opt.shrink(module)?;
        }
        if pruned == 0 {
            return Err(Error::NothingPruned);
        }
    }
    let parts = serde_json::to_vec(&split.parts).map_err(|source| Error::Json {
        what: "the parts".into(),
        source,
    })?;
    let path = dir.join(PARTS);
    fs::write(&path, parts).map_err(Error::file("write", &path))
}

/// The files refer to each other by their plain names, some in a circle, so it is their directory that has the hash: of all.
fn collect(dir: &Path, name: &str) -> Result<Code, Error> {
    let path = dir.join(PARTS);
    let mut parts: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&fs::read(&path).map_err(Error::file("read", &path))?).map_err(|source| Error::Json {
            what: "the parts in the cache".into(),
            source,
        })?;
    let mut files = Vec::new();
    for leaf in tree::files(dir)?.into_iter().filter(|leaf| leaf.name != PARTS) {
        files.push((leaf.name, fs::read(&leaf.path).map_err(Error::file("read", &leaf.path))?));
    }
    let contents: Vec<&[u8]> = files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let group = format!("{name}.{}", fingerprint(&contents));
    for file in parts.values_mut().flatten() {
        *file = logical(file);
    }
    let assets = files
        .into_iter()
        .map(|(file, bytes)| Asset::grouped(logical(&file), &file, &group, bytes));
    Ok(Code {
        assets: assets.collect::<Result<_, _>>()?,
        parts,
    })
}

/// What the rest of the code calls a file of the group.
fn logical(file: &str) -> String {
    format!("code/{file}")
}
