//! The two flags that decide which path runs, and their history.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::InvalidField;
use crate::time::Timestamp;

/// The scope of the flags that apply where no publisher has its own.
pub const GLOBAL_SCOPE: &str = "global";

/// The two flags of one scope: `ENABLE_EVENT_PUBLISHING` and `ENABLE_DIRECT_TRIGGERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flags {
    /// Events are published.
    pub publishing: bool,
    /// Direct triggers run.
    pub direct: bool,
}

impl Default for Flags {
    /// Both on, as in the design.
    fn default() -> Self {
        Self {
            publishing: true,
            direct: true,
        }
    }
}

impl Flags {
    /// The stage these flags stand for; `None` when both are off, which is never allowed: analytics would go stale.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match (self.publishing, self.direct) {
            (false, true) => Some(Stage::DirectOnly),
            (true, true) => Some(Stage::Shadow),
            (true, false) => Some(Stage::EventsOnly),
            (false, false) => None,
        }
    }
}

/// A stage of the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Stage {
    /// Only direct calls: the start, and where a rollback leads.
    DirectOnly,
    /// Both paths run and are compared.
    Shadow,
    /// Only events: the target.
    EventsOnly,
}

impl Stage {
    /// In the order of the migration.
    pub const ALL: [Self; 3] = [Self::DirectOnly, Self::Shadow, Self::EventsOnly];

    /// The flags of this stage.
    #[must_use]
    pub const fn flags(self) -> Flags {
        match self {
            Self::DirectOnly => Flags {
                publishing: false,
                direct: true,
            },
            Self::Shadow => Flags {
                publishing: true,
                direct: true,
            },
            Self::EventsOnly => Flags {
                publishing: true,
                direct: false,
            },
        }
    }

    /// The words shown to people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::DirectOnly => "direct only",
            Self::Shadow => "shadow",
            Self::EventsOnly => "events only",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// One scope's flags as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagState {
    /// `global`, or a publisher's source.
    pub scope: String,
    /// The flags that apply to it.
    pub flags: Flags,
    /// It has none of its own: they are the global ones. Never so of the global scope.
    pub inherited: bool,
    /// Counts the changes of this scope; 0 before the first.
    pub version: u64,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

/// A change to be made to a scope's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// `global`, or a publisher's source.
    pub scope: String,
    /// Its flags from now on; `None` for those of the global scope, whatever they come to be.
    pub to: Option<Flags>,
    /// Why; shown for ever.
    pub reason: String,
    /// The version that was looked at: the change is refused if it has moved.
    pub expected_version: u64,
}

/// A [`FlagChange`] as it is written: with `publishing` and `direct`, or with `inherit`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagWish {
    /// `global`, or a publisher's source.
    #[serde(default = "global")]
    pub scope: String,
    /// Publish events?
    pub publishing: Option<bool>,
    /// Run direct triggers?
    pub direct: Option<bool>,
    /// Take back the publisher's own flags, so that the global ones apply to it? Then neither of the two above is given.
    #[serde(default)]
    pub inherit: bool,
    /// Why; shown for ever.
    pub reason: String,
    /// The version that was looked at: the change is refused if it has moved.
    pub expected_version: u64,
}

impl TryFrom<FlagWish> for FlagChange {
    type Error = InvalidField;

    /// # Errors
    /// One of the flags is missing, or given beside `inherit`.
    fn try_from(wish: FlagWish) -> Result<Self, InvalidField> {
        let to = if wish.inherit {
            for (field, given) in [("publishing", wish.publishing), ("direct", wish.direct)] {
                if given.is_some() {
                    return Err(InvalidField::new(field, "can't be given with inherit: the global flags apply then"));
                }
            }
            None
        } else {
            let missing = |field| InvalidField::new(field, "is missing: say true or false, or inherit instead of both flags");
            Some(Flags {
                publishing: wish.publishing.ok_or_else(|| missing("publishing"))?,
                direct: wish.direct.ok_or_else(|| missing("direct"))?,
            })
        };
        Ok(Self {
            scope: wish.scope,
            to,
            reason: wish.reason,
            expected_version: wish.expected_version,
        })
    }
}

fn global() -> String {
    GLOBAL_SCOPE.to_owned()
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagRecord {
    /// The scope.
    pub scope: String,
    /// The version it made.
    pub version: u64,
    /// Before.
    pub from: Flags,
    /// After.
    pub to: Flags,
    /// After it the scope had no flags of its own any more: `to` are the global ones of that moment.
    pub inherited: bool,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What the criteria said at that moment, one `id=status` each.
    pub criteria: Vec<String>,
}

/// A function of a publisher that reads its flags from its environment, as it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagFunction {
    /// Its name.
    pub function: String,
    /// The scope whose flags it should have.
    pub scope: String,
    /// Those flags.
    pub wanted: Flags,
    /// What its environment says; `None` if that can't be read.
    pub found: Option<Flags>,
    /// Why it can't be read or was not written, if so.
    pub fault: Option<String>,
    /// What was written last is on its way to the instances that run.
    pub settling: bool,
}

impl FlagFunction {
    /// Whether it is known to do something else than Cutover says.
    #[must_use]
    pub fn drifted(&self) -> bool {
        self.found.is_some_and(|found| found != self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_the_four_states_are_stages() {
        for stage in Stage::ALL {
            assert_eq!(stage.flags().stage(), Some(stage));
        }
        assert_eq!(
            Flags {
                publishing: false,
                direct: false
            }
            .stage(),
            None
        );
        assert_eq!(Flags::default().stage(), Some(Stage::Shadow));
    }

    #[test]
    fn a_wish_says_both_flags_or_inherit() {
        let read = |text: &str| FlagChange::try_from(serde_json::from_str::<FlagWish>(text).expect("a wish"));
        let rest = r#""reason": "r", "expected_version": 3"#;
        let both = read(&format!(r#"{{"publishing": true, "direct": false, {rest}}}"#)).expect("a change");
        assert_eq!((both.scope.as_str(), both.to), (GLOBAL_SCOPE, Some(Stage::EventsOnly.flags())));
        let back = read(&format!(r#"{{"scope": "file.service", "inherit": true, {rest}}}"#)).expect("a change");
        assert_eq!((back.scope.as_str(), back.to, back.expected_version), ("file.service", None, 3));
        for (text, field) in [
            (r#""direct": true"#, "publishing"),
            (r#""publishing": true"#, "direct"),
            (r#""publishing": true, "inherit": true"#, "publishing"),
            (r#""direct": false, "inherit": true"#, "direct"),
        ] {
            assert_eq!(
                read(&format!("{{{text}, {rest}}}")).map_err(|fault| fault.field),
                Err(field.to_owned()),
                "{text}"
            );
        }
    }
}
