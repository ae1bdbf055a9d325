//! HTTP, with what a test wants to know of an answer.

use std::fmt::Display;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::wait::PATIENCE;

/// How long an answer may be silent: one that is a stream may take as long as it likes.
const SILENCE: Duration = Duration::from_secs(60);
/// When one that was asked too much is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// One of the server's listeners.
#[derive(Clone, Debug)]
pub struct Endpoint {
    client: Client,
    base: String,
    patient: bool,
}

impl Endpoint {
    /// The listener at `base`, such as `http://127.0.0.1:3000`.
    ///
    /// # Panics
    /// No HTTP client can be made.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        // A proxy that the environment names is not for this machine's own loopback.
        let client = Client::builder()
            .no_proxy()
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            client: client.expect("an HTTP client"),
            base: base.into(),
            patient: false,
        }
    }

    /// The same, which is asked again where it could not answer: one that depends on others.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { patient: true, ..self }
    }

    /// Where it is, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its authority, as in `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The absolute address of `path`.
    #[must_use]
    pub fn url(&self, path: impl Display) -> String {
        format!("{}{path}", self.base)
    }

    /// A request to be completed.
    pub fn request(&self, method: Method, path: impl Display) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// `GET`.
    pub async fn get(&self, path: impl Display) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// `GET` of JSON that must be there.
    pub async fn json(&self, path: impl Display) -> Value {
        let began = Instant::now();
        loop {
            let reply = self.get(&path).await;
            if reply.status != 503 || !self.patient || began.elapsed() > PATIENCE {
                return reply.expect(200).json();
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: impl Display, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(body)).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: impl Display, body: &Value) -> Reply {
        Reply::of(self.request(Method::PUT, path).json(body)).await
    }

    /// `PutEvents`, as an AWS SDK sends it.
    pub async fn put_events(&self, entries: &Value) -> Reply {
        let body = serde_json::json!({ "Entries": entries });
        let request = self.request(Method::POST, "/").header("x-amz-target", "AWSEvents.PutEvents");
        Reply::of(request.header("content-type", "application/x-amz-json-1.1").body(body.to_string())).await
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request, for messages.
    pub request: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came over the wire.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// Sends a request and reads its answer.
    ///
    /// # Panics
    /// No answer came.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap_or_else(|e| panic!("no answer: {e:?}"))
    }

    /// Sends a request and reads its answer, if one comes: the server may be on its way down.
    ///
    /// # Errors
    /// No whole answer came.
    ///
    /// # Panics
    /// The request makes no sense.
    pub async fn try_of(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let name = format!("{} {}", request.method(), request.url());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self {
            request: name,
            status,
            headers,
            bytes: response.bytes().await?.to_vec(),
        })
    }

    /// This answer, if it has this status.
    ///
    /// # Panics
    /// It has another.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.text());
        self
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It isn't.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{}: {e}: {}", self.request, self.text()))
    }

    /// A header's value; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The message of an error in the API's shape, `{ "error": { "code", "message" } }`, if it has this status and code.
    ///
    /// # Panics
    /// It is another answer.
    pub fn error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}: {}", self.request, self.text());
        let body = self.json();
        assert_eq!(body["error"]["code"], code, "{}: {body}", self.request);
        body["error"]["message"]
            .as_str()
            .filter(|m| !m.is_empty())
            .unwrap_or_else(|| panic!("{}: no message: {body}", self.request))
            .to_owned()
    }
}
