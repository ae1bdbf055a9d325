//! `manifest.json`: what the site consists of. `server/build.rs` reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// Every asset by its logical name.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Manifest {
    /// In order of name.
    pub(crate) assets: BTreeMap<String, Entry>,
    /// The assets that each part of the application needs beside the main module.
    pub(crate) parts: BTreeMap<String, Vec<String>>,
}

/// One asset: where it is and how large, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// Relative to the site's directory; `.br` and `.gz` stand beside it.
    pub(crate) file: String,
    /// The address a page asks for.
    pub(crate) path: String,
    /// The start of SHA-256 of the content.
    pub(crate) hash: String,
    /// The media type.
    pub(crate) content_type: &'static str,
    /// The file itself.
    pub(crate) size: u64,
    /// Its brotli copy, if there is one.
    pub(crate) br: Option<u64>,
    /// Its gzip copy, if there is one.
    pub(crate) gz: Option<u64>,
}

impl Manifest {
    /// For people: a line an asset, and the sum.
    pub(crate) fn table(&self) -> String {
        let width = self.assets.keys().map(String::len).max().unwrap_or(0).max("asset".len());
        let mut table = format!("{:width$}  {:>9}  {:>9}\n", "asset", "raw kB", "brotli kB");
        let mut line = |name: &str, raw: u64, packed: u64| {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:width$}  {:>9}  {:>9}", kilobytes(raw), kilobytes(packed));
        };
        for (name, entry) in &self.assets {
            line(name, entry.size, entry.smallest());
        }
        line(
            "",
            self.assets.values().map(|entry| entry.size).sum(),
            self.assets.values().map(Entry::smallest).sum(),
        );
        table
    }
}

impl Entry {
    /// What a browser that knows brotli downloads.
    fn smallest(&self) -> u64 {
        self.br.unwrap_or(self.size)
    }
}

/// Thousands of bytes, one decimal, rounded.
fn kilobytes(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64, br: Option<u64>) -> Entry {
        let (file, path, hash) = ("a.1.js".into(), "/assets/a.1.js".into(), "1".into());
        Entry {
            file,
            path,
            hash,
            content_type: "text/javascript",
            size,
            br,
            gz: None,
        }
    }

    #[test]
    fn the_table_shows_what_is_downloaded() {
        let assets = [
            ("a.js".to_owned(), entry(12_345, Some(4_049))),
            ("b.png".to_owned(), entry(1_000, None)),
        ]
        .into();
        let expected = "\
asset     raw kB  brotli kB
a.js        12.3        4.0
b.png        1.0        1.0
            13.3        5.0
";
        let parts = BTreeMap::new();
        assert_eq!(Manifest { assets, parts }.table(), expected);
    }

    #[test]
    fn the_file_is_what_the_server_reads() {
        let assets = [("a.js".to_owned(), entry(10, None))].into();
        let parts = [("overview".to_owned(), vec!["a.js".to_owned()])].into();
        let json = serde_json::to_value(Manifest { assets, parts }).unwrap();
        let expected = serde_json::json!({ "assets": { "a.js": {
            "file": "a.1.js", "path": "/assets/a.1.js", "hash": "1", "content_type": "text/javascript", "size": 10, "br": null, "gz": null
        } }, "parts": { "overview": ["a.js"] } });
        assert_eq!(json, expected);
    }
}
