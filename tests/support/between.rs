//! Something between the dashboard, or a function, and the services it calls: it counts the calls, and does to them what networks and
//! services do.

mod part;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{TimeDelta, Utc};
use reqwest::Client;
use tokio::task::JoinHandle;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// The service refuses it, in its own words, with a status and a code.
    Refused(u16, &'static str),
    /// It is not passed on, and nothing is answered for so long.
    Silence(Duration),
    /// The connection breaks before the service has heard of it.
    Broken,
    /// The service does it, and the connection breaks before the answer is here.
    Unheard,
    /// The service does it, and the answer is here so long after.
    Late(Duration),
    /// The service does it, and refuses it nevertheless: a try of the same is under way, it says, or it is in no state to know better.
    Disowned(u16, &'static str),
    /// The service does it, and the connection breaks in the middle of the answer.
    Torn,
    /// Of a call with several entries the first is not passed on, and answered as one that failed; the others are done.
    InPart,
}

/// A call: the service, as in `dynamodb`, and the operation, as in `PutItem`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The service.
    pub service: String,
    /// The operation; of services without names for them, method and path.
    pub operation: String,
}

type Decide = dyn Fn(&Call, &str) -> Fate + Send + Sync;

/// How often something was called.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Whatever came of it.
    tried: usize,
    /// Without the SDK's own second and third attempts.
    asked: usize,
}

struct Inner {
    client: Client,
    endpoint: OnceLock<String>,
    calls: Mutex<BTreeMap<Call, Count>>,
    /// When a call first met something else than its answer, since that was last set.
    met: Mutex<Option<Instant>>,
    /// How far the services' clock is ahead, seconds.
    ahead: AtomicI64,
    decide: Mutex<Arc<Decide>>,
}

/// It, at an address of its own until it is dropped.
pub struct Between {
    endpoint: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Between {
    /// In front of the services at `endpoint`; everything is answered.
    ///
    /// # Panics
    /// There is no port for it.
    pub async fn of(endpoint: &str) -> Self {
        let between = Self::of_nothing().await;
        between.turn_to(endpoint);
        between
    }

    /// In front of services that are not there yet.
    ///
    /// # Panics
    /// There is no port for it.
    pub async fn of_nothing() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner {
            client: Client::builder().no_proxy().build().expect("an HTTP client"),
            endpoint: OnceLock::new(),
            calls: Mutex::default(),
            met: Mutex::default(),
            ahead: AtomicI64::new(0),
            decide: Mutex::new(Arc::new(|_, _| Fate::Answered)),
        });
        let router = Router::new().fallback(pass).with_state(inner.clone());
        Self {
            endpoint: format!("http://{address}"),
            inner,
            task: tokio::spawn(async move {
                let _ = axum::serve(listener, router).await;
            }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The services are at `endpoint`.
    pub fn turn_to(&self, endpoint: &str) {
        let _ = self.inner.endpoint.set(endpoint.to_owned());
    }

    /// From now on the services say a time that is so many seconds ahead.
    pub fn set_clock(&self, ahead: i64) {
        self.inner.ahead.store(ahead, Ordering::Relaxed);
    }

    /// From now on `decide` says what happens to each call.
    pub fn set(&self, decide: impl Fn(&Call) -> Fate + Send + Sync + 'static) {
        self.set_by_body(move |call, _| decide(call));
    }

    /// The same, where it depends on what is asked.
    pub fn set_by_body(&self, decide: impl Fn(&Call, &str) -> Fate + Send + Sync + 'static) {
        *self.inner.decide.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(decide);
        *self.inner.met.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// When a call first met what was last set.
    #[must_use]
    pub fn met(&self) -> Option<Instant> {
        *self.inner.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on everything is answered.
    pub fn heal(&self) {
        self.set(|_| Fate::Answered);
    }

    fn count(&self, of: impl Fn(&Call) -> bool, what: impl Fn(&Count) -> usize) -> usize {
        let calls = self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|(call, _)| of(call)).map(|(_, count)| what(count)).sum()
    }

    /// How often a service was called, whatever came of it.
    #[must_use]
    pub fn calls_of(&self, service: &str) -> usize {
        self.count(|call| call.service == service, |count| count.tried)
    }

    /// How often an operation was called, whatever came of it.
    #[must_use]
    pub fn calls(&self, operation: &str) -> usize {
        self.count(|call| call.operation == operation, |count| count.tried)
    }

    /// How often an operation was asked for, without what the SDK tried once more by itself: what a machine that is busy adds to.
    #[must_use]
    pub fn asked(&self, operation: &str) -> usize {
        self.count(|call| call.operation == operation, |count| count.asked)
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let call = call(&head.headers, head.method.as_str(), head.uri.path());
    let again = head.headers.get("amz-sdk-request").and_then(|value| value.to_str().ok());
    let again = again.is_some_and(|value| !value.starts_with("attempt=1;") && value != "attempt=1");
    {
        let mut calls = inner.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let count = calls.entry(call.clone()).or_default();
        count.tried += 1;
        count.asked += usize::from(!again);
    }
    let decide = Arc::clone(&inner.decide.lock().unwrap_or_else(PoisonError::into_inner));
    let fate = decide(&call, &String::from_utf8_lossy(&body));
    if fate != Fate::Answered {
        inner
            .met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(Instant::now);
    }
    match fate {
        Fate::Answered => forward(&inner, &head, body).await.unwrap_or_else(broken),
        Fate::Refused(status, code) => refused(&head.headers, status, code),
        Fate::Silence(long) => {
            tokio::time::sleep(long).await;
            broken(())
        }
        Fate::Broken => broken(()),
        Fate::Disowned(status, code) => {
            let _ = forward(&inner, &head, body).await;
            refused(&head.headers, status, code)
        }
        Fate::Unheard => {
            let _ = forward(&inner, &head, body).await;
            broken(())
        }
        Fate::Late(long) => {
            let answer = forward(&inner, &head, body).await;
            tokio::time::sleep(long).await;
            answer.unwrap_or_else(broken)
        }
        Fate::Torn => match forward(&inner, &head, body).await {
            Ok(answer) => torn(answer).await,
            Err(()) => broken(()),
        },
        Fate::InPart => {
            let (others, failed) = part::split(&call.operation, &body);
            let answer = match others {
                Some(others) => forward(&inner, &head, others).await,
                None => Ok(part::nothing()),
            };
            match answer {
                Ok(answer) => part::join(&call.operation, answer, failed).await,
                Err(()) => broken(()),
            }
        }
    }
}

async fn forward(inner: &Inner, head: &axum::http::request::Parts, body: Bytes) -> Result<Response, ()> {
    let Some(endpoint) = inner.endpoint.get() else { return Err(()) };
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = head.headers.clone();
    headers.remove(header::CONTENT_LENGTH);
    let request = inner.client.request(head.method.clone(), format!("{endpoint}{path}"));
    let answer = request.headers(headers).body(body).send().await.map_err(drop)?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(drop)?;
    headers.remove(header::TRANSFER_ENCODING);
    let ahead = inner.ahead.load(Ordering::Relaxed);
    let said = (Utc::now() + TimeDelta::seconds(ahead))
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    headers.insert(header::DATE, said.parse().expect("a date"));
    headers.remove(header::CONTENT_LENGTH);
    Ok((status, headers, body).into_response())
}

/// An answer that breaks off in the middle: the connection is closed under it.
fn broken(_: ()) -> Response {
    let nothing = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("the connection broke")) });
    Body::from_stream(nothing).into_response()
}

/// Half of an answer; then the connection is closed under it.
async fn torn(answer: Response) -> Response {
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = body.slice(..body.len() / 2);
    let rest = Err(std::io::Error::other("the connection broke"));
    let body = Body::from_stream(futures::stream::iter([Ok(half), rest]));
    Response::from_parts(head, body)
}

/// As the service says it, in the protocol that it is spoken to in.
fn refused(headers: &HeaderMap, status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    if headers.get("smithy-protocol").is_some() {
        // {"__type": code} in CBOR: a map of one pair of texts.
        let mut body = vec![0xa1, 0x66];
        body.extend(b"__type");
        body.push(0x78);
        body.push(u8::try_from(code.len()).expect("a short code"));
        body.extend(code.as_bytes());
        let headers = [
            (header::CONTENT_TYPE, "application/cbor"),
            (header::HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor"),
        ];
        return (status, headers, body).into_response();
    }
    let body = serde_json::json!({ "__type": code, "message": "as the test wants it" }).to_string();
    let error_type = header::HeaderName::from_static("x-amzn-errortype");
    (
        status,
        [(header::CONTENT_TYPE, "application/x-amz-json-1.0"), (error_type, code)],
        body,
    )
        .into_response()
}

fn call(headers: &HeaderMap, method: &str, path: &str) -> Call {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Credential=AKID/20260101/region/service/aws4_request
    let scope = text("authorization").and_then(|value| value.split_once("Credential=")?.1.split(['/', ',']).nth(3));
    let operation = match (text("x-amz-target"), path.rsplit_once("/operation/")) {
        (Some(target), _) => target.rsplit('.').next().unwrap_or(target).to_owned(),
        (None, Some((_, operation))) => operation.to_owned(),
        (None, None) => format!("{method} {path}"),
    };
    Call {
        service: scope.unwrap_or_default().to_owned(),
        operation,
    }
}
