//! The files under a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file below some directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leaf {
    /// Relative to that directory, `/` between the parts.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// Every file under `dir`, in order of name; hidden ones are passed over. A directory that is not there has none.
pub(crate) fn files(dir: &Path) -> Result<Vec<Leaf>, Error> {
    let mut leaves = Vec::new();
    descend(dir, "", &mut leaves)?;
    leaves.sort();
    Ok(leaves)
}

fn descend(dir: &Path, prefix: &str, leaves: &mut Vec<Leaf>) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::file("read", dir)(source)),
    };
    for entry in entries {
        let path = entry.map_err(Error::file("read", dir))?.path();
        let Some(last) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        if last.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{last}");
        if path.is_dir() {
            descend(&path, &format!("{name}/"), leaves)?;
        } else {
            leaves.push(Leaf { name, path });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_order_with_their_directories_and_without_hidden_ones() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("fonts")).unwrap();
        for name in ["theme.js", "fonts/sans.woff2", ".DS_Store", "favicon.svg"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let names: Vec<_> = files(root.path()).unwrap().into_iter().map(|leaf| leaf.name).collect();
        assert_eq!(names, ["favicon.svg", "fonts/sans.woff2", "theme.js"]);
        assert_eq!(files(&root.path().join("absent")).unwrap(), []);
    }
}
