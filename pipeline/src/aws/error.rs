//! What AWS answers, as errors of the ports.

use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::ports::StoreError;

/// As [`failed`], of a table of Cutover's own: where it isn't, the deployment doesn't offer what is in it.
pub(super) fn own_failed<E, R>(what: &'static str, call: &str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    if error.code() == Some("ResourceNotFoundException") {
        return StoreError::NotOffered {
            what: format!("{what}: `cutover aws init` makes it").into(),
        };
    }
    failed(what, call, error)
}

/// `call`, such as `Query of housef3-dev-event-store`, failed: with the service's own code and words, if it answered.
pub(super) fn failed<E, R>(what: &'static str, call: &str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let reason = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{call}: {code}: {message}"),
        (Some(code), None) => format!("{call}: {code}"),
        // No answer: what the layers below say, from the outside in.
        (None, _) => format!("{call}: {}", with_causes(error)),
    };
    StoreError::Unavailable { what, reason }
}

/// How the codes begin of what SQS and Lambda refuse, and will refuse however often it is tried: what isn't allowed, and what they don't
/// take.
const FOR_GOOD: [&str; 16] = [
    "AccessDenied",
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "InvalidRequestContent",
    "InvalidRuntime",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSNotFound",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsNotFound",
    "RequestEntityTooLarge",
    "RequestTooLarge",
    "UnsupportedMediaType",
    "UnsupportedOperation",
];

/// Whether trying again can't help, by the service's code as [`failed`] writes it down.
pub(super) fn is_for_good(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if says_for_good(reason))
}

/// The same of the reason alone: a code is one word between colons.
pub(super) fn says_for_good(reason: &str) -> bool {
    let mut codes = reason.split(": ").filter(|part| !part.contains(char::is_whitespace));
    codes.any(|code| FOR_GOOD.iter().any(|known| code.starts_with(known)))
}

/// An error and what caused it, from the outside in; what two layers say alike, once.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_helped_is_known_by_its_code() {
        for (reason, wanted) in [
            ("SendMessage to q: AccessDeniedException: not you", true),
            (
                "SendMessage to q: InvalidParameterValue: Message must be shorter than 262144 bytes.",
                true,
            ),
            ("Invoke of f: RequestTooLargeException: 1048577", true),
            ("Invoke of f: TooManyRequestsException: Rate exceeded", false),
            ("the bus is unavailable: PutEvents: AccessDeniedException: not you", true),
            ("SendMessage to q: ExpiredToken", false),
            ("SendMessage to q: dispatch failure: AccessDenied by a proxy", false),
        ] {
            assert_eq!(says_for_good(reason), wanted, "{reason}");
        }
    }
}
