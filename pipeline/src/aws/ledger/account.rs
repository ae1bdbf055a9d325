//! What became of one event: pure, so that it can be said of any order in which things are heard of.

use serde::{Deserialize, Serialize};

use crate::ledger::{Attempt, Delivery, DeliveryState, LedgerEntry};
use crate::time::Timestamp;

/// The consumer whose completion means that the event is in the store.
const AUDIT: &str = "audit";
/// How many attempts of one delivery are told, the newest.
const ATTEMPTS: usize = 20;

/// One consumer's delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    consumer: String,
    state: DeliveryState,
    attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<Timestamp>,
    /// Its dead letter, if there ever was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letter: Option<String>,
}

/// An event's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::aws) struct Account {
    event_type: String,
    /// When the bus took it; `None` while it is known only as the cause of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published_at: Option<Timestamp>,
    /// Tells a repetition from another event with its id, where the publisher wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// In the rules' order.
    deliveries: Vec<Part>,
    /// Events in the store that name it as their cause, counted while it has not been seen itself.
    #[serde(default)]
    wanted: u64,
}

/// What an account adds to the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::aws) struct Tally {
    pub(in crate::aws) published: i64,
    /// All deliveries completed.
    pub(in crate::aws) completed: i64,
    /// Some given up, none open.
    pub(in crate::aws) dead_lettered: i64,
    /// In the event store.
    pub(in crate::aws) stored: i64,
    /// Given up by whoever stores events.
    pub(in crate::aws) not_stored: i64,
    /// Events whose cause this is, while it was never seen.
    pub(in crate::aws) orphaned: i64,
}

impl Tally {
    /// Names and numbers, in the order of the fields.
    pub(in crate::aws) const fn fields(&self) -> [(&'static str, i64); 6] {
        [
            ("published", self.published),
            ("completed", self.completed),
            ("deadLettered", self.dead_lettered),
            ("stored", self.stored),
            ("notStored", self.not_stored),
            ("orphaned", self.orphaned),
        ]
    }

    pub(in crate::aws) const fn plus(self, other: Self) -> Self {
        Self {
            published: self.published + other.published,
            completed: self.completed + other.completed,
            dead_lettered: self.dead_lettered + other.dead_lettered,
            stored: self.stored + other.stored,
            not_stored: self.not_stored + other.not_stored,
            orphaned: self.orphaned + other.orphaned,
        }
    }

    pub(in crate::aws) const fn minus(self, other: Self) -> Self {
        Self {
            published: self.published - other.published,
            completed: self.completed - other.completed,
            dead_lettered: self.dead_lettered - other.dead_lettered,
            stored: self.stored - other.stored,
            not_stored: self.not_stored - other.not_stored,
            orphaned: self.orphaned - other.orphaned,
        }
    }
}

impl Account {
    /// Notes that the bus took the event, and who is to have it. Whoever says it first is believed.
    pub(in crate::aws) fn see(&mut self, event_type: &str, published_at: Timestamp, expected: &[&str]) {
        if self.published_at.is_some() {
            return;
        }
        event_type.clone_into(&mut self.event_type);
        self.published_at = Some(published_at);
        self.wanted = 0;
        for consumer in expected {
            self.part(consumer);
        }
    }

    /// Notes that the bus did not take it after all.
    pub(in crate::aws) fn retract(&mut self) {
        *self = Self::default();
    }

    /// Whether it was seen, and not only named as a cause.
    pub(in crate::aws) const fn seen(&self) -> bool {
        self.published_at.is_some()
    }

    pub(in crate::aws) const fn published_at(&self) -> Option<Timestamp> {
        self.published_at
    }

    /// What the publisher wrote down of it.
    pub(in crate::aws) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    pub(in crate::aws) fn set_digest(&mut self, digest: String) {
        self.digest = Some(digest);
    }

    /// Whether any consumer has begun.
    pub(in crate::aws) fn begun(&self) -> bool {
        self.deliveries
            .iter()
            .any(|part| !part.attempts.is_empty() || part.state != DeliveryState::Open)
    }

    /// Whether a consumer has completed it.
    pub(in crate::aws) fn done(&self, consumer: &str) -> bool {
        let of = |part: &&Part| part.consumer == consumer;
        self.deliveries
            .iter()
            .find(of)
            .is_some_and(|part| part.state == DeliveryState::Completed)
    }

    /// The consumers that have completed it.
    pub(in crate::aws) fn done_by(&self) -> Vec<String> {
        let done = self.deliveries.iter().filter(|part| part.state == DeliveryState::Completed);
        done.map(|part| part.consumer.clone()).collect()
    }

    /// A consumer's attempts, oldest first.
    pub(in crate::aws) fn attempts(&self, consumer: &str) -> &[Attempt] {
        let of = |part: &&Part| part.consumer == consumer;
        self.deliveries.iter().find(of).map_or(&[], |part| &part.attempts)
    }

    /// The consumers whose last attempt failed, and how.
    pub(in crate::aws) fn failing(&self) -> impl Iterator<Item = (&str, &str)> {
        let failing = |part: &'_ Part| part.state != DeliveryState::Completed;
        self.deliveries
            .iter()
            .filter(move |part| failing(part))
            .filter_map(|part| Some((part.consumer.as_str(), part.attempts.last()?.error.as_deref()?)))
    }

    /// A delivery; of a consumer that no rule names, one that is there all the same.
    fn part(&mut self, consumer: &str) -> &mut Part {
        let at = self
            .deliveries
            .iter()
            .position(|part| part.consumer == consumer)
            .unwrap_or_else(|| {
                self.deliveries.push(Part {
                    consumer: consumer.to_owned(),
                    state: DeliveryState::Open,
                    attempts: Vec::new(),
                    next_at: None,
                    letter: None,
                });
                self.deliveries.len() - 1
            });
        &mut self.deliveries[at]
    }

    /// Notes an attempt: what it came to, and when the next is due.
    pub(in crate::aws) fn attempt(&mut self, consumer: &str, attempt: Attempt, next_at: Option<Timestamp>) {
        let part = self.part(consumer);
        if attempt.error.is_none() {
            part.state = DeliveryState::Completed;
        }
        part.next_at = next_at;
        part.attempts.push(attempt);
        let old = part.attempts.len().saturating_sub(ATTEMPTS);
        part.attempts.drain(..old);
    }

    /// The dead letter of a delivery.
    pub(in crate::aws) fn letter(&self, consumer: &str) -> Option<&str> {
        let of = |part: &&Part| part.consumer == consumer;
        self.deliveries.iter().find(of)?.letter.as_deref()
    }

    /// Notes that a consumer gave up, and the letter of it; what it has completed stays so.
    pub(in crate::aws) fn bury(&mut self, consumer: &str, letter: &str) {
        let part = self.part(consumer);
        part.letter = Some(letter.to_owned());
        if part.state == DeliveryState::Open {
            part.state = DeliveryState::DeadLettered;
        }
        part.next_at = None;
    }

    /// Notes that what a consumer gave up on is sent to it again, and the letter of it.
    pub(in crate::aws) fn reopen(&mut self, consumer: &str, letter: &str) {
        let part = self.part(consumer);
        part.letter = Some(letter.to_owned());
        if part.state == DeliveryState::DeadLettered {
            part.state = DeliveryState::Open;
        }
    }

    /// Notes that an event in the store names this one as its cause.
    pub(in crate::aws) const fn want(&mut self) {
        if self.published_at.is_none() {
            self.wanted += 1;
        }
    }

    fn count(&self, state: DeliveryState) -> usize {
        self.deliveries.iter().filter(|part| part.state == state).count()
    }

    /// Whether some delivery is open.
    pub(in crate::aws) fn open(&self) -> bool {
        self.seen() && self.count(DeliveryState::Open) > 0
    }

    pub(in crate::aws) fn tally(&self) -> Tally {
        if !self.seen() {
            return Tally {
                orphaned: i64::try_from(self.wanted).unwrap_or(i64::MAX),
                ..Tally::default()
            };
        }
        let (open, dead) = (self.count(DeliveryState::Open), self.count(DeliveryState::DeadLettered));
        let audit = self.deliveries.iter().find(|part| part.consumer == AUDIT).map(|part| part.state);
        Tally {
            published: 1,
            completed: i64::from(open == 0 && dead == 0),
            dead_lettered: i64::from(open == 0 && dead > 0),
            stored: i64::from(audit == Some(DeliveryState::Completed)),
            not_stored: i64::from(audit == Some(DeliveryState::DeadLettered)),
            orphaned: 0,
        }
    }

    /// As the ledger tells it; `None` while it is only named as a cause.
    pub(in crate::aws) fn entry(&self, event_id: &str) -> Option<LedgerEntry> {
        let deliveries = self.deliveries.iter().map(|part| Delivery {
            consumer: part.consumer.clone(),
            state: part.state,
            attempts: part.attempts.clone(),
            next_at: part.next_at.filter(|_| part.state == DeliveryState::Open),
        });
        Some(LedgerEntry {
            event_id: event_id.to_owned(),
            event_type: self.event_type.clone(),
            published_at: self.published_at?,
            deliveries: deliveries.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Said {
        Seen,
        Attempted(usize, bool),
        Buried(usize),
        Reopened(usize),
        Wanted,
    }

    const NAMES: [&str; 3] = ["analytics", "audit", "a stranger"];

    fn said() -> impl Strategy<Value = Said> {
        prop_oneof![
            Just(Said::Seen),
            (0_usize..3, any::<bool>()).prop_map(|(n, good)| Said::Attempted(n, good)),
            (0_usize..3).prop_map(Said::Buried),
            (0_usize..3).prop_map(Said::Reopened),
            Just(Said::Wanted),
        ]
    }

    proptest! {
        #[test]
        fn the_totals_add_up_whatever_is_heard_in_whatever_order(heard in prop::collection::vec(said(), 0..40)) {
            let (mut account, mut total) = (Account::default(), Tally::default());
            for said in heard {
                let before = account.tally();
                let done: Vec<String> = account.done_by();
                match said {
                    Said::Seen => account.see("t", Timestamp(1), &NAMES[..2]),
                    Said::Attempted(n, good) => {
                        let error = (!good).then(|| "no".to_owned());
                        account.attempt(NAMES[n], Attempt { number: 1, at: Timestamp(2), duration_us: 3, error }, None);
                    }
                    Said::Buried(n) => account.bury(NAMES[n], "l-1"),
                    Said::Reopened(n) => account.reopen(NAMES[n], "l-1"),
                    Said::Wanted => account.want(),
                }
                total = total.plus(account.tally().minus(before));
                prop_assert_eq!(total, account.tally());
                prop_assert!(done.iter().all(|consumer| account.done(consumer)), "what is completed stays completed");
                let in_flight = total.published - total.completed - total.dead_lettered;
                prop_assert_eq!(in_flight, i64::from(account.open()));
                prop_assert!(total.stored + total.not_stored <= total.published);
                prop_assert!(account.seen() == (total.published == 1) && (!account.seen() || total.orphaned == 0));
                let text = serde_json::to_string(&account).expect("JSON");
                prop_assert_eq!(&serde_json::from_str::<Account>(&text).expect("an account"), &account);
            }
        }
    }

    #[test]
    fn who_is_to_have_it_is_told_in_the_rules_order() {
        let mut account = Account::default();
        assert_eq!(account.entry("e"), None, "an event that nobody has seen");
        account.see("t", Timestamp(5), &["analytics", "categorization", "audit"]);
        account.see("other", Timestamp(9), &["notification"]);
        let entry = account.entry("e").expect("an entry");
        let consumers: Vec<&str> = entry.deliveries.iter().map(|d| d.consumer.as_str()).collect();
        assert_eq!(
            (entry.event_type.as_str(), entry.published_at, consumers),
            ("t", Timestamp(5), vec!["analytics", "categorization", "audit"])
        );
    }
}
