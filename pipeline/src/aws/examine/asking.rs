//! What a call that failed means: each failure is a finding of its own, named by the call.

use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::aws::attribute::Item;
use crate::aws::error::failed;
use crate::aws::metrics::unpaid;
use crate::aws::record::{number, text};
use crate::aws::schema::{Attribute, Key};
use crate::finding::Finding;
use crate::finding::Severity::{Error, Warning};
use crate::ports::StoreError;

/// A call: its service and name, as IAM writes them, what it is of, and what doesn't work without it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) action: &'a str,
    pub(super) of: &'a str,
    pub(super) breaks: &'a str,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Denied,
    Credentials,
    Throttled,
    /// It answered, and not as the service does.
    Foreign,
    Silent,
    /// It was not made: there is no money left for it today.
    Unpaid,
    Other,
}

fn refusal(code: Option<&str>, answered: bool) -> Refusal {
    match code {
        Some("AccessDeniedException" | "AccessDenied" | "AuthorizationError" | "UnauthorizedOperation" | "NotAuthorized") => {
            Refusal::Denied
        }
        Some(
            "ExpiredToken"
            | "ExpiredTokenException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "RequestExpired"
            | "InvalidAccessKeyId",
        ) => Refusal::Credentials,
        Some(code)
            if ["Throttl", "TooManyRequests", "LimitExceeded", "ThroughputExceeded"]
                .iter()
                .any(|part| code.contains(part)) =>
        {
            Refusal::Throttled
        }
        Some("UnknownOperationException" | "UnknownOperation" | "InvalidAction") => Refusal::Foreign,
        Some(_) => Refusal::Other,
        None if answered => Refusal::Foreign,
        None => Refusal::Silent,
    }
}

/// The same of an error, which may be that it was not made.
pub(super) fn refused<E, R>(error: &SdkError<E, R>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: Debug + 'static,
{
    if unpaid(error).is_some() {
        return Refusal::Unpaid;
    }
    refusal(
        error.code(),
        matches!(error, SdkError::ServiceError(_) | SdkError::ResponseError(_)),
    )
}

/// What nothing is called.
pub(super) const NOBODYS: &str = "cutover-check";

/// The key of an item that was never there.
pub(super) fn nobodys(key: &Key) -> Item {
    let of = |attribute: Attribute| {
        let value = if attribute.is_number { number(-1) } else { text(NOBODYS) };
        (attribute.name.to_owned(), value)
    };
    std::iter::once(key.partition).chain(key.sort).map(of).collect()
}

/// The finding, if a call was denied, or there was no money to try it. That one that is only tried fails is meant; and where its object
/// isn't there, another finding says so.
pub(super) fn denial<T, E, R>(call: Call<'_>, answer: Result<T, SdkError<E, R>>) -> Option<Finding>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let told = |error: &SdkError<E, R>| matches!(refused(error), Refusal::Denied | Refusal::Unpaid);
    answer.err().filter(told).map(|error| call.failed(&error))
}

impl Call<'_> {
    /// What is wrong when it fails so, if that is wrong with every call: nothing answers, or something else, or the credentials are no good.
    pub(super) fn unreachable<E, R>(&self, error: &SdkError<E, R>) -> Option<Finding>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: Debug + Send + Sync + 'static,
    {
        let about_all = [Refusal::Credentials, Refusal::Foreign, Refusal::Silent];
        about_all.contains(&refused(error)).then(|| self.failed(error))
    }

    /// What is wrong when it fails so.
    pub(super) fn failed<E, R>(&self, error: &SdkError<E, R>) -> Finding
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: Debug + Send + Sync + 'static,
    {
        let Self { action, of, breaks } = self;
        // What was not made never failed: why is said without the SDK's words around it.
        let evidence = match (unpaid(error), failed("it", action, error)) {
            (Some(why), _) => why.to_string(),
            (None, StoreError::Unavailable { reason, .. }) => reason,
            (None, other) => other.to_string(),
        };
        let (severity, kind, what, remedy) = match refused(error) {
            Refusal::Denied => (
                Error,
                "permission",
                format!("The dashboard may not call {action}: {breaks}."),
                format!("Allow {action} on {of} in the policy of the dashboard's role; deploy/cutover.yaml has one that is complete."),
            ),
            Refusal::Credentials => (
                Error,
                "credentials",
                format!("AWS doesn't accept the dashboard's credentials: {breaks}."),
                "Renew them, and see that the clock of this machine is right: signatures are good for five minutes.".to_owned(),
            ),
            Refusal::Throttled => (
                Warning,
                "throttled",
                format!("The account asks for too much at once: {breaks} now."),
                format!("Wait. If it stays so, ask AWS for a higher limit on {action}."),
            ),
            Refusal::Foreign => (
                Error,
                "foreign",
                format!("What answers is not the service that {action} belongs to: {breaks}."),
                "See aws.endpoint and the proxies between: something else is there.".to_owned(),
            ),
            Refusal::Silent => (
                Error,
                "silent",
                format!("Nothing answers {action}: {breaks}."),
                "See aws.region and aws.endpoint in the configuration, and the network between.".to_owned(),
            ),
            Refusal::Unpaid => (
                Warning,
                "unpaid",
                format!("{action} was not tried: what CloudWatch may cost today is spent."),
                "Raise aws.metrics.dollars_a_day, if it happens often; the day ends at midnight UTC.".to_owned(),
            ),
            Refusal::Other => (
                Error,
                "refused",
                format!("{action} fails: {breaks}."),
                "See what the answer says.".to_owned(),
            ),
        };
        Finding::new(
            severity,
            &format!("call.{kind}"),
            format!("{action} of {of}"),
            what,
            evidence,
            remedy,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_code() {
        for (code, answered, wanted) in [
            (Some("AccessDeniedException"), true, Refusal::Denied),
            (Some("ExpiredTokenException"), true, Refusal::Credentials),
            (Some("ProvisionedThroughputExceededException"), true, Refusal::Throttled),
            (Some("ResourceInUseException"), true, Refusal::Other),
            (Some("ThrottlingException"), true, Refusal::Throttled),
            (Some("TooManyRequestsException"), true, Refusal::Throttled),
            (Some("UnknownOperationException"), true, Refusal::Foreign),
            (None, true, Refusal::Foreign),
            (None, false, Refusal::Silent),
        ] {
            assert_eq!(refusal(code, answered), wanted, "{code:?}");
        }
    }
}
