//! One sheet out of `style/*.css`.

use std::fs;
use std::path::Path;

use crate::asset::Asset;
use crate::css::{self, Unclosed};
use crate::error::Error;
use crate::tree::{self, Leaf};

/// Concatenates the sheets of `dir`: tokens, base, then the others by name. `url(…)`s become addresses of `public` assets.
pub(crate) fn bundle(dir: &Path, public: &[Asset]) -> Result<String, Error> {
    let mut sheets: Vec<Leaf> = tree::files(dir)?.into_iter().filter(|leaf| leaf.name.ends_with(".css")).collect();
    sheets.sort_by(|a, b| rank(&a.name).cmp(&rank(&b.name)));
    let mut all = String::new();
    for leaf in &sheets {
        let text = fs::read_to_string(&leaf.path).map_err(Error::file("read", &leaf.path))?;
        all.push_str(&sheet(&leaf.name, &text, public)?);
        all.push('\n');
    }
    Ok(all)
}

/// Where a sheet stands: what others build on comes first.
fn rank(name: &str) -> (u8, &str) {
    let first = match name {
        "tokens.css" => 0,
        "base.css" => 1,
        _ => 2,
    };
    (first, name)
}

fn sheet(name: &str, text: &str, public: &[Asset]) -> Result<String, Error> {
    let rewritten = css::rewrite(text, |target| match resolve(target, public) {
        Some(address) => Ok(address),
        None => Err(Refusal::Dangling(target.to_owned())),
    });
    rewritten.map_err(|refusal| match refusal {
        Refusal::Dangling(target) => Error::DanglingUrl {
            sheet: format!("style/{name}"),
            target,
        },
        Refusal::Unclosed(Unclosed { what, at }) => Error::UnclosedCss {
            sheet: format!("style/{name}"),
            what,
            line: text[..at].matches('\n').count() + 1,
        },
    })
}

/// Why a sheet was not rewritten.
enum Refusal {
    Unclosed(Unclosed),
    Dangling(String),
}

impl From<Unclosed> for Refusal {
    fn from(unclosed: Unclosed) -> Self {
        Self::Unclosed(unclosed)
    }
}

/// The address `target` stands for: elsewhere as it is, in `public/` with its hash, otherwise none.
///
/// A sheet may write `../public/x.svg`, which editors can follow, or `/x.svg`.
fn resolve(target: &str, public: &[Asset]) -> Option<String> {
    let elsewhere = ["data:", "http:", "https:", "//", "#"];
    if elsewhere.iter().any(|start| target.starts_with(start)) {
        return Some(target.to_owned());
    }
    let local = target
        .strip_prefix("../public/")
        .or_else(|| target.strip_prefix('/'))
        .unwrap_or(target);
    let (name, fragment) = local.split_at(local.find(['#', '?']).unwrap_or(local.len()));
    public.iter().find(|asset| asset.name == name).map(|asset| asset.url() + fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font() -> Asset {
        Asset::new("fonts/sans.woff2", b"font".to_vec()).unwrap()
    }

    #[test]
    fn tokens_come_first_then_base_then_the_alphabet() {
        let mut names = ["letters.css", "base.css", "activity.css", "tokens.css"];
        names.sort_by(|a, b| rank(a).cmp(&rank(b)));
        assert_eq!(names, ["tokens.css", "base.css", "activity.css", "letters.css"]);
    }

    #[test]
    fn references_to_public_files_get_their_hash() {
        let (public, address) = ([font()], font().url());
        for target in ["../public/fonts/sans.woff2", "/fonts/sans.woff2", "fonts/sans.woff2"] {
            assert_eq!(resolve(target, &public), Some(address.clone()), "{target}");
        }
        assert_eq!(resolve("/fonts/sans.woff2#x", &public), Some(address + "#x"));
    }

    #[test]
    fn references_elsewhere_stay_and_dangling_ones_are_found() {
        for target in ["data:image/png;base64,AA==", "https://example.com/x.png", "#gradient"] {
            assert_eq!(resolve(target, &[]).as_deref(), Some(target));
        }
        assert_eq!(resolve("/fonts/none.woff2", &[font()]), None);
    }

    #[test]
    fn errors_name_the_sheet_and_the_line() {
        let error = sheet("base.css", "a { }\n/* open", &[]).unwrap_err().to_string();
        assert_eq!(error, "style/base.css: the comment that opens on line 2 is never closed");
        let error = sheet("base.css", "a { background: url(x.svg) }", &[]).unwrap_err().to_string();
        assert_eq!(error, "style/base.css refers to \"x.svg\", and public/ has no such file");
    }
}
