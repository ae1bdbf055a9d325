//! Whose a letter is that doesn't say so: Lambda puts what a function gave up on after it was invoked into a queue without naming the
//! function, and several functions may share the queue.
//!
//! It is known from who failed, by the ledger; or from what was sent back and is awaited: that is believed before anything else, since it
//! comes back far more often than another function gives up on the same event just then. Of functions that keep no ledger it follows from
//! which of them can have given up: one that leaves its letters in this queue, that a rule invokes for such an event, and that isn't
//! known to have done it. Where two are left, nobody is guessed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::{Taken, UNKNOWN};
use crate::aws::arn::{function_of, is_function, name_of};
use crate::aws::error::{failed, is_for_good};
use crate::aws::events::DynamoEvents;
use crate::aws::ledger::{Account, DynamoLedger};
use crate::aws::letters::Kept;
use crate::aws::recent::Recent;
use crate::aws::rules::{BusRule, BusRules};
use crate::aws::{Connection, Names};
use crate::letter::arrival::{Shape, payload_of};
use crate::pattern::Pattern;
use crate::ports::{EventStore, StoreError};

/// The functions' name in errors.
const FUNCTIONS: &str = "Lambda";
/// The consumer whose work is seen in the event store, whoever it is.
const AUDIT: &str = "audit";
/// How old it may be whom rules invoke, and where those leave their letters.
const INVOKED_FOR: Duration = Duration::from_secs(60);
/// How many calls are made at once: Lambda and EventBridge answer few.
const AT_ONCE: usize = 4;

/// Where a function leaves what it gives up on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaves {
    /// In the queue of this name, if in any.
    In(Option<String>),
    /// It may not be asked.
    Somewhere,
}

/// A function that rules invoke.
#[derive(Clone, Debug)]
struct Invoked {
    /// `None` of one that is no consumer's.
    consumer: Option<String>,
    leaves: Leaves,
    /// Of its rules; `None` for one that can't be read.
    patterns: Vec<Option<Pattern>>,
}

impl Invoked {
    /// Whether it can have left something in the queue.
    fn leaves_in(&self, queue: &str) -> bool {
        match &self.leaves {
            Leaves::In(own) => own.as_deref() == Some(queue),
            Leaves::Somewhere => true,
        }
    }

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
    recent: Recent<Vec<Invoked>>,
    /// As it was read last: what holds while it can't be read.
    last: Mutex<Vec<Invoked>>,
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
            recent: Recent::new(INVOKED_FOR),
            last: Mutex::default(),
        }
    }

    /// A letter from `queue`, with whose it is, if that is known. `redriving` are the letters of its event that are. What would tell, and
    /// can't be asked, keeps no letter in its queue.
    pub(super) async fn named<'a>(&self, taken: &'a Taken, queue: &str, account: &Account, redriving: &[Kept]) -> Cow<'a, Kept> {
        let kept = &taken.kept;
        if kept.letter.consumer != UNKNOWN {
            return Cow::Borrowed(kept);
        }
        let consumer = match failing_or_awaited(kept, account, redriving) {
            Some(consumer) => Some(consumer.to_owned()),
            None if taken.shape == Shape::LambdaAsync => self.only_one(kept, queue, account).await,
            None => None,
        };
        consumer.map_or(Cow::Borrowed(kept), |consumer| {
            let mut named = kept.clone();
            named.letter.consumer = consumer;
            Cow::Owned(named)
        })
    }

    /// The only one who can have given up on it.
    async fn only_one(&self, kept: &Kept, queue: &str, account: &Account) -> Option<String> {
        let event_id = kept.letter.event_id.as_ref()?;
        let delivered = serde_json::from_str(&payload_of(&kept.body)).ok()?;
        let invoked = self.recent.get(|| async { Ok(self.invoked_or_last().await) }).await.ok()?;
        let mut able = able(&invoked, queue, &delivered, account);
        if able.contains(&Some(AUDIT)) && self.store.get(event_id).await.is_ok_and(|stored| stored.is_some()) {
            able.remove(&Some(AUDIT));
        }
        let only = able.pop_first()?;
        able.is_empty().then(|| only.map(ToOwned::to_owned))?
    }

    async fn invoked_or_last(&self) -> Vec<Invoked> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match self.all_invoked().await {
            Ok(invoked) => last().clone_from(&invoked),
            Err(error) => error.log("whose dead letters are in a queue that functions share may not be known"),
        }
        last().clone()
    }

    /// All functions that rules of the bus invoke.
    async fn all_invoked(&self) -> Result<Vec<Invoked>, StoreError> {
        let rules = self.rules.list().await?.into_iter();
        let with_targets: Vec<_> = rules.map(|rule| self.with_targets(rule).boxed()).collect();
        let rules: Vec<(BusRule, Vec<String>)> = stream::iter(with_targets).buffered(AT_ONCE).try_collect().await?;
        let arns: BTreeSet<&String> = rules.iter().flat_map(|(_, targets)| targets).collect();
        let functions = arns.into_iter().filter_map(|arn| Some((arn, function_of(arn)?)));
        let invoked: Vec<_> = functions
            .map(|(arn, function)| self.invoked(arn, function, &rules).boxed())
            .collect();
        stream::iter(invoked).buffered(AT_ONCE).try_collect().await
    }

    async fn with_targets(&self, rule: BusRule) -> Result<(BusRule, Vec<String>), StoreError> {
        let targets = self.rules.targets(&rule.name).await?;
        Ok((rule, targets))
    }

    async fn invoked(&self, arn: &String, function: &str, rules: &[(BusRule, Vec<String>)]) -> Result<Invoked, StoreError> {
        let own = self.names.consumers.iter().find(|consumer| is_function(arn, &consumer.function));
        let rules = rules.iter().filter(|(_, targets)| targets.contains(arn));
        Ok(Invoked {
            consumer: own.map(|consumer| consumer.name.clone()),
            patterns: rules.map(|(rule, _)| Pattern::parse(&rule.pattern).ok()).collect(),
            leaves: self.leaves(function).await?,
        })
    }

    /// Where a function, in its version, leaves what it gives up on.
    async fn leaves(&self, function: &str) -> Result<Leaves, StoreError> {
        match self.lambda.get_function_configuration().function_name(function).send().await {
            Ok(answer) => {
                let arn = answer.dead_letter_config.and_then(|config| config.target_arn);
                Ok(Leaves::In(arn.map(|arn| name_of(&arn).to_owned())))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(Leaves::In(None)),
            Err(error) => {
                let error = failed(FUNCTIONS, &format!("GetFunctionConfiguration of {function}"), &error);
                if is_for_good(&error) { Ok(Leaves::Somewhere) } else { Err(error) }
            }
        }
    }
}

/// Who can have left a letter of the event in `queue`, and isn't known to have completed it; whoever is no consumer counts as one.
fn able<'a>(invoked: &'a [Invoked], queue: &str, delivered: &Value, account: &Account) -> BTreeSet<Option<&'a str>> {
    let able = invoked.iter().filter(|one| one.leaves_in(queue) && one.takes(delivered));
    able.map(|one| one.consumer.as_deref())
        .filter(|consumer| !consumer.is_some_and(|consumer| account.done(consumer)))
        .collect()
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

    fn invoked(consumer: &str, queue: &str, types: &[&str]) -> Invoked {
        let pattern = json!({ "detail-type": types }).to_string();
        Invoked {
            consumer: Some(consumer.to_owned()),
            leaves: Leaves::In(Some(queue.to_owned())),
            patterns: vec![Pattern::parse(&pattern).ok()],
        }
    }

    #[test]
    fn only_who_leaves_letters_there_takes_the_event_and_has_not_done_it_can_have_given_up() {
        let mut all = vec![
            invoked("analytics", "shared", &["a.made", "b.made"]),
            invoked("categorization", "shared", &["b.made"]),
            invoked("notification", "elsewhere", &["a.made", "b.made"]),
        ];
        let mut account = Account::default();
        let of = |all: &[Invoked], queue: &str, kind: &str, account: &Account| {
            let delivered = json!({ "source": "s", "detail-type": kind, "detail": {} });
            let able = able(all, queue, &delivered, account);
            able.into_iter().map(|one| one.unwrap_or("somebody").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(&all, "shared", "a.made", &account), ["analytics"]);
        assert_eq!(of(&all, "shared", "b.made", &account), ["analytics", "categorization"]);
        assert_eq!(of(&all, "shared", "c.made", &account), [""; 0]);
        assert_eq!(of(&all, "another", "a.made", &account), [""; 0]);
        let done = Attempt {
            number: 1,
            at: Timestamp(1),
            duration_us: 1,
            error: None,
        };
        account.see("b.made", Timestamp(0), &[]);
        account.attempt("analytics", done, None);
        assert_eq!(of(&all, "shared", "b.made", &account), ["categorization"]);
        // A pattern that can't be read may be of anything.
        all[1].patterns = vec![None];
        assert_eq!(of(&all, "shared", "c.made", &account), ["categorization"]);
        // One that may not be asked may leave its letters anywhere; one that is no consumer may have given up as well.
        all[2].leaves = Leaves::Somewhere;
        assert_eq!(of(&all, "shared", "b.made", &account), ["categorization", "notification"]);
        all[2].consumer = None;
        assert_eq!(of(&all, "shared", "b.made", &account), ["somebody", "categorization"]);
    }
}
