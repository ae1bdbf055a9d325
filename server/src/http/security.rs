//! What every response says, and which requests are turned away.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::api::error::ApiError;

/// For whatever is no page: nothing may load or run. Pages bring their own, with a nonce.
const STRICT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");

/// Asked by load balancers, which call a task by its number.
const HEALTH: &str = "/healthz";

/// The names, beside this machine's, under which the dashboard is reached through a proxy.
pub(super) type Hosts = Arc<[String]>;

/// Turns away what another site sent, and sets the headers that every response has.
pub(super) async fn guard(State(hosts): State<Hosts>, request: Request<Body>, next: Next) -> Response {
    let probe = request.uri().path() == HEALTH && request.method() == Method::GET;
    let refusal = refuse(&hosts, request.method(), request.uri(), request.headers()).filter(|_| !probe);
    let mut response = match refusal {
        Some(reason) => ApiError::new(StatusCode::FORBIDDEN, "cross_site", reason).into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(STRICT);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a request is turned away, if it is. A page of another site may make a browser send requests here, but the browser
/// says so; and a name of another site that points at this machine shows in `Host`.
pub(super) fn refuse(hosts: &[String], method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let known = |host: &str| is_loopback_name(host) || hosts.iter().any(|name| name.eq_ignore_ascii_case(without_port(host)));
    if !host.is_some_and(known) {
        return Some("the Host header must name this machine, as localhost or 127.0.0.1, or one of server.hosts");
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    match text(header::HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => None,
        Some(_) => Some("changes are only taken from the dashboard's own pages"),
        // No browser of this decade leaves both out.
        None => match text(header::ORIGIN) {
            None => None,
            Some(origin) if origin.split_once("://").map(|(_, authority)| authority) == host => None,
            Some(_) => Some("changes are only taken from the dashboard's own pages"),
        },
    }
}

fn without_port(authority: &str) -> &str {
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    port.map_or(authority, |(host, _)| host)
}

fn is_loopback_name(authority: &str) -> bool {
    let host = without_port(authority);
    host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().expect("a value")))
            .collect();
        let hosts = ["cutover.example.com".to_owned()];
        refuse(&hosts, &method, &Uri::from_static("/"), &headers).is_some()
    }

    #[test]
    fn other_sites_are_turned_away_and_the_pages_are_not() {
        let host = ("host", "127.0.0.1:3000");
        assert!(!refused(Method::GET, &[host]));
        assert!(!refused(Method::GET, &[("host", "localhost:3000")]));
        assert!(!refused(Method::GET, &[("host", "[::1]:3000")]));
        assert!(
            refused(Method::GET, &[("host", "evil.example:3000")]),
            "a name that was rebound to this machine"
        );
        assert!(refused(Method::GET, &[]));
        assert!(!refused(Method::GET, &[("host", "Cutover.example.com")]));
        let own = ("host", "cutover.example.com");
        assert!(!refused(Method::POST, &[own, ("origin", "https://cutover.example.com")]));
        assert!(refused(Method::POST, &[own, ("origin", "https://evil.example.com")]));
        assert!(!refused(Method::POST, &[host]), "a program, not a browser");
        assert!(!refused(Method::POST, &[host, ("sec-fetch-site", "same-origin")]));
        assert!(refused(Method::POST, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(refused(Method::PUT, &[host, ("sec-fetch-site", "same-site")]));
        assert!(!refused(Method::POST, &[host, ("origin", "http://127.0.0.1:3000")]));
        assert!(refused(Method::POST, &[host, ("origin", "http://127.0.0.1:9999")]));
        assert!(refused(Method::POST, &[host, ("origin", "null")]));
    }
}
