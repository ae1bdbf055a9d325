//! The browser's half, served from inside the binary.
//!
//! Pages ask [`asset`] for the address behind a logical name. The address holds a hash of the content, so whoever has the
//! file may keep it for good, and a new release is a new address. Compression happened when the site was built; here only
//! the copy is chosen.

pub(super) mod coding;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::coding::Coding;

// `static ASSETS: &[Asset]` and `static PARTS: &[(part, &[asset])]`, both in order of name; see build.rs.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// For an address that holds a hash: a year, which is as long as caches go, and no asking in between.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// For an address that stays when its content changes.
const FOR_AN_HOUR: &str = "public, max-age=3600";

/// The addresses browsers and crawlers ask for unasked, without their slash: served if `public/` has a file of that name.
const WELL_KNOWN: [&str; 3] = ["favicon.ico", "favicon.svg", "robots.txt"];

/// A file of the site.
#[derive(Debug)]
pub(crate) struct Asset {
    /// What code calls it: `cutover.js`, `fonts/sans.woff2`.
    pub(crate) name: &'static str,
    /// The address to ask for: `/assets/cutover.0123456789ab.js`.
    pub(crate) path: &'static str,
    /// The start of SHA-256 of the content, as in the address.
    hash: &'static str,
    /// The media type.
    content_type: &'static str,
    /// The file itself.
    raw: &'static [u8],
    /// Its brotli copy, where that is smaller.
    br: Option<&'static [u8]>,
    /// Its gzip copy, where that is smaller.
    gz: Option<&'static [u8]>,
}

/// Finds an asset by its logical name. None means that no site was built, or none with that file.
pub(crate) fn asset(name: &str) -> Option<&'static Asset> {
    named(ASSETS, name)
}

/// `GET` and `HEAD` of `/assets/{file}` and of the well-known files that exist.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    router_of(ASSETS)
}

/// The addresses of what a part of the application needs beside the main module.
pub(crate) fn part(name: &str) -> impl Iterator<Item = &'static str> + use<> {
    let index = PARTS.binary_search_by_key(&name, |(part, _)| part).ok();
    let files = index.and_then(|index| PARTS.get(index)).map_or(&[][..], |(_, files)| files);
    files.iter().filter_map(|file| asset(file)).map(|asset| asset.path)
}

fn named(assets: &'static [Asset], name: &str) -> Option<&'static Asset> {
    let index = assets.binary_search_by_key(&name, |asset| asset.name).ok()?;
    assets.get(index)
}

fn router_of<S: Clone + Send + Sync + 'static>(assets: &'static [Asset]) -> Router<S> {
    let hashed = get(move |uri: Uri, headers: HeaderMap| async move {
        match assets.iter().find(|asset| asset.path == uri.path()) {
            Some(asset) => asset.respond(&headers, FOR_GOOD),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    });
    let well_known = WELL_KNOWN.iter().filter_map(|name| named(assets, name));
    well_known.fold(Router::new().route("/assets/{*file}", hashed), |router, asset| {
        router.route(
            &format!("/{}", asset.name),
            get(move |headers: HeaderMap| async move { asset.respond(&headers, FOR_AN_HOUR) }),
        )
    })
}

impl Asset {
    /// The copy the client prefers, or word that the one it has is still right.
    fn respond(&self, request: &HeaderMap, cache: &'static str) -> Response {
        let vary = [(VARY, "accept-encoding")];
        let copies = [
            (Coding::Brotli, self.br),
            (Coding::Gzip, self.gz),
            (Coding::Identity, Some(self.raw)),
        ];
        let present = copies.into_iter().filter_map(|(coding, bytes)| Some((coding, bytes?)));
        let Some((coding, bytes)) = coding::choose(&list(request, &ACCEPT_ENCODING), present) else {
            return (StatusCode::NOT_ACCEPTABLE, vary).into_response();
        };
        // Each copy is a representation of its own, and so has a tag of its own.
        let tag = match coding.name() {
            Some(name) => format!("\"{}-{name}\"", self.hash),
            None => format!("\"{}\"", self.hash),
        };
        let fresh = matches(&list(request, &IF_NONE_MATCH), &tag);
        let head = ([(ETAG, tag)], [(CACHE_CONTROL, cache)], vary, [(X_CONTENT_TYPE_OPTIONS, "nosniff")]);
        if fresh {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        let encoding = coding.name().map(|name| [(CONTENT_ENCODING, name)]);
        (head, encoding, [(CONTENT_TYPE, self.content_type)], bytes).into_response()
    }
}

/// The values of a header that is a list, which may come in several lines.
fn list(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    lines.join(",")
}

/// `If-None-Match` compares weakly: a proxy that marked the tag as weak still has the same file.
fn matches(if_none_match: &str, tag: &str) -> bool {
    if_none_match
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
