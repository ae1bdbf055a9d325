//! What a deployment's parts are called: each name derives from the prefix, and can be set on its own.

/// The names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The table that the audit consumer writes.
    pub event_store_table: String,
    /// What the names of Cutover's own tables begin with.
    pub own_tables: String,
}

impl Names {
    /// Those of a deployment with `prefix`, for example `housef3-dev`.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self {
            event_store_table: format!("{prefix}-event-store"),
            own_tables: format!("{prefix}-cutover"),
        }
    }

    /// Those that the environment of a function says: `CUTOVER_AWS__PREFIX`, and a variable for each name that differs.
    ///
    /// # Errors
    /// The prefix is missing.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, &'static str> {
        let prefix = variable("CUTOVER_AWS__PREFIX").ok_or("CUTOVER_AWS__PREFIX is missing: what the deployment's names begin with")?;
        let derived = Self::of(&prefix);
        Ok(Self {
            event_store_table: variable("CUTOVER_AWS__EVENT_STORE_TABLE").unwrap_or(derived.event_store_table),
            own_tables: variable("CUTOVER_AWS__OWN_TABLES").unwrap_or(derived.own_tables),
        })
    }

    /// The table of what people did: `log` (S), always the same, and the entry's number `id` (N).
    #[must_use]
    pub fn activity_table(&self) -> String {
        format!("{}-activity", self.own_tables)
    }

    /// The table of the flags: `kind` (S), `state` or `change`, and `key` (S), the scope or when.
    #[must_use]
    pub fn flags_table(&self) -> String {
        format!("{}-flags", self.own_tables)
    }

    /// The table of the types and sources that were seen: `kind` (S) and `value` (S).
    #[must_use]
    pub fn facets_table(&self) -> String {
        format!("{}-facets", self.own_tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_derive_from_the_prefix() {
        let names = Names::of("housef3-dev");
        assert_eq!(names.event_store_table, "housef3-dev-event-store");
        assert_eq!(names.facets_table(), "housef3-dev-cutover-facets");
    }

    #[test]
    fn the_environment_sets_each_name() {
        let variables = |name: &str| match name {
            "CUTOVER_AWS__PREFIX" => Some("p".to_owned()),
            "CUTOVER_AWS__OWN_TABLES" => Some("mine".to_owned()),
            _ => None,
        };
        let names = Names::from_environment(variables).expect("names");
        assert_eq!(
            (names.event_store_table.as_str(), names.own_tables.as_str()),
            ("p-event-store", "mine")
        );
        assert!(Names::from_environment(|_| None).is_err());
    }
}
