//! The whole build, step by step.

use std::fs;
use std::path::Path;

use crate::asset::Asset;
use crate::code;
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

/// How thorough a build is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The cargo profile that compiles the wasm.
    pub(crate) profile: String,
    /// Whether what can't be reached is left out and wasm-opt has its turn.
    pub(crate) shrink: bool,
    /// Whether there are brotli and gzip copies.
    pub(crate) compress: bool,
}

/// Builds the site. What has not changed is not done again.
pub(crate) fn build(workspace: &Workspace, plan: &Plan) -> Result<Manifest, Error> {
    // Two builds in one target directory would take each other's files; the second waits.
    let lock = workspace.target.join("site.lock");
    let lock = fs::File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(Error::file("lock", &lock))?;
    // Said before the long part, not after it.
    let wasm_opt = plan.shrink.then(|| WasmOpt::find(&workspace.root)).transpose()?;
    let module = wasm::compile(workspace, &plan.profile)?;
    let code = code::make(&module, NAME, wasm_opt.as_ref(), &workspace.cache(&plan.profile))?;

    let mut assets = public(&workspace.root.join("public"))?;
    let sheet = style::bundle(&workspace.root.join("style"), &assets)?;
    assets.push(Asset::new(format!("{NAME}.css"), sheet.into_bytes())?);
    assets.extend(code.assets);
    let manifest = Output::new(workspace.site(), plan.compress).write(&assets, code.parts);
    drop(lock);
    manifest
}

/// Everything in `public/`, as it is.
fn public(dir: &Path) -> Result<Vec<Asset>, Error> {
    tree::files(dir)?
        .into_iter()
        .map(|leaf| Asset::new(leaf.name, read(&leaf.path)?))
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::file("read", path))
}
