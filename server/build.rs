//! Puts the browser's half into the binary: writes `assets.rs`, a table of what `site build` left in `<target>/site`.
//!
//! | variable | |
//! |---|---|
//! | `CUTOVER_SITE` | another directory to take the site from; it must hold one |
//! | `CUTOVER_REQUIRE_SITE` | `1`: a missing site is an error, as it is for anything that is released or tested |
//!
//! Each asset goes in three times, as it is and twice compressed. The plain copy could be unpacked from the gzip one when
//! somebody asks for it, at the price of a decompressor, a cache and a length not known beforehand; it costs a few megabytes
//! of a file whose pages are read from disk only when they are touched.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What `site build` writes; see site/src/manifest.rs.
#[derive(Default, Deserialize)]
struct Manifest {
    assets: BTreeMap<String, Entry>,
    #[serde(default)]
    parts: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    path: String,
    hash: String,
    content_type: String,
    br: Option<u64>,
    gz: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let (site, chosen) = site_directory()?;
    let manifest = site.join("manifest.json");
    let table = match fs::read_to_string(&manifest) {
        Ok(json) => {
            println!("cargo::rerun-if-changed={}", manifest.display());
            let manifest = serde_json::from_str(&json).map_err(|error| format!("could not understand {}: {error}", manifest.display()))?;
            table(&site, &manifest)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !chosen => {
            without_site(&site)?;
            table(&site, &Manifest::default())
        }
        Err(error) => return Err(format!("could not read {}: {error}", manifest.display()).into()),
    };
    let out = PathBuf::from(env::var("OUT_DIR")?).join("assets.rs");
    fs::write(&out, table).map_err(|error| format!("could not write {}: {error}", out.display()))?;
    Ok(())
}

/// Where the site is, and whether somebody said so.
fn site_directory() -> Result<(PathBuf, bool), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=CUTOVER_SITE");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest.parent().ok_or("the server is not in a workspace")?;
    Ok(match (env::var_os("CUTOVER_SITE"), env::var_os("CARGO_TARGET_DIR")) {
        (Some(site), _) => (workspace.join(site), true),
        (None, Some(target)) => (workspace.join(target).join("site"), false),
        (None, None) => (workspace.join("target/site"), false),
    })
}

/// Nothing to embed: fatal where it matters, otherwise said, so that the server can be worked on alone.
fn without_site(site: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=CUTOVER_REQUIRE_SITE");
    let missing = format!("no site in {}: `cargo run -p site -- build` makes it", site.display());
    if env::var_os("CUTOVER_REQUIRE_SITE").is_some_and(|value| value == "1") {
        return Err(missing.into());
    }
    println!("cargo::warning={missing}; until then pages come without styles and scripts");
    // A watched path that does not exist makes cargo run this script, and compile the server, every time.
    fs::create_dir_all(site).map_err(|error| format!("could not create {}: {error}", site.display()))?;
    println!("cargo::rerun-if-changed={}", site.display());
    Ok(())
}

/// The Rust source of the tables, in order of name.
fn table(site: &Path, manifest: &Manifest) -> String {
    let mut source = String::from("static ASSETS: &[Asset] = &[\n");
    for (
        name,
        Entry {
            file,
            path,
            hash,
            content_type,
            br,
            gz,
        },
    ) in &manifest.assets
    {
        let copy = |suffix: &str| format!("include_bytes!({:?})", site.join(format!("{file}{suffix}")));
        let optional = |size: &Option<u64>, suffix: &str| size.map_or("None".to_owned(), |_| format!("Some({})", copy(suffix)));
        let (raw, br, gz) = (copy(""), optional(br, ".br"), optional(gz, ".gz"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            source,
            "    Asset {{ name: {name:?}, path: {path:?}, hash: {hash:?}, content_type: {content_type:?}, raw: {raw}, br: {br}, gz: {gz} }},"
        );
    }
    source.push_str("];\nstatic PARTS: &[(&str, &[&str])] = &[\n");
    for (part, files) in &manifest.parts {
        let _ = writeln!(source, "    ({part:?}, &{files:?}),");
    }
    source.push_str("];\n");
    source
}
