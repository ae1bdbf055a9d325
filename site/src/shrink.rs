//! Wasm to less wasm: binaryen's `wasm-opt`.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use crate::error::Error;

/// For size. Which features it may use wasm-opt reads from the module, where rustc noted what it was allowed itself;
/// `--all-features` makes a smaller module that browsers refuse to load.
const LEVEL: &str = "-Oz";

/// An installed `wasm-opt`.
#[derive(Debug)]
pub(crate) struct WasmOpt(PathBuf);

impl WasmOpt {
    /// The one `npm install` put under `root`, or the first on PATH.
    pub(crate) fn find(root: &Path) -> Result<Self, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        Self::find_in(root, &path).ok_or(Error::NoWasmOpt)
    }

    fn find_in(root: &Path, path: &OsStr) -> Option<Self> {
        let local = root.join("node_modules/.bin");
        let mut directories = std::iter::once(local).chain(env::split_paths(path));
        directories.find_map(|directory| {
            let program = directory.join("wasm-opt");
            program.is_file().then_some(Self(program))
        })
    }

    /// Differs when another wasm-opt is installed or asked for something else. Cheaper than asking for its version.
    pub(crate) fn identity(&self) -> Result<String, Error> {
        let file = fs::metadata(&self.0).map_err(Error::file("look at", &self.0))?;
        let modified = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(format!("{} {modified:?} {LEVEL}", file.len()))
    }

    /// Rewrites `wasm` in place.
    pub(crate) fn shrink(&self, wasm: &Path) -> Result<(), Error> {
        let program = self.0.display().to_string();
        let mut command = Command::new(&self.0);
        command.arg(LEVEL).arg(wasm).arg("--output").arg(wasm);
        let status = command.status().map_err(|source| Error::Start {
            program: program.clone(),
            source,
        })?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::Failed { program, status })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(directory: &Path) -> PathBuf {
        let program = directory.join("wasm-opt");
        fs::create_dir_all(directory).unwrap();
        fs::write(&program, "").unwrap();
        program
    }

    #[test]
    fn npms_copy_comes_before_the_one_on_path() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        assert!(WasmOpt::find_in(root.path(), bin.as_os_str()).is_none());
        let on_path = install(&bin);
        assert_eq!(WasmOpt::find_in(root.path(), bin.as_os_str()).unwrap().0, on_path);
        let local = install(&root.path().join("node_modules/.bin"));
        assert_eq!(WasmOpt::find_in(root.path(), bin.as_os_str()).unwrap().0, local);
    }
}
