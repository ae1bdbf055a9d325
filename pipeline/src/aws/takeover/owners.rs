//! Whose a letter is that doesn't say so: Lambda puts what a function gave up on after it was invoked into a queue without naming the
//! function, and several functions may share the queue.
//!
//! It is known from who failed, by the ledger; or from what was sent back and is awaited; or, of functions that keep no ledger, from which of
//! them can have given up on it: one that leaves its letters in this queue, that a rule invokes for such an event, and that isn't known
//! to have done it. Where two are left, nobody is guessed.

use std::borrow::Cow;
use std::time::Duration;

use futures::future::{try_join, try_join_all};
use serde_json::Value;

use super::UNKNOWN;
use crate::aws::arn::{is_function, name_of};
use crate::aws::error::{failed, is_for_good};
use crate::aws::events::DynamoEvents;
use crate::aws::ledger::{Account, DynamoLedger};
use crate::aws::letters::Kept;
use crate::aws::names::ConsumerNames;
use crate::aws::recent::Recent;
use crate::aws::rules::{BusRule, BusRules};
use crate::aws::{Connection, Names};
use crate::letter::arrival::payload_of;
use crate::pattern::Pattern;
use crate::ports::{EventStore, StoreError};

/// The functions' name in errors.
const FUNCTIONS: &str = "Lambda";
/// The consumer whose work is seen in the event store, whoever it is.
const AUDIT: &str = "audit";
/// How old it may be where functions leave their letters.
const LEAVING_FOR: Duration = Duration::from_secs(60);

/// A consumer whose function a rule invokes, and that leaves what it gives up on in a queue.
#[derive(Clone, Debug)]
struct Leaving {
    consumer: String,
    /// The queue's name.
    queue: String,
    /// Of its rules; `None` for one that can't be read.
    patterns: Vec<Option<Pattern>>,
}

impl Leaving {
    /// Whether it can have been invoked for the event, as EventBridge delivered it.
    fn takes(&self, delivered: &Value) -> bool {
        let takes = |pattern: &Option<Pattern>| pattern.as_ref().is_none_or(|pattern| pattern.matches_value(delivered));
        self.patterns.iter().any(takes)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Owners {
    lambda: aws_sdk_lambda::Client,
    rules: BusRules,
    names: Names,
    store: DynamoEvents,
    leaving: Recent<Vec<Leaving>>,
}

impl Owners {
    /// Nothing is called yet.
    pub(super) fn new(connection: &Connection, names: &Names, ledger: DynamoLedger) -> Self {
        let rules = BusRules::new(connection, names);
        Self {
            lambda: aws_sdk_lambda::Client::new(&connection.sdk),
            store: DynamoEvents::new(aws_sdk_dynamodb::Client::new(&connection.sdk), names, ledger, rules.clone()),
            rules,
            names: names.clone(),
            leaving: Recent::new(LEAVING_FOR),
        }
    }

    /// A letter from `queue`, with whose it is, if that is known. `redriving` are the letters of its event that are.
    ///
    /// # Errors
    /// A service that would tell doesn't answer now. One that may not be asked tells nothing.
    pub(super) async fn named<'a>(
        &self,
        kept: &'a Kept,
        queue: &str,
        account: &Account,
        redriving: &[Kept],
    ) -> Result<Cow<'a, Kept>, StoreError> {
        if kept.letter.consumer != UNKNOWN {
            return Ok(Cow::Borrowed(kept));
        }
        let consumer = match failing_or_awaited(kept, account, redriving) {
            Some(consumer) => Some(consumer.to_owned()),
            None => self.only_one(kept, queue, account).await?,
        };
        Ok(consumer.map_or(Cow::Borrowed(kept), |consumer| {
            let mut named = kept.clone();
            named.letter.consumer = consumer;
            Cow::Owned(named)
        }))
    }

    /// The only one who can have given up on it.
    async fn only_one(&self, kept: &Kept, queue: &str, account: &Account) -> Result<Option<String>, StoreError> {
        let (Some(event_id), Ok(delivered)) = (&kept.letter.event_id, serde_json::from_str(&payload_of(&kept.body))) else {
            return Ok(None);
        };
        let leaving = match self.leaving.get(|| self.leaving()).await {
            Ok(leaving) => leaving,
            Err(error) if is_for_good(&error) => {
                error.log("whose dead letters are in a queue that functions share isn't known");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut able = able(&leaving, queue, &delivered, account);
        if able.len() > 1 && able.contains(&AUDIT) && self.store.get(event_id).await?.is_some() {
            able.retain(|consumer| *consumer != AUDIT);
        }
        Ok(match able.as_slice() {
            [one] => Some((*one).to_owned()),
            _ => None,
        })
    }

    /// All who leave letters anywhere.
    async fn leaving(&self) -> Result<Vec<Leaving>, StoreError> {
        let (queues, rules) = try_join(
            try_join_all(self.names.consumers.iter().map(|consumer| self.leaves_in(consumer))),
            self.rules_with_targets(),
        )
        .await?;
        let all = self.names.consumers.iter().zip(queues).filter_map(|(consumer, queue)| {
            let invokes = |targets: &[String]| targets.iter().any(|arn| is_function(arn, &consumer.function));
            let own = rules.iter().filter(|(_, targets)| invokes(targets));
            Some(Leaving {
                consumer: consumer.name.clone(),
                queue: queue?,
                patterns: own.map(|(rule, _)| Pattern::parse(&rule.pattern).ok()).collect(),
            })
        });
        Ok(all.collect())
    }

    /// The queue that a function leaves letters in.
    async fn leaves_in(&self, consumer: &ConsumerNames) -> Result<Option<String>, StoreError> {
        let function = &consumer.function;
        match self.lambda.get_function_configuration().function_name(function).send().await {
            Ok(answer) => {
                let arn = answer.dead_letter_config.and_then(|config| config.target_arn);
                Ok(arn.map(|arn| name_of(&arn).to_owned()))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(failed(FUNCTIONS, &format!("GetFunctionConfiguration of {function}"), &error)),
        }
    }

    async fn rules_with_targets(&self) -> Result<Vec<(BusRule, Vec<String>)>, StoreError> {
        let rules = self.rules.list().await?;
        try_join_all(rules.into_iter().map(async |rule| {
            let targets = self.rules.targets(&rule.name).await?;
            Ok((rule, targets))
        }))
        .await
    }
}

/// The consumers that leave letters in `queue`, can have been invoked for the event, and aren't known to have completed it.
fn able<'a>(leaving: &'a [Leaving], queue: &str, delivered: &Value, account: &Account) -> Vec<&'a str> {
    let able = leaving
        .iter()
        .filter(|one| one.queue == queue && one.takes(delivered) && !account.done(&one.consumer));
    able.map(|one| one.consumer.as_str()).collect()
}

/// Whose it is, by who failed, or by what is awaited.
fn failing_or_awaited<'a>(kept: &Kept, account: &'a Account, redriving: &'a [Kept]) -> Option<&'a str> {
    let failing: Vec<(&str, &str)> = account.failing().collect();
    // What it says of itself tells several apart; if not even that, any of them has a letter coming.
    let says = |error: &str| error.contains(&kept.letter.error_message) || kept.letter.error_message.contains(error);
    let of_error = failing.iter().find(|(_, error)| says(error));
    let of_nobody = || failing.iter().find(|(consumer, _)| account.letter(consumer).is_none());
    let sent = || match redriving {
        [one] if one.letter.id != kept.letter.id => Some(one.letter.consumer.as_str()),
        _ => None,
    };
    of_error.or_else(of_nobody).map(|(consumer, _)| *consumer).or_else(sent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::Attempt;
    use crate::time::Timestamp;

    fn leaving(consumer: &str, queue: &str, types: &[&str]) -> Leaving {
        let pattern = json!({ "detail-type": types }).to_string();
        Leaving {
            consumer: consumer.to_owned(),
            queue: queue.to_owned(),
            patterns: vec![Pattern::parse(&pattern).ok()],
        }
    }

    #[test]
    fn only_who_leaves_letters_there_takes_the_event_and_has_not_done_it_can_have_given_up() {
        let mut all = vec![
            leaving("analytics", "shared", &["a.made", "b.made"]),
            leaving("categorization", "shared", &["b.made"]),
            leaving("notification", "elsewhere", &["a.made", "b.made"]),
        ];
        let of = |kind: &str| json!({ "source": "s", "detail-type": kind, "detail": {} });
        let mut account = Account::default();
        assert_eq!(able(&all, "shared", &of("a.made"), &account), ["analytics"]);
        assert_eq!(able(&all, "shared", &of("b.made"), &account), ["analytics", "categorization"]);
        assert!(able(&all, "shared", &of("c.made"), &account).is_empty());
        assert!(able(&all, "another", &of("a.made"), &account).is_empty());
        let done = Attempt {
            number: 1,
            at: Timestamp(1),
            duration_us: 1,
            error: None,
        };
        account.see("b.made", Timestamp(0), &[]);
        account.attempt("analytics", done, None);
        assert_eq!(able(&all, "shared", &of("b.made"), &account), ["categorization"]);
        // A pattern that can't be read may be of anything; a function without a rule is invoked for nothing.
        all[1].patterns = vec![None];
        assert_eq!(able(&all, "shared", &of("c.made"), &account), ["categorization"]);
        all[1].patterns.clear();
        assert!(able(&all, "shared", &of("c.made"), &account).is_empty());
    }
}
