//! Which services are being waited for: a call that has no answer yet says nothing of itself, and a page that waits with it should.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

/// What is meant to wait, and tells nothing of its service.
const LONG_POLL: &str = "AmazonSQS.ReceiveMessage";

/// The calls that are under way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    next: u64,
    under_way: HashMap<u64, (&'static str, Instant)>,
}

impl Pending {
    /// `client`, with its calls counted among these.
    pub(super) fn watch(&self, client: SharedHttpClient) -> impl HttpClient + 'static {
        Watched {
            inner: client,
            pending: self.clone(),
        }
    }

    fn change<T>(&self, f: impl FnOnce(&mut Calls) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, service: &'static str) -> UnderWay {
        let id = self.change(|calls| {
            calls.next += 1;
            calls.under_way.insert(calls.next, (service, Instant::now()));
            calls.next
        });
        UnderWay { pending: self.clone(), id }
    }

    /// The services that have kept a call waiting for so long, by name.
    pub(super) fn late(&self, after: Duration) -> Vec<&'static str> {
        let mut late: Vec<&'static str> = self.change(|calls| {
            let late = calls.under_way.values().filter(|(_, since)| since.elapsed() >= after);
            late.map(|(service, _)| *service).collect()
        });
        late.sort_unstable();
        late.dedup();
        late
    }
}

/// A call, until its answer is there, or nobody waits for it any more.
#[derive(Debug)]
struct UnderWay {
    pending: Pending,
    id: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pending.change(|calls| calls.under_way.remove(&self.id));
    }
}

/// The service of a request, for people: its signature's scope names it. None for what isn't counted.
fn service(request: &HttpRequest) -> Option<&'static str> {
    if request.headers().get("x-amz-target") == Some(LONG_POLL) {
        return None;
    }
    let signature = request.headers().get("authorization")?;
    let scope = signature.split_once("Credential=")?.1.split(',').next()?;
    Some(match scope.rsplit('/').nth(1)? {
        "dynamodb" => "DynamoDB",
        "events" => "EventBridge",
        "lambda" => "Lambda",
        "monitoring" => "CloudWatch",
        "sqs" => "SQS",
        _ => return None,
    })
}

#[derive(Debug)]
struct Watched<T> {
    inner: T,
    pending: Pending,
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Watched {
            inner: self.inner.http_connector(settings, components),
            pending: self.pending.clone(),
        })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let under_way = service(&request).map(|service| self.pending.begin(service));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            drop(under_way);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20261126/eu-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=1";

    fn request(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        let mut request = HttpRequest::empty();
        for (name, value) in headers {
            request.headers_mut().insert(*name, *value);
        }
        request
    }

    #[test]
    fn a_request_is_of_the_service_that_it_is_signed_for() {
        assert_eq!(service(&request(&[("authorization", SIGNATURE)])), Some("DynamoDB"));
        let poll = request(&[("authorization", SIGNATURE), ("x-amz-target", LONG_POLL)]);
        assert_eq!(service(&poll), None);
        assert_eq!(service(&request(&[])), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_late_after_a_while_and_gone_when_nobody_waits() {
        let (pending, long) = (Pending::default(), Duration::from_secs(2));
        let (one, other) = (pending.begin("SQS"), pending.begin("DynamoDB"));
        assert_eq!(pending.late(long), Vec::<&str>::new());
        tokio::time::advance(long).await;
        let _third = pending.begin("Lambda");
        assert_eq!(pending.late(long), ["DynamoDB", "SQS"]);
        drop(one);
        assert_eq!(pending.late(long), ["DynamoDB"]);
        drop(other);
        assert_eq!(pending.late(long), Vec::<&str>::new());
    }
}
