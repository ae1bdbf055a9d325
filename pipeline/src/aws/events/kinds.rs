//! Which types and sources of events there are: what our audit consumer notes, what rules name, what the type index has, and what came by.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use super::STORE;
use super::distinct::Distinct;
use crate::aws::Names;
use crate::aws::error::failed;
use crate::aws::query::items;
use crate::aws::recent::Recent;
use crate::aws::record::text;
use crate::aws::rules::{BusRules, named_in};
use crate::event::payload::KNOWN_TYPES;
use crate::ports::{Facets, StoreError, StoredEvent};

/// How old the types and sources may be.
const FACETS_FOR: Duration = Duration::from_secs(1);
/// How old the types that rules name may be, how long a list waits for them, and when rules that could not be read are read again.
const DECLARED_FOR: Duration = Duration::from_secs(60);
const DECLARED_WITHIN: Duration = Duration::from_secs(1);
const DECLARED_AGAIN: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Kinds {
    client: Client,
    table: String,
    noted: Recent<Facets>,
    rules: BusRules,
    declared: Arc<Mutex<Declared>>,
    /// Types of events that somebody else stored.
    found: Distinct,
    /// Types and sources that came by: without Cutover's own audit consumer nothing else tells of sources.
    met: Mutex<(BTreeSet<String>, BTreeSet<String>)>,
}

/// The types that rules name, once they could be read, and when they are read next.
#[derive(Debug, Default)]
struct Declared {
    types: Option<BTreeSet<String>>,
    next: Option<Instant>,
}

impl Kinds {
    /// Nothing is called yet.
    pub(super) fn new(client: Client, names: &Names, rules: BusRules) -> Self {
        Self {
            client,
            table: names.facets_table(),
            noted: Recent::new(FACETS_FOR),
            rules,
            declared: Arc::default(),
            found: Distinct::default(),
            met: Mutex::default(),
        }
    }

    /// Has the types looked for that the store's index over types has.
    pub(super) fn look_into(&self, store: &str, index: &str) {
        self.found.refresh(&self.client, store, index);
    }

    /// Those that were seen.
    pub(super) async fn facets(&self) -> Result<Facets, StoreError> {
        let mut all = self.noted_or_met().await?;
        let types: BTreeSet<String> = all.types.into_iter().chain(self.found.types()).collect();
        all.types = types.into_iter().collect();
        Ok(all)
    }

    async fn noted_or_met(&self) -> Result<Facets, StoreError> {
        let seen = self.noted.get(|| self.all_seen()).await?;
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = |seen: &[String], met: BTreeSet<String>| seen.iter().cloned().chain(met).collect::<BTreeSet<_>>();
        Ok(Facets {
            types: all(&seen.types, met.0).into_iter().collect(),
            sources: all(&seen.sources, met.1).into_iter().collect(),
        })
    }

    /// The types that events may have: those of the design, those that rules name, even before the first of them was met, and those that were
    /// noted or met; then those that were only found, which are no loss to the others where lists are of so many.
    pub(super) async fn types(&self) -> Result<Vec<String>, StoreError> {
        let known = KNOWN_TYPES.iter().map(|name| (*name).to_owned());
        let (seen, declared) = tokio::join!(self.noted_or_met(), self.declared());
        let known: BTreeSet<String> = seen?.types.into_iter().chain(known).chain(declared).collect();
        let found: Vec<String> = self.found.types().difference(&known).cloned().collect();
        Ok(known.into_iter().chain(found).collect())
    }

    /// The types that rules name. A list does not wait for EventBridge, nor fail with it.
    async fn declared(&self) -> BTreeSet<String> {
        let known = |declared: &Mutex<Declared>| declared.lock().unwrap_or_else(PoisonError::into_inner).types.clone();
        let due = {
            let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
            let due = declared.next.is_none_or(|next| Instant::now() >= next);
            if due {
                declared.next = Some(Instant::now() + DECLARED_AGAIN);
            }
            due
        };
        if due {
            let (rules, declared) = (self.rules.clone(), Arc::clone(&self.declared));
            let read = tokio::spawn(async move {
                if let Ok(rules) = rules.list().await {
                    let types = rules.iter().flat_map(|rule| named_in(&rule.pattern, "detail-type")).collect();
                    let next = Instant::now() + DECLARED_FOR;
                    *declared.lock().unwrap_or_else(PoisonError::into_inner) = Declared {
                        types: Some(types),
                        next: Some(next),
                    };
                }
            });
            // Only where nothing is known yet there is anything to wait for.
            if known(&self.declared).is_none() {
                let _ = tokio::time::timeout(DECLARED_WITHIN, read).await;
            }
        }
        known(&self.declared).unwrap_or_default()
    }

    async fn seen(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind));
        let found = match items(query, usize::MAX).await {
            Ok(found) => found,
            // A deployment without Cutover's own tables is read all the same.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => return Ok(Vec::new()),
            Err(error) => return Err(failed(STORE, &format!("Query of {}", self.table), &error)),
        };
        let values = found.iter().filter_map(|item| item.get("value")?.as_s().ok().cloned());
        Ok(values.collect())
    }

    async fn all_seen(&self) -> Result<Facets, StoreError> {
        let (types, sources) = futures::future::try_join(self.seen("type"), self.seen("source")).await?;
        Ok(Facets { types, sources })
    }

    /// Notes what came by.
    pub(super) fn meet(&self, events: &[StoredEvent]) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        for StoredEvent { event, .. } in events {
            if !met.0.contains(&event.event_type) {
                met.0.insert(event.event_type.clone());
            }
            if !met.1.contains(&event.source) {
                met.1.insert(event.source.clone());
            }
        }
    }
}
