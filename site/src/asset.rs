//! An asset: a logical name that code uses, and a file name that changes with the content.

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// One file of the site, before it is compressed.
#[derive(Debug)]
pub(crate) struct Asset {
    /// What code calls it: `cutover.js`, `fonts/sans.woff2`.
    pub(crate) name: String,
    /// The name it is served under, hash included, relative to `/assets/`.
    pub(crate) file: String,
    /// The hash in that name.
    pub(crate) hash: String,
    /// Its media type.
    pub(crate) content_type: &'static str,
    /// Whether compressing it is worth trying.
    pub(crate) compressible: bool,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
}

impl Asset {
    /// Names `bytes` after their content.
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Error> {
        let name = name.into();
        let file = hashed(&name, &fingerprint(&[&bytes]));
        Self::at(name, file, bytes)
    }

    /// One of a group of files that refer to each other by their plain names: the group's name changes with its content.
    pub(crate) fn grouped(name: String, file: &str, group: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::at(name, format!("{group}/{file}"), bytes)
    }

    fn at(name: String, file: String, bytes: Vec<u8>) -> Result<Self, Error> {
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) {
            return Err(Error::UnfitName { name });
        }
        let Some((content_type, compressible)) = content_type(&name) else {
            return Err(Error::UnknownType { name });
        };
        let hash = fingerprint(&[&bytes]);
        Ok(Self {
            file,
            name,
            hash,
            content_type,
            compressible,
            bytes,
        })
    }

    /// The address a page asks for.
    pub(crate) fn url(&self) -> String {
        format!("/assets/{}", self.file)
    }
}

/// The first 12 hexadecimal digits of SHA-256 over the parts, each preceded by its length so that they cannot run together.
///
/// A single part is hashed as it is: `sha256sum` finds the same digits.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        if parts.len() > 1 {
            hasher.update((part.len() as u64).to_le_bytes());
        }
        hasher.update(part);
    }
    hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// `fonts/sans.woff2` and `0123…` make `fonts/sans.0123….woff2`.
fn hashed(name: &str, hash: &str) -> String {
    let stem_ends = name.rfind('.').unwrap_or(name.len());
    let (stem, extension) = name.split_at(stem_ends);
    format!("{stem}.{hash}{extension}")
}

/// Media type by extension, and whether the format leaves anything to compress.
fn content_type(name: &str) -> Option<(&'static str, bool)> {
    let extension = Path::new(name).extension().and_then(OsStr::to_str)?;
    Some(match extension {
        "css" => ("text/css; charset=utf-8", true),
        "ico" => ("image/x-icon", true),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "json" => ("application/json", true),
        "png" => ("image/png", false),
        "svg" => ("image/svg+xml", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "webmanifest" => ("application/manifest+json", true),
        "webp" => ("image/webp", false),
        "woff2" => ("font/woff2", false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_stands_before_the_last_extension() {
        for (name, expected) in [
            ("cutover.js", "cutover.HASH.js"),
            ("fonts/sans.woff2", "fonts/sans.HASH.woff2"),
            ("theme.min.js", "theme.min.HASH.js"),
        ] {
            assert_eq!(hashed(name, "HASH"), expected);
        }
    }

    #[test]
    fn the_fingerprint_is_the_start_of_sha256() {
        assert_eq!(fingerprint(&[b"abc"]), "ba7816bf8f01");
        assert_eq!(fingerprint(&[b""]), "e3b0c44298fc");
    }

    #[test]
    fn parts_cannot_run_together() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }

    #[test]
    fn same_content_same_address_other_content_other_address() {
        let url = |text: &str| Asset::new("theme.js", text.into()).unwrap().url();
        assert_eq!(url("1"), url("1"));
        assert_ne!(url("1"), url("2"));
        assert!(url("1").starts_with("/assets/theme."), "{}", url("1"));
    }

    #[test]
    fn unknown_types_and_unfit_names_are_refused() {
        assert!(matches!(Asset::new("notes.docx", vec![]), Err(Error::UnknownType { .. })));
        assert!(matches!(Asset::new("LICENSE", vec![]), Err(Error::UnknownType { .. })));
        assert!(matches!(Asset::new("my icon.svg", vec![]), Err(Error::UnfitName { .. })));
    }
}
