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
    #[error("What Cutover runs on does not offer {0}.")]
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

/// The parts of the system that don't answer, each once, as their errors name them: `the ledger`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unanswered(Vec<String>);

impl Unanswered {
    /// Whether all answer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Those of another reading too.
    pub fn join(&mut self, other: Self) {
        other.0.into_iter().for_each(|name| self.add(name));
    }

    fn add(&mut self, name: String) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// In a few words: the one, or how many.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self.0.as_slice() {
            [] => String::new(),
            [one] => format!("{one} can't be read"),
            all => format!("{} sources can't be read", all.len()),
        }
    }

    /// In a sentence, with what it means for a page.
    #[must_use]
    pub fn sentence(&self) -> String {
        let list = match self.0.as_slice() {
            [] => return String::new(),
            [one] => one.clone(),
            [all @ .., last] => format!("{} and {last}", all.join(", ")),
        };
        let mut letters = list.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        format!(
            "{first}{} can't be read right now. What rests on that is not known, or old; it is tried again by itself.",
            letters.as_str()
        )
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
    use pipeline::consumer::ConsumerStatus;
    use pipeline::event::InvalidField;
    use pipeline::ports::{ConsumerList, FlagError, OperationError, StoreError};

    use super::{AppError, Unanswered};

    impl Unanswered {
        /// What was read, if it was; a part that doesn't answer is noted, one that the backend doesn't offer is not.
        ///
        /// # Errors
        /// The question made no sense.
        pub fn known<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, AppError> {
            match result {
                Ok(value) => Ok(Some(value)),
                Err(StoreError::NotOffered { .. }) => Ok(None),
                Err(StoreError::Invalid(fault)) => Err(fault.into()),
                Err(error @ (StoreError::Unavailable { what, .. } | StoreError::Corrupt { what, .. })) => {
                    error.log("a store failed");
                    self.add(what.to_owned());
                    Ok(None)
                }
            }
        }

        /// Services that don't answer, by name.
        pub fn services(&mut self, names: Vec<&'static str>) {
            names.into_iter().for_each(|name| self.add(name.to_owned()));
        }

        /// The consumers as far as they are known; the sources that could not be read are noted.
        ///
        /// # Errors
        /// The question made no sense.
        pub fn consumers(&mut self, list: ConsumerList) -> Result<Vec<ConsumerStatus>, AppError> {
            for error in list.unread {
                self.known::<()>(Err(error))?;
            }
            Ok(list.items)
        }
    }

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
                StoreError::NotOffered { what } => Self::NotOffered(what.into_owned()),
                StoreError::Unavailable { what, .. } | StoreError::Corrupt { what, .. } => {
                    error.log("a store failed");
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

#[cfg(test)]
mod tests {
    use pipeline::ports::StoreError;

    use super::*;

    #[test]
    fn what_does_not_answer_is_said_once_and_by_name() {
        let mut all = Unanswered::default();
        let away = |what| StoreError::Unavailable {
            what,
            reason: "gone".to_owned(),
        };
        assert_eq!(all.known(Ok::<_, StoreError>(7)), Ok(Some(7)));
        assert_eq!(all.known::<u8>(Err(StoreError::NotOffered { what: "the moon".into() })), Ok(None));
        assert!(all.is_empty() && all.sentence().is_empty() && all.in_short().is_empty());
        for what in ["the ledger", "the ledger"] {
            assert_eq!(all.known::<u8>(Err(away(what))), Ok(None));
        }
        assert_eq!(all.in_short(), "the ledger can't be read");
        assert!(all.sentence().starts_with("The ledger can't be read"), "{}", all.sentence());
        let mut more = all.clone();
        all.known::<u8>(Err(away("the event store"))).expect("noted");
        more.join(all);
        assert_eq!(more.names(), ["the ledger", "the event store"]);
        assert_eq!(more.in_short(), "2 sources can't be read");
        assert!(
            more.sentence().starts_with("The ledger and the event store can't be read"),
            "{}",
            more.sentence()
        );
    }
}
