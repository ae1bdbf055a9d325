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

/// Whether the service said that the call is not allowed, as [`failed`] writes it down.
pub(super) fn is_denied(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable { reason, .. } if reason.contains(": AccessDenied"))
}

/// An error and what caused it, from the outside in; what two layers say alike, once.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}
