//! The whole build, step by step.

use std::fs;
use std::path::{Path, PathBuf};

use crate::asset::{Asset, fingerprint};
use crate::bind;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::output::Output;
use crate::shrink::WasmOpt;
use crate::style;
use crate::tree;
use crate::wasm;
use crate::workspace::Workspace;

/// The stem of the script, the module and the sheet.
const NAME: &str = "cutover";

/// Part of every cache key; to be raised when [`bind`] or [`Plan::bound`] comes to do something else with the same input.
const CACHE_VERSION: &str = concat!("1 ", env!("CARGO_PKG_VERSION"));

/// How thorough a build is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The cargo profile that compiles the wasm.
    pub(crate) profile: String,
    /// Whether wasm-opt has its turn.
    pub(crate) shrink: bool,
    /// Whether there are brotli and gzip copies.
    pub(crate) compress: bool,
}

/// Builds the site. What has not changed is not done again.
pub(crate) fn build(workspace: &Workspace, plan: &Plan) -> Result<Manifest, Error> {
    // Said before the long part, not after it.
    let wasm_opt = plan.shrink.then(|| WasmOpt::find(&workspace.root)).transpose()?;
    let module = wasm::compile(workspace, &plan.profile)?;
    let bound = plan.bound(&module, wasm_opt.as_ref(), &workspace.cache(&plan.profile))?;

    let mut assets = public(&workspace.root.join("public"))?;
    let sheet = style::bundle(&workspace.root.join("style"), &assets)?;
    assets.push(Asset::new(format!("{NAME}.css"), sheet.into_bytes())?);
    assets.extend(scripts(&bound)?);
    Output::new(workspace.site(), plan.compress).write(&assets)
}

impl Plan {
    /// The directory in `cache` with the bound and perhaps shrunk module; made if it is not there.
    fn bound(&self, module: &Path, wasm_opt: Option<&WasmOpt>, cache: &Path) -> Result<PathBuf, Error> {
        let wasm = fs::read(module).map_err(Error::file("read", module))?;
        let shrinking = wasm_opt.map(WasmOpt::identity).transpose()?.unwrap_or_default();
        let dir = cache.join(fingerprint(&[&wasm, shrinking.as_bytes(), CACHE_VERSION.as_bytes()]));
        if dir.is_dir() {
            return Ok(dir);
        }
        // One entry is enough; an older one, or one that was cut short, only takes room.
        if cache.exists() {
            fs::remove_dir_all(cache).map_err(Error::file("remove", cache))?;
        }
        let unfinished = cache.join("unfinished");
        fs::create_dir_all(&unfinished).map_err(Error::file("create", &unfinished))?;
        bind::bind(module, NAME, &unfinished, !self.shrink)?;
        if let Some(wasm_opt) = wasm_opt {
            wasm_opt.shrink(&unfinished.join(bound_wasm()))?;
        }
        fs::rename(&unfinished, &dir).map_err(Error::file("create", &dir))?;
        Ok(dir)
    }
}

/// The name wasm-bindgen gives the module.
fn bound_wasm() -> String {
    format!("{NAME}_bg.wasm")
}

/// Everything in `public/`, as it is.
fn public(dir: &Path) -> Result<Vec<Asset>, Error> {
    tree::files(dir)?
        .into_iter()
        .map(|leaf| Asset::new(leaf.name, read(&leaf.path)?))
        .collect()
}

/// The module, its glue, and the scripts that crates bring along.
fn scripts(bound: &Path) -> Result<Vec<Asset>, Error> {
    let snippets = tree::files(&bound.join("snippets"))?
        .into_iter()
        .map(|leaf| Asset::new(format!("snippets/{}", leaf.name), read(&leaf.path)?))
        .collect::<Result<Vec<_>, _>>()?;
    let glue = bound.join(format!("{NAME}.js"));
    let glue = fs::read_to_string(&glue).map_err(Error::file("read", &glue))?;
    let mut assets = vec![
        Asset::new(format!("{NAME}.js"), importing(glue, &snippets).into_bytes())?,
        Asset::new(format!("{NAME}.wasm"), read(&bound.join(bound_wasm()))?)?,
    ];
    assets.extend(snippets);
    Ok(assets)
}

/// The glue imports snippets by relative address; under `/assets/` they carry a hash.
fn importing(glue: String, snippets: &[Asset]) -> String {
    snippets.iter().fold(glue, |glue, snippet| {
        glue.replace(&format!("./{}", snippet.name), &format!("./{}", snippet.file))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::file("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_imports_snippets_under_their_hashed_names() {
        let snippet = Asset::new("snippets/x-0123/inline0.js", b"export const x = 1;".to_vec()).unwrap();
        let expected = format!("import {{ x }} from './{}';", snippet.file);
        assert_eq!(
            importing("import { x } from './snippets/x-0123/inline0.js';".into(), &[snippet]),
            expected
        );
    }
}
