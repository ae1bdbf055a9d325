//! What the cutover page reads and does.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::criteria::Criterion;
use pipeline::flag::{FlagFunction, FlagRecord, FlagState, Stage};
use pipeline::parity::ParityReport;
use pipeline::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Unanswered};

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutoverView {
    /// The server's clock when this was read.
    pub now: Timestamp,
    /// The stage.
    pub stage: Stage,
    /// The verdict.
    pub verdict: (String, String),
    /// The six criteria.
    pub criteria: Vec<Criterion>,
    /// What didn't answer of that which the criteria rest on.
    pub unanswered: Unanswered,
    /// Whether the publishers that Cutover knows read the flags from it.
    pub followed: bool,
    /// Every scope's flags, the global one first.
    pub flags: Vec<FlagState>,
    /// Sources that have no flags of their own.
    pub sources: Vec<String>,
    /// The functions whose environment has them.
    pub functions: Vec<FlagFunction>,
    /// The newest changes.
    pub history: Vec<FlagRecord>,
    /// What both paths did over the range.
    pub parity: Result<ParityReport, AppError>,
}

/// Reads the page over `range`.
#[server(prefix = "/fn", endpoint = "cutover", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_cutover(range: String) -> Result<CutoverView, AppError> {
    use crate::context::{answer, desk};
    answer(async { CutoverView::shared(&desk(), range.parse()?).await }.await)
}

/// What a form says instead of a stage, to take a publisher's own flags back.
pub const AS_ALL: &str = "as all";

/// Changes the flags of a scope to those of a stage, or to those of all.
#[server(prefix = "/fn", endpoint = "flags", output = crate::wire::Wire)]
pub async fn set_flags(
    scope: String,
    stage: String,
    reason: String,
    expected_version: u64,
    #[server(default)] confirmed: bool,
) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    answer(ssr::set_from_form(&desk(), &actor(), scope, &stage, reason, expected_version, confirmed).await)
}

/// Writes the flags to the functions whose environment has others.
#[server(prefix = "/fn", endpoint = "flag-functions", output = crate::wire::Wire)]
pub async fn write_functions(reason: String, #[server(default)] confirmed: bool) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    answer(ssr::write_from_form(&desk(), &actor(), reason, confirmed).await)
}

#[cfg(feature = "ssr")]
pub use ssr::{set, write};

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::criteria;
    use pipeline::flag::{FlagChange, FlagFunction, FlagState, GLOBAL_SCOPE, Stage};
    use pipeline::ports::FlagError;
    use pipeline::time::Timestamp;

    use super::{AS_ALL, CutoverView};
    use crate::context::{Action, Actor, Desk};
    use crate::error::{AppError, offered};
    use crate::pages::overview::api::judged;
    use crate::ui::range::Range;

    impl CutoverView {
        /// Reads it, shared by all who ask the same within a second: comparing the paths takes a while.
        pub(super) async fn shared(desk: &Desk, range: Range) -> Result<Self, AppError> {
            desk.shared(range, Self::read(desk, range)).await
        }

        async fn read(desk: &Desk, range: Range) -> Result<Self, AppError> {
            let now = Timestamp::now();
            let ((stage, criteria, unanswered), flags) = (judged(desk, now).await?, desk.ports.flags.all().await?);
            let known: Vec<&str> = flags.iter().map(|f| f.scope.as_str()).collect();
            let sources = desk
                .ports
                .events
                .facets()
                .await?
                .sources
                .into_iter()
                .filter(|s| !known.contains(&s.as_str()))
                .collect();
            Ok(Self {
                now,
                followed: desk.ports.flags.followed(),
                stage,
                verdict: criteria::verdict(Some(stage), &criteria),
                criteria,
                sources,
                flags,
                functions: desk.ports.flags.functions().await?,
                history: desk.ports.flags.history(20).await?,
                unanswered,
                parity: offered(desk.ports.parity.report(range.span(now), None, now).await)?,
            })
        }
    }

    /// What became of the functions, in one sentence.
    fn carried(functions: &[FlagFunction]) -> String {
        let not: Vec<&FlagFunction> = functions.iter().filter(|f| f.found != Some(f.wanted)).collect();
        let names: Vec<&str> = not.iter().map(|f| f.function.as_str()).collect();
        match (functions.len(), names.as_slice()) {
            (0, _) => String::new(),
            (1, []) => " The function that reads them from its environment has them.".to_owned(),
            (all, []) => format!(" All {all} functions that read them from their environment have them."),
            (_, names) => format!(
                " Not written to the environment of {}: {}. See the functions below the flags.",
                names.join(", "),
                not[0]
                    .fault
                    .as_deref()
                    .unwrap_or("it was changed by somebody else at the same moment")
            ),
        }
    }

    /// Writes the flags to the functions whose environment has others, on the record.
    ///
    /// # Errors
    /// There are none, no reason, or the flags can't be read.
    pub async fn write(desk: &Desk, actor: &Actor, reason: String) -> Result<Vec<FlagFunction>, AppError> {
        if reason.trim().is_empty() {
            return Err(AppError::Invalid {
                field: "reason".to_owned(),
                reason: "is empty".to_owned(),
            });
        }
        let before = desk.ports.flags.functions().await?;
        if before.is_empty() {
            return Err(AppError::NotOffered(
                "flags in the environment of functions: none is configured".to_owned(),
            ));
        }
        let differing = before.iter().filter(|f| f.found != Some(f.wanted)).map(|f| f.function.as_str());
        let action = Action {
            name: "flags.write",
            target: differing.collect::<Vec<_>>().join(", "),
            summary: "The flags written to the environment of functions.".to_owned(),
            reason: Some(reason),
        };
        let write = desk.ports.flags.write_functions();
        desk.act_and_tell(actor, action, write, |after, action| action.summary.push_str(&carried(after)))
            .await
    }

    pub(super) async fn write_from_form(desk: &Desk, actor: &Actor, reason: String, confirmed: bool) -> Result<String, AppError> {
        if !confirmed {
            return Err(AppError::Invalid {
                field: "confirmed".to_owned(),
                reason: "tick the box to confirm".to_owned(),
            });
        }
        Ok(carried(&write(desk, actor, reason).await?).trim_start().to_owned())
    }

    /// Changes flags, on the record, with what the criteria say at this moment, and has the functions that read them from their
    /// environment do the same. What can't be written there doesn't undo the change: it is said, and shown as drift.
    ///
    /// # Errors
    /// Both off, the version moved, no reason, or the store doesn't answer.
    pub async fn set(desk: &Desk, actor: &Actor, change: &FlagChange) -> Result<(FlagState, Vec<FlagFunction>), AppError> {
        let (_, criteria, _) = judged(desk, Timestamp::now()).await?;
        let criteria: Vec<String> = criteria.iter().map(|c| format!("{}={}", c.id, c.status.word())).collect();
        let on = |flag| if flag { "on" } else { "off" };
        let action = Action {
            name: "flags.change",
            target: change.scope.clone(),
            summary: change.to.map_or_else(
                || format!("{}: as the global flags.", change.scope),
                |to| {
                    format!(
                        "{}: event publishing {}, direct triggers {}.",
                        change.scope,
                        on(to.publishing),
                        on(to.direct)
                    )
                },
            ),
            reason: Some(change.reason.clone()),
        };
        let set = async {
            let state = desk.ports.flags.set(change, &actor.name, &criteria).await?;
            let functions = desk.ports.flags.write_functions().await.unwrap_or_else(|error| {
                tracing::error!(%error, "the flags were changed, and not written to functions");
                Vec::new()
            });
            Ok::<_, FlagError>((state, functions))
        };
        desk.act_and_tell(actor, action, set, |(_, functions), action| {
            action.summary.push_str(&carried(functions))
        })
        .await
    }

    pub(super) async fn set_from_form(
        desk: &Desk,
        actor: &Actor,
        scope: String,
        stage: &str,
        reason: String,
        expected_version: u64,
        confirmed: bool,
    ) -> Result<String, AppError> {
        let invalid = |field: &str, reason: &str| AppError::Invalid {
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        let known = Stage::ALL.into_iter().find(|s| s.words() == stage);
        if known.is_none() && stage != AS_ALL {
            return Err(invalid(
                "stage",
                "must be direct only, shadow, events only, or as all; both off would leave analytics stale",
            ));
        }
        let to = known.map(Stage::flags);
        if !confirmed {
            return Err(invalid("confirmed", "tick the box to confirm"));
        }
        let now = desk.ports.flags.all().await?.into_iter().find(|state| state.scope == scope);
        if now.is_some_and(|state| (!state.inherited).then_some(state.flags) == to) {
            return Err(invalid("stage", "is what it is already; nothing is changed"));
        }
        let change = FlagChange {
            scope,
            to,
            reason,
            expected_version,
        };
        let (state, functions) = set(desk, actor, &change).await?;
        let whose = if state.scope == GLOBAL_SCOPE {
            "All publishers are".to_owned()
        } else {
            format!("{} is", state.scope)
        };
        let stage = state.flags.stage().map_or("neither", Stage::words);
        let how = if state.inherited {
            format!("“{AS_ALL}”, {stage}")
        } else {
            format!("“{stage}”")
        };
        Ok(format!("{whose} at {how} now, version {}.{}", state.version, carried(&functions)))
    }
}
