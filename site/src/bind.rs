//! Wasm to wasm and glue: wasm-bindgen, in process, so that its version is the one in Cargo.lock.

use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::error::Error;

/// Writes `<name>.js`, `<name>_bg.wasm` and, when a crate brings scripts of its own, `snippets/` into `dir`.
///
/// `names` keeps the names of functions, for readable backtraces.
pub(crate) fn bind(wasm: &Path, name: &str, dir: &Path, names: bool) -> Result<(), Error> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).typescript(false);
    // The page says where the module is; without this the glue would guess a name that is not hashed.
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(!names).remove_producers_section(true);
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
