use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::CONTENT_LENGTH;
use tower::ServiceExt as _;

use super::*;

static SITE: &[Asset] = &[
    Asset {
        name: "cutover.js",
        path: "/assets/cutover.0123.js",
        hash: "0123",
        content_type: "text/javascript; charset=utf-8",
        raw: b"plain text",
        br: Some(b"brotli"),
        gz: Some(b"gzipped"),
    },
    Asset {
        name: "favicon.svg",
        path: "/assets/favicon.4567.svg",
        hash: "4567",
        content_type: "image/svg+xml",
        raw: b"<svg/>",
        br: None,
        gz: None,
    },
    Asset {
        name: "fonts/sans.woff2",
        path: "/assets/fonts/sans.89ab.woff2",
        hash: "89ab",
        content_type: "font/woff2",
        raw: b"font",
        br: None,
        gz: None,
    },
];

const SCRIPT: &str = "/assets/cutover.0123.js";

async fn send(method: &str, path: &str, headers: &[(HeaderName, &str)]) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    router_of::<()>(SITE).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()
}

#[test]
fn names_lead_to_addresses() {
    assert_eq!(named(SITE, "cutover.js").map(|asset| asset.path), Some(SCRIPT));
    assert_eq!(
        named(SITE, "fonts/sans.woff2").map(|asset| asset.path),
        Some("/assets/fonts/sans.89ab.woff2")
    );
    assert!(named(SITE, "cutover.css").is_none());
}

#[test]
fn the_embedded_table_can_be_searched() {
    assert!(ASSETS.is_sorted_by_key(|asset| asset.name));
    for expected in ASSETS {
        assert_eq!(asset(expected.name).map(|asset| asset.path), Some(expected.path));
    }
}

#[tokio::test]
async fn an_asset_comes_with_everything_a_cache_needs() {
    let response = send("GET", SCRIPT, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    for (name, value) in [
        (CONTENT_TYPE, Some("text/javascript; charset=utf-8")),
        (CONTENT_ENCODING, None),
        (CONTENT_LENGTH, Some("10")),
        (CACHE_CONTROL, Some("public, max-age=31536000, immutable")),
        (ETAG, Some("\"0123\"")),
        (VARY, Some("accept-encoding")),
        (X_CONTENT_TYPE_OPTIONS, Some("nosniff")),
    ] {
        assert_eq!(header(&response, &name), value, "{name}");
    }
    assert_eq!(body(response).await, b"plain text");
}

#[tokio::test]
async fn the_copy_follows_the_client() {
    for (accept, encoding, tag, expected) in [
        ("gzip, deflate, br", Some("br"), "\"0123-br\"", &b"brotli"[..]),
        ("gzip, br;q=0", Some("gzip"), "\"0123-gzip\"", b"gzipped"),
        ("zstd", None, "\"0123\"", b"plain text"),
    ] {
        let response = send("GET", SCRIPT, &[(ACCEPT_ENCODING, accept)]).await;
        assert_eq!(
            (header(&response, &CONTENT_ENCODING), header(&response, &ETAG)),
            (encoding, Some(tag)),
            "{accept}"
        );
        assert_eq!(body(response).await, expected, "{accept}");
    }
}

#[tokio::test]
async fn a_list_may_come_in_several_lines() {
    let response = send("GET", SCRIPT, &[(ACCEPT_ENCODING, "gzip;q=0.5"), (ACCEPT_ENCODING, "br")]).await;
    assert_eq!(header(&response, &CONTENT_ENCODING), Some("br"));
}

#[tokio::test]
async fn a_client_that_refuses_every_copy_is_told() {
    let response = send("GET", SCRIPT, &[(ACCEPT_ENCODING, "*;q=0")]).await;
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(header(&response, &VARY), Some("accept-encoding"));
}

#[tokio::test]
async fn a_copy_that_is_not_there_is_replaced_by_the_plain_file() {
    let response = send("GET", "/assets/fonts/sans.89ab.woff2", &[(ACCEPT_ENCODING, "br, gzip")]).await;
    assert_eq!(header(&response, &CONTENT_ENCODING), None);
    assert_eq!(body(response).await, b"font");
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let response = send("HEAD", SCRIPT, &[(ACCEPT_ENCODING, "br")]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        (header(&response, &CONTENT_ENCODING), header(&response, &CONTENT_LENGTH)),
        (Some("br"), Some("6"))
    );
    assert_eq!(body(response).await, b"");
}

#[tokio::test]
async fn a_client_that_has_the_copy_is_not_sent_it_again() {
    for (known, status) in [
        ("\"0123-br\"", StatusCode::NOT_MODIFIED),
        ("\"x\", W/\"0123-br\"", StatusCode::NOT_MODIFIED),
        ("*", StatusCode::NOT_MODIFIED),
        ("\"0123\"", StatusCode::OK),
        ("\"0124-br\"", StatusCode::OK),
    ] {
        let response = send("GET", SCRIPT, &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, known)]).await;
        assert_eq!(response.status(), status, "{known}");
        assert_eq!(header(&response, &ETAG), Some("\"0123-br\""), "{known}");
        assert_eq!(header(&response, &CACHE_CONTROL), Some(FOR_GOOD), "{known}");
        assert_eq!(body(response).await.is_empty(), status == StatusCode::NOT_MODIFIED, "{known}");
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    for path in [
        "/assets/cutover.js",
        "/assets/cutover.9999.js",
        "/assets/../Cargo.toml",
        "/assets/",
        "/favicon.ico",
        "/robots.txt",
    ] {
        assert_eq!(send("GET", path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(send("POST", SCRIPT, &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_well_known_file_is_kept_for_an_hour_only() {
    let response = send("GET", "/favicon.svg", &[]).await;
    assert_eq!(header(&response, &CACHE_CONTROL), Some(FOR_AN_HOUR));
    assert_eq!(header(&response, &CONTENT_TYPE), Some("image/svg+xml"));
    assert_eq!(body(response).await, b"<svg/>");
}
