//! Publishers that read the flags from the environment of their function, as the design's do: what they read, and writing it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::types::{Environment, LastUpdateStatus};
use futures::future::join_all;

use crate::aws::again::{TRIES, overtaken};
use crate::aws::error::failed;
use crate::aws::names::FlagFunctionName;
use crate::aws::recent::Recent;
use crate::aws::{Connection, Names};
use crate::flag::Flags;
use crate::ports::StoreError;

/// The functions' name in errors.
const STORE: &str = "Lambda";
/// The variable that has events published.
const PUBLISHING: &str = "ENABLE_EVENT_PUBLISHING";
/// The variable that has direct triggers run.
const DIRECT: &str = "ENABLE_DIRECT_TRIGGERS";
/// How old it may be what was found.
const FOUND_FOR: Duration = Duration::from_secs(10);
/// How long to wait for somebody else's update of the same function.
const PAUSE: Duration = Duration::from_millis(500);

/// What a function's environment says of the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) flags: Option<Flags>,
    pub(super) fault: Option<String>,
    pub(super) settling: bool,
}

/// A function's environment as it was read.
#[derive(Debug)]
struct Current {
    variables: HashMap<String, String>,
    revision: Option<String>,
    settling: bool,
    fault: Option<String>,
}

/// The functions, in the order of the configuration.
#[derive(Debug)]
pub(super) struct Environments {
    lambda: Client,
    pub(super) names: Vec<FlagFunctionName>,
    found: Recent<Vec<Found>>,
}

/// As the design reads a variable: what is not there is on, and nothing but `true` is on.
fn is_on(variables: &HashMap<String, String>, name: &str) -> bool {
    variables.get(name).is_none_or(|value| value.eq_ignore_ascii_case("true"))
}

fn flags(variables: &HashMap<String, String>) -> Flags {
    Flags {
        publishing: is_on(variables, PUBLISHING),
        direct: is_on(variables, DIRECT),
    }
}

/// The variables with the flags written among them; the others stay as they are.
fn merged(mut variables: HashMap<String, String>, flags: Flags) -> HashMap<String, String> {
    for (name, value) in [(PUBLISHING, flags.publishing), (DIRECT, flags.direct)] {
        variables.insert(name.to_owned(), value.to_string());
    }
    variables
}

/// What went wrong, where it is clear with what.
fn why(error: StoreError) -> String {
    match error {
        StoreError::Unavailable { reason, .. } => reason,
        error => error.to_string(),
    }
}

impl Environments {
    pub(super) fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            lambda: Client::new(&connection.sdk),
            names: names.flag_functions.clone(),
            found: Recent::new(FOUND_FOR),
        }
    }

    async fn current(&self, function: &str) -> Result<Current, StoreError> {
        let answer = self.lambda.get_function_configuration().function_name(function).send().await;
        let answer = answer.map_err(|e| failed(STORE, &format!("GetFunctionConfiguration of {function}"), &e))?;
        let (variables, error) = answer.environment.map(|there| (there.variables, there.error)).unwrap_or_default();
        // Without its key Lambda leaves the variables out: written back, they would be gone.
        if let Some(error) = error {
            return Err(StoreError::Unavailable {
                what: STORE,
                reason: format!(
                    "the environment of {function} can't be read: {}: {}",
                    error.error_code.as_deref().unwrap_or("unknown"),
                    error.message.as_deref().unwrap_or("no reason given")
                ),
            });
        }
        let fault = matches!(answer.last_update_status, Some(LastUpdateStatus::Failed)).then(|| {
            let why = answer.last_update_status_reason.as_deref().unwrap_or("no reason given");
            format!("the last update of {function} failed: {why}")
        });
        Ok(Current {
            variables: variables.unwrap_or_default(),
            revision: answer.revision_id,
            settling: matches!(answer.last_update_status, Some(LastUpdateStatus::InProgress)),
            fault,
        })
    }

    async fn look(&self, function: &str) -> Found {
        match self.current(function).await {
            Ok(current) => Found {
                flags: Some(flags(&current.variables)),
                fault: current.fault,
                settling: current.settling,
            },
            Err(error) => Found {
                flags: None,
                fault: Some(why(error)),
                settling: false,
            },
        }
    }

    /// What each of them reads, some seconds old at most.
    pub(super) async fn found(&self) -> Result<Arc<Vec<Found>>, StoreError> {
        let look = async || Ok(join_all(self.names.iter().map(|name| self.look(&name.function))).await);
        self.found.get(look).await
    }

    /// Has each of them read what is wanted of it, in their order. Of one that could not be written it says why.
    pub(super) async fn write(&self, wanted: &[Flags]) -> Vec<Found> {
        let written = join_all(self.names.iter().zip(wanted).map(async |(name, wanted)| {
            let written = self.write_one(&name.function, *wanted).await;
            let found = self.look(&name.function).await;
            match written {
                Ok(()) => found,
                Err(error) => Found {
                    fault: Some(why(error)),
                    ..found
                },
            }
        }))
        .await;
        self.found.forget().await;
        written
    }

    /// Reads, merges, writes, if nobody else has written in between: the call replaces the environment as a whole.
    async fn write_one(&self, function: &str, wanted: Flags) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let current = self.current(function).await?;
            if flags(&current.variables) == wanted {
                return Ok(());
            }
            let environment = Environment::builder()
                .set_variables(Some(merged(current.variables, wanted)))
                .build();
            let written = self
                .lambda
                .update_function_configuration()
                .function_name(function)
                .environment(environment)
                .set_revision_id(current.revision)
                .send()
                .await;
            match written {
                Ok(_) => return Ok(()),
                // Somebody else's revision, or their update that is still under way. An answer that was lost looks like the former.
                Err(error) if matches!(error.code(), Some("PreconditionFailedException" | "ResourceConflictException")) => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(failed(STORE, &format!("UpdateFunctionConfiguration of {function}"), &error)),
            }
        }
        Err(overtaken(STORE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_variable_is_read_as_the_design_reads_it() {
        for (value, on) in [
            (None, true),
            (Some("True"), true),
            (Some("false"), false),
            (Some("1"), false),
            (Some(""), false),
        ] {
            let variables = value.map(|value| (PUBLISHING.to_owned(), value.to_owned())).into_iter().collect();
            assert_eq!(flags(&variables).publishing, on, "{value:?}");
            assert!(flags(&variables).direct);
        }
    }

    proptest! {
        #[test]
        fn merging_keeps_every_other_variable(
            variables in prop::collection::hash_map("[A-Z_]{1,12}|ENABLE_DIRECT_TRIGGERS", ".{0,8}", 0..8),
            publishing: bool,
            direct: bool,
        ) {
            let wanted = Flags { publishing, direct };
            let after = merged(variables.clone(), wanted);
            prop_assert_eq!(flags(&after), wanted);
            for (name, value) in variables.iter().filter(|(name, _)| !matches!(name.as_str(), PUBLISHING | DIRECT)) {
                prop_assert_eq!(after.get(name), Some(value));
            }
        }
    }
}
