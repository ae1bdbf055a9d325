//! The finished directory. It is its own cache: a name holds its content's hash, so a file that is there is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::asset::Asset;
use crate::encode::Coding;
use crate::error::Error;
use crate::manifest::{Entry, Manifest};
use crate::tree;

const MANIFEST: &str = "manifest.json";

/// `<target>/site`.
pub(crate) struct Output {
    dir: PathBuf,
    compress: bool,
}

impl Output {
    /// Nothing is touched yet.
    pub(crate) fn new(dir: PathBuf, compress: bool) -> Self {
        Self { dir, compress }
    }

    /// Makes the directory hold these assets and nothing else. Files that are already right keep their times.
    pub(crate) fn write(&self, assets: &[Asset], parts: BTreeMap<String, Vec<String>>) -> Result<Manifest, Error> {
        let mut manifest = Manifest {
            parts,
            ..Manifest::default()
        };
        for asset in assets {
            let entry = self.place(asset)?;
            if manifest.assets.insert(asset.name.clone(), entry).is_some() {
                return Err(Error::Duplicate { name: asset.name.clone() });
            }
        }
        let json = serde_json::to_vec_pretty(&manifest).map_err(|source| Error::Json {
            what: "the manifest".into(),
            source,
        })?;
        let path = self.dir.join(MANIFEST);
        if fs::read(&path).ok().as_deref() != Some(json.as_slice()) {
            replace(&path, &json)?;
        }
        self.sweep(&manifest)?;
        Ok(manifest)
    }

    /// Writes an asset and its compressed copies, if they are not there.
    fn place(&self, asset: &Asset) -> Result<Entry, Error> {
        let path = self.dir.join(&asset.file);
        if size(&path).is_none() {
            replace(&path, &asset.bytes)?;
        }
        Ok(Entry {
            file: asset.file.clone(),
            path: asset.url(),
            hash: asset.hash.clone(),
            content_type: asset.content_type,
            size: asset.bytes.len() as u64,
            br: self.copy(asset, Coding::Brotli)?,
            gz: self.copy(asset, Coding::Gzip)?,
        })
    }

    /// The size of a compressed copy; none where it would not be smaller.
    fn copy(&self, asset: &Asset, coding: Coding) -> Result<Option<u64>, Error> {
        if !self.compress || !asset.compressible {
            return Ok(None);
        }
        let path = self.dir.join(format!("{}{}", asset.file, coding.suffix()));
        if let Some(size) = size(&path) {
            return Ok(Some(size));
        }
        let packed = coding.encode(&asset.bytes).map_err(Error::file("compress", &path))?;
        if packed.len() >= asset.bytes.len() {
            return Ok(None);
        }
        replace(&path, &packed)?;
        Ok(Some(packed.len() as u64))
    }

    /// Removes what an earlier build left behind.
    fn sweep(&self, manifest: &Manifest) -> Result<(), Error> {
        let mut kept = BTreeSet::from([MANIFEST.to_owned()]);
        for entry in manifest.assets.values() {
            kept.insert(entry.file.clone());
            kept.extend(entry.br.map(|_| format!("{}{}", entry.file, Coding::Brotli.suffix())));
            kept.extend(entry.gz.map(|_| format!("{}{}", entry.file, Coding::Gzip.suffix())));
        }
        for leaf in tree::files(&self.dir)?.into_iter().filter(|leaf| !kept.contains(&leaf.name)) {
            fs::remove_file(&leaf.path).map_err(Error::file("remove", &leaf.path))?;
            // Of the directories only those go that are empty now; the others refuse, which is right.
            leaf.path
                .ancestors()
                .skip(1)
                .take_while(|dir| *dir != self.dir)
                .all(|dir| fs::remove_dir(dir).is_ok());
        }
        Ok(())
    }
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|file| file.len())
}

/// Writes beside and renames, so that a build cut short leaves no half file under a name that promises a whole one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes).map_err(Error::file("write", &partial))?;
    fs::rename(&partial, path).map_err(Error::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        tree::files(dir).unwrap().into_iter().map(|leaf| leaf.name).collect()
    }

    fn script(text: &str) -> Asset {
        Asset::new("js/a.js", text.into()).unwrap()
    }

    #[test]
    fn a_second_build_writes_nothing_and_another_sweeps() {
        let root = tempfile::tempdir().unwrap();
        let output = Output::new(root.path().to_owned(), true);
        let long = "abc".repeat(500);
        let first = output.write(&[script(&long)], BTreeMap::new()).unwrap();
        let file = &first.assets["js/a.js"].file;
        assert_eq!(
            names(root.path()),
            [file.clone(), format!("{file}.br"), format!("{file}.gz"), MANIFEST.into()]
        );

        let modified = || fs::metadata(root.path().join(MANIFEST)).unwrap().modified().unwrap();
        let before = modified();
        let second = output.write(&[script(&long)], BTreeMap::new()).unwrap();
        assert_eq!(second.assets, first.assets);
        assert_eq!(modified(), before);

        let third = output.write(&[script("x")], BTreeMap::new()).unwrap();
        assert_eq!(names(root.path()), [third.assets["js/a.js"].file.clone(), MANIFEST.into()]);
        output.write(&[], BTreeMap::new()).unwrap();
        assert!(!root.path().join("js").exists());
        assert_eq!(third.assets["js/a.js"].br, None, "a copy that is no smaller is no use");
    }

    #[test]
    fn uncompressed_builds_have_no_copies() {
        let root = tempfile::tempdir().unwrap();
        let manifest = Output::new(root.path().to_owned(), false)
            .write(&[script(&"abc".repeat(500))], BTreeMap::new())
            .unwrap();
        assert_eq!((manifest.assets["js/a.js"].br, manifest.assets["js/a.js"].gz), (None, None));
    }

    #[test]
    fn two_assets_of_one_name_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let error = Output::new(root.path().to_owned(), false)
            .write(&[script("1"), script("2")], BTreeMap::new())
            .unwrap_err();
        assert!(matches!(error, Error::Duplicate { name } if name == "js/a.js"));
    }
}
