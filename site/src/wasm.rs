//! Rust to wasm: cargo, and the name of the file it made.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;

use crate::error::Error;
use crate::workspace::Workspace;

const PACKAGE: &str = "app";

/// Compiles the application for the browser; says where the module is.
pub(crate) fn compile(workspace: &Workspace, profile: &str) -> Result<PathBuf, Error> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "rustc",
        "--package",
        PACKAGE,
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    cargo.args(["--no-default-features", "--features", "hydrate", "--profile", profile]);
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    // What the split goes by: who refers to what.
    cargo.args(["--", "-Clink-args=--emit-relocs"]);
    let output = cargo.output().map_err(|source| Error::Start {
        program: "cargo".into(),
        source,
    })?;
    if !output.status.success() {
        return Err(Error::Failed {
            program: format!("cargo rustc --package {PACKAGE} for wasm"),
            status: output.status,
        });
    }
    wasm_file(&String::from_utf8_lossy(&output.stdout))?.ok_or(Error::NoWasm { package: PACKAGE })
}

/// The part of cargo's messages that matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Finds the module of [`PACKAGE`] in cargo's messages, one JSON object a line.
fn wasm_file(messages: &str) -> Result<Option<PathBuf>, Error> {
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).map_err(|source| Error::Json {
            what: "a message of `cargo rustc`".into(),
            source,
        })?;
        let ours = message.reason == "compiler-artifact" && message.target.is_some_and(|target| target.name == PACKAGE);
        let wasm = message
            .filenames
            .into_iter()
            .find(|file| file.extension().is_some_and(|extension| extension == "wasm"));
        if ours && wasm.is_some() {
            return Ok(wasm);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"build-script-executed","package_id":"x"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["/t/libserde.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/libapp.rlib","/t/app.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(wasm_file(messages).unwrap(), Some(PathBuf::from("/t/app.wasm")));
    }

    #[test]
    fn a_library_without_cdylib_has_no_module() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/libapp.rlib"]}"#;
        assert_eq!(wasm_file(messages).unwrap(), None);
    }
}
