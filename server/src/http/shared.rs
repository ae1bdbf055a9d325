//! Pages that many viewers look at are rendered once a second, and sent to all who ask the same within it.
//!
//! What a page shows depends on its address alone, as long as everyone may see the same: the readings behind it are
//! shared for a second as well (`app::context::Desk`). With the page its policy is shared, nonce included: within that
//! second nothing of a viewer's own is in it that could be made to run.

use std::io::Write;
use std::sync::Arc;

use app::context::{Desk, Moment};
use app::error::AppError;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use quick_cache::sync::Cache;

use super::api::error::ApiError;
use super::assets::coding::{Coding, choose};

/// How many renderings are kept.
const PAGES: usize = 64;
/// The largest page, bytes.
const MAX_PAGE: usize = 16 * 1024 * 1024;
/// Brotli's quality: a page is compressed once a second at most, in a few milliseconds.
const QUALITY: u32 = 5;

type Key = (String, Moment);

/// The renderings of the last second or so. Cheap to clone.
#[derive(Clone)]
pub(super) struct Rendered {
    pages: Arc<Cache<Key, Page>>,
    desk: Desk,
}

impl Rendered {
    pub(super) fn new(desk: Desk) -> Self {
        Self {
            pages: Arc::new(Cache::new(PAGES)),
            desk,
        }
    }
}

/// One rendering.
#[derive(Clone)]
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    plain: Bytes,
    brotli: Bytes,
}

/// Answers from what was rendered for the same address within the second, or renders it.
pub(super) async fn share(State(rendered): State<Rendered>, request: Request<Body>, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let accept = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let key = (request.uri().to_string(), rendered.desk.moment());
    match rendered.pages.get_or_insert_async(&key, render(request, next)).await {
        Ok(page) => page.answer(&accept),
        Err(error) => ApiError::from(error).into_response(),
    }
}

async fn render(request: Request<Body>, next: Next) -> Result<Page, AppError> {
    let (parts, body) = next.run(request).await.into_parts();
    let failed = || AppError::Unavailable("The page".to_owned());
    let plain = to_bytes(body, MAX_PAGE).await.map_err(|_| failed())?;
    let mut headers = parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let brotli = compress(&plain).map_err(|_| failed())?;
    Ok(Page {
        status: parts.status,
        headers,
        plain,
        brotli,
    })
}

fn compress(plain: &[u8]) -> std::io::Result<Bytes> {
    let mut compressed = Vec::with_capacity(plain.len() / 4);
    brotli::CompressorWriter::new(&mut compressed, 4096, QUALITY, 20).write_all(plain)?;
    Ok(compressed.into())
}

impl Page {
    fn answer(self, accept: &str) -> Response {
        let mut headers = self.headers;
        let body = match choose(accept, [(Coding::Brotli, self.brotli), (Coding::Identity, self.plain.clone())]) {
            Some((Coding::Brotli, body)) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
                body
            }
            // Whoever refuses every coding gets the page all the same.
            _ => self.plain,
        };
        (self.status, headers, body).into_response()
    }
}
