//! Wasm to wasm and glue: wasm-bindgen, in process, so that its version is the one in Cargo.lock.

use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::error::Error;

/// Writes `<name>.js`, `<name>_bg.wasm` and, when a crate brings scripts of its own, `snippets/` into `dir`.
///
/// Names of functions stay: for readable backtraces, or for what comes next.
pub(crate) fn bind(wasm: &Path, name: &str, dir: &Path) -> Result<(), Error> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).typescript(false);
    // The page says where the module is; without this the glue would guess a name that is not hashed.
    bindgen.omit_default_module_path(true);
    bindgen.remove_producers_section(true);
    // The parts bring functions of their own into the main module's table.
    bindgen.keep_lld_exports(true);
    let failed = |message| Error::Bind {
        wasm: wasm.to_owned(),
        message,
    };
    let mut output = bindgen
        .web(true)
        .and_then(Bindgen::generate_output)
        .map_err(|error| failed(format!("{error:#}")))?;
    if !output.npm_dependencies().is_empty() {
        let mut packages: Vec<_> = output.npm_dependencies().keys().map(String::as_str).collect();
        packages.sort_unstable();
        return Err(Error::NpmDependency {
            packages: packages.join(", "),
        });
    }
    output.emit(dir).map_err(|error| failed(format!("{error:#}")))
}
