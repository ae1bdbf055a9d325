//! The two flags that decide which path runs, and their history.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// The flags.
    pub flags: Flags,
    /// Counts the changes of this scope; 0 before the first.
    pub version: u64,
    /// When it was last changed.
    pub changed_at: Option<Timestamp>,
}

/// A wish to change flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagChange {
    /// `global`, or a publisher's source.
    #[serde(default = "global")]
    pub scope: String,
    /// Publish events?
    pub publishing: bool,
    /// Run direct triggers?
    pub direct: bool,
    /// Why; shown for ever.
    pub reason: String,
    /// The version that was looked at: the change is refused if it has moved.
    pub expected_version: u64,
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
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// What the criteria said at that moment, one `id=status` each.
    pub criteria: Vec<String>,
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
}
