//! What a browser may be told when something goes wrong.

use crate::wire::JsonText;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// A fault, in words for the person in front of the page. Causes stay in the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum AppError {
    /// There is no such thing.
    #[error("There is no {0}.")]
    NotFound(String),
    /// What was asked makes no sense.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which part of it.
        field: String,
        /// Why not.
        reason: String,
    },
    /// Someone else was faster.
    #[error("{0}")]
    Conflict(String),
    /// The actor may not do this.
    #[error("You may not {0}.")]
    Forbidden(String),
    /// The backend has no such thing.
    #[error("The backend that Cutover runs on does not offer {0} yet.")]
    NotOffered(String),
    /// A part of the system does not answer.
    #[error("{0} does not answer right now. What you see may be old; it is tried again by itself.")]
    Unavailable(String),
}

impl AppError {
    /// A short, stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Conflict(_) => "conflict",
            Self::Forbidden(_) => "forbidden",
            Self::NotOffered(_) => "not_offered",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::Invalid { .. } => 422,
            Self::Conflict(_) => 409,
            Self::Forbidden(_) => 403,
            Self::NotOffered(_) => 501,
            Self::Unavailable(_) => 503,
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => Self::Invalid {
                field: "request".to_owned(),
                reason: "could not be read".to_owned(),
            },
            _ => Self::Unavailable("The dashboard's server".to_owned()),
        }
    }
}

#[cfg(feature = "ssr")]
pub(crate) use ssr::offered;

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::event::InvalidField;
    use pipeline::ports::{FlagError, OperationError, StoreError};

    use super::AppError;

    impl From<InvalidField> for AppError {
        fn from(fault: InvalidField) -> Self {
            Self::Invalid {
                field: fault.field,
                reason: fault.reason,
            }
        }
    }

    impl From<StoreError> for AppError {
        fn from(error: StoreError) -> Self {
            match error {
                StoreError::Invalid(fault) => fault.into(),
                StoreError::NotOffered { what } => Self::NotOffered(what.to_owned()),
                StoreError::Unavailable { what, .. } | StoreError::Corrupt { what, .. } => {
                    tracing::error!(%error, "a store failed");
                    let mut letters = what.chars();
                    let first = letters.next().into_iter().flat_map(char::to_uppercase);
                    Self::Unavailable(first.chain(letters).collect())
                }
            }
        }
    }

    /// A part that the backend doesn't offer, or that doesn't answer, is a fault of that part, not of the page.
    pub(crate) fn offered<T>(result: Result<T, StoreError>) -> Result<Result<T, AppError>, AppError> {
        match result {
            Err(error @ (StoreError::NotOffered { .. } | StoreError::Unavailable { .. })) => Ok(Err(error.into())),
            other => Ok(Ok(other?)),
        }
    }

    impl From<FlagError> for AppError {
        fn from(error: FlagError) -> Self {
            match error {
                FlagError::Store(error) => error.into(),
                FlagError::Invalid(fault) => fault.into(),
                FlagError::BothOff => Self::Invalid {
                    field: "direct".to_owned(),
                    reason: error.to_string(),
                },
                FlagError::VersionMoved(_) => {
                    Self::Conflict(format!("{error}: someone changed them since you looked. Look again, then decide."))
                }
            }
        }
    }

    impl From<OperationError> for AppError {
        fn from(error: OperationError) -> Self {
            match error {
                OperationError::Store(error) => error.into(),
                OperationError::Invalid(fault) => fault.into(),
                OperationError::Unknown(id) => Self::NotFound(format!("operation {id}")),
                OperationError::Ended(_) => Self::Conflict(error.to_string()),
            }
        }
    }
}
