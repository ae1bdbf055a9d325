//! What a deployment's parts are called: each name derives from the prefix, and can be set on its own.

use super::schema::OWN_TABLES;
use crate::rule::CONSUMERS;

/// The names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The bus.
    pub event_bus: String,
    /// The table that the audit consumer writes.
    pub event_store_table: String,
    /// What the names of Cutover's own tables begin with.
    pub own_tables: String,
    /// The queue that what no consumer of its own has goes to.
    pub dead_letter_queue: String,
    /// The consumers, in the order pages show them.
    pub consumers: Vec<ConsumerNames>,
    /// Publishers that read the flags from the environment of their function.
    pub flag_functions: Vec<FlagFunctionName>,
    /// What the deployment's names begin with: a consumer with a queue of its own has the dead-letter queue `<prefix>-<consumer>-dlq`.
    pub prefix: String,
}

/// A publisher's function, and whose flags it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagFunctionName {
    /// The function.
    pub function: String,
    /// The scope: `global`, or the source of the publisher that it is.
    pub scope: String,
}

/// What one consumer's parts are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerNames {
    /// The consumer.
    pub name: String,
    /// Its Lambda function.
    pub function: String,
    /// The queue that feeds it, if there is one of this name; a rule may invoke the function directly.
    pub queue: String,
    /// The queue for what it gave up on, if there is one of this name.
    pub dead_letters: String,
}

impl ConsumerNames {
    /// Those of a consumer in a deployment with `prefix`.
    #[must_use]
    pub fn of(prefix: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            function: format!("{prefix}-{name}-consumer"),
            queue: format!("{prefix}-{name}"),
            dead_letters: format!("{prefix}-{name}-dlq"),
        }
    }
}

impl Names {
    /// Those of a deployment with `prefix`, for example `housef3-dev`.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self {
            event_bus: format!("{prefix}-events"),
            event_store_table: format!("{prefix}-event-store"),
            own_tables: format!("{prefix}-cutover"),
            dead_letter_queue: format!("{prefix}-event-dlq"),
            consumers: CONSUMERS.iter().map(|name| ConsumerNames::of(prefix, name)).collect(),
            flag_functions: Vec::new(),
            prefix: prefix.to_owned(),
        }
    }

    /// The dead-letter queues, each with the consumer whose letters it holds, if it is one's alone. Those that don't exist are
    /// passed over.
    #[must_use]
    pub fn dead_letter_queues(&self) -> Vec<(String, Option<String>)> {
        let own = self.consumers.iter().map(|c| (c.dead_letters.clone(), Some(c.name.clone())));
        std::iter::once((self.dead_letter_queue.clone(), None)).chain(own).collect()
    }

    /// The consumer whose rule this is: rules are called `<prefix>-<consumer>`, with more behind it or not.
    #[must_use]
    pub fn consumer_of_rule(&self, rule: &str) -> Option<&str> {
        let own = rule.strip_prefix(&self.prefix).map_or(rule, |name| name.trim_start_matches('-'));
        let of = |name: &str| own.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        self.consumers.iter().map(|c| c.name.as_str()).find(|name| of(name))
    }

    /// The consumer that a function is: its name without what is around it.
    #[must_use]
    pub fn consumer_of(&self, function: &str) -> String {
        if let Some(own) = self.consumers.iter().find(|c| c.function == function) {
            return own.name.clone();
        }
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
            event_bus: variable("CUTOVER_AWS__EVENT_BUS").unwrap_or(derived.event_bus),
            event_store_table: variable("CUTOVER_AWS__EVENT_STORE_TABLE").unwrap_or(derived.event_store_table),
            own_tables: variable("CUTOVER_AWS__OWN_TABLES").unwrap_or(derived.own_tables),
            dead_letter_queue: variable("CUTOVER_AWS__DEAD_LETTER_QUEUE").unwrap_or(derived.dead_letter_queue),
            ..Self::of(&prefix)
        })
    }

    /// The event store and every table of Cutover's own.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        let own = OWN_TABLES.iter().map(|schema| schema.name(self));
        std::iter::once(self.event_store_table.clone()).chain(own).collect()
    }

    /// The operations: key `id` (S), and indexes over `list` (S) and `createdAt` (N), and over `busy` (S) and `createdAt`.
    #[must_use]
    pub fn operations_table(&self) -> String {
        format!("{}-operations", self.own_tables)
    }

    /// Their items: key `operation` (S) and `n` (N), and an index over `letterId` (S) and `operation` (S).
    #[must_use]
    pub fn operation_items_table(&self) -> String {
        format!("{}-operation-items", self.own_tables)
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

    /// The ledger: key `eventId` (S), and an index over `open` (S) and `publishedMillis` (N) with all attributes.
    #[must_use]
    pub fn ledger_table(&self) -> String {
        format!("{}-ledger", self.own_tables)
    }

    /// The ledger's totals: key `shard` (S).
    #[must_use]
    pub fn totals_table(&self) -> String {
        format!("{}-totals", self.own_tables)
    }

    /// What both paths asked of analytics: `operationId` (S) and `path` (S), and an index over `eventType` (S) and `at` (N) with all
    /// attributes.
    #[must_use]
    pub fn triggers_table(&self) -> String {
        format!("{}-triggers", self.own_tables)
    }

    /// The notifications that were sent: key `eventId` (S).
    #[must_use]
    pub fn notifications_table(&self) -> String {
        format!("{}-notifications", self.own_tables)
    }

    /// The application's table of what is to be computed: `userId` (S) and `analyticType` (S).
    #[must_use]
    pub fn analytics_table(&self) -> String {
        format!("{}-analytics-status", self.prefix)
    }

    /// The application's transactions: `userId` (S) and `transactionId` (S).
    #[must_use]
    pub fn transactions_table(&self) -> String {
        format!("{}-transactions", self.prefix)
    }

    /// The application's category rules: `userId` (S) and `ruleId` (S).
    #[must_use]
    pub fn category_rules_table(&self) -> String {
        format!("{}-category-rules", self.prefix)
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
        assert_eq!(
            names.dead_letter_queues()[4],
            ("housef3-dev-audit-dlq".to_owned(), Some("audit".to_owned()))
        );
        for (rule, consumer) in [
            ("housef3-dev-analytics-events", Some("analytics")),
            ("housef3-dev-audit", Some("audit")),
            ("housef3-dev-auditing", None),
            ("somebody-elses", None),
        ] {
            assert_eq!(names.consumer_of_rule(rule), consumer);
        }
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
