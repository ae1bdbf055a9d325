//! What a deployment's parts are called: each name derives from the prefix, and can be set on its own.

/// The names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The table that the audit consumer writes.
    pub event_store_table: String,
    /// What the names of Cutover's own tables begin with.
    pub own_tables: String,
    /// The queue that what no consumer of its own has goes to.
    pub dead_letter_queue: String,
    /// What the deployment's names begin with: a consumer with a queue of its own has the dead-letter queue `<prefix>-<consumer>-dlq`.
    pub prefix: String,
}

/// The consumers of the pipeline.
pub const CONSUMERS: [&str; 4] = ["analytics", "categorization", "notification", "audit"];

impl Names {
    /// Those of a deployment with `prefix`, for example `housef3-dev`.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self {
            event_store_table: format!("{prefix}-event-store"),
            own_tables: format!("{prefix}-cutover"),
            dead_letter_queue: format!("{prefix}-event-dlq"),
            prefix: prefix.to_owned(),
        }
    }

    /// The dead-letter queues, each with the consumer whose letters it holds, if it is one's alone. Those that don't exist are
    /// passed over.
    #[must_use]
    pub fn dead_letter_queues(&self) -> Vec<(String, Option<&'static str>)> {
        let own = CONSUMERS.map(|consumer| (format!("{}-{consumer}-dlq", self.prefix), Some(consumer)));
        std::iter::once((self.dead_letter_queue.clone(), None)).chain(own).collect()
    }

    /// The consumer that a function is: its name without what is around it.
    #[must_use]
    pub fn consumer_of(&self, function: &str) -> String {
        let name = function
            .strip_prefix(&self.prefix)
            .map_or(function, |name| name.trim_start_matches('-'));
        let name = name.strip_suffix("-consumer").unwrap_or(name);
        // A function of another deployment may feed the same queue.
        let known = CONSUMERS
            .into_iter()
            .find(|known| name.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('-')));
        known.unwrap_or(name).to_owned()
    }

    /// The table of the dead letters: key `id` (S), and an index over `status` (S) and `failedAt` (N) with all attributes.
    #[must_use]
    pub fn letters_table(&self) -> String {
        format!("{}-letters", self.own_tables)
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
            ..Self::of(&prefix)
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
        assert_eq!(names.dead_letter_queues()[0], ("housef3-dev-event-dlq".to_owned(), None));
        assert_eq!(names.dead_letter_queues()[4], ("housef3-dev-audit-dlq".to_owned(), Some("audit")));
        for (function, consumer) in [
            ("housef3-dev-analytics-consumer", "analytics"),
            ("housef3-dev-mailer", "mailer"),
            ("staging-audit-consumer", "audit"),
            ("someone-elses", "someone-elses"),
        ] {
            assert_eq!(names.consumer_of(function), consumer);
        }
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
