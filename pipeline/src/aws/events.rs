//! The event store in DynamoDB: key `eventId` and `timestamp`, and an index over `timestamp` for each of `userId`,
//! `eventType`, `source`, and, where it exists, `correlationId`.
//!
//! There is no index over all events: each type's partition is asked, and the answers are merged ([`super::merge`]).

mod distinct;
mod indexes;
mod kinds;
mod partition;
mod strange;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::Names;
use super::attribute::{Item, item_to_json};
use super::error::failed;
use super::ledger::DynamoLedger;
use super::merge::{Budget, Positioned, page};
use super::recent::Recent;
use super::record::{is_key, number, text};
use super::rules::BusRules;
use crate::criteria::AuditEvidence;
use crate::event::Fields;
use crate::event::item::StoreItem;
use crate::page::{Page, check_limit, read_cursor};
use crate::ports::{EventFilter, EventPage, EventStore, Facets, StoreError, StoredEvent};
use crate::text::holds;
use crate::time::Timestamp;
use indexes::Indexes;
use kinds::Kinds;
use partition::{Asked, Partition};
use strange::Strange;

/// The store's name in errors.
const STORE: &str = "the event store";
/// With a text to look for: how many events one page looks through.
const SEARCH_LIMIT: u64 = 2_000;
/// How often a partition is asked for one page of a list: what is rare is looked for further on the next page.
const ROUNDS: u32 = 1;
/// How often it is asked for an event's effects.
const EFFECTS_ROUNDS: u32 = 8;
/// How old the table's description may be: an index that is added is used a minute later.
const INDEXES_FOR: Duration = Duration::from_secs(60);
/// The most partitions that a list is merged of.
const MAX_PARTITIONS: usize = 200;
/// The attribute with what has no place among the others, as JSON text.
pub(super) const EXTRA: &str = "eventExtra";
/// The fields that an index may be partitioned by: text that is neither empty nor longer than 2,048 bytes.
pub(super) const KEYS: [&str; 4] = ["userId", "eventType", "source", "correlationId"];
/// The most effects that one event is shown with.
const MAX_EFFECTS: usize = 500;

/// See the module.
#[derive(Debug)]
pub(super) struct DynamoEvents {
    client: Client,
    table: String,
    indexes: Recent<Indexes>,
    kinds: Kinds,
    strange: Strange,
    ledger: DynamoLedger,
}

impl DynamoEvents {
    /// Over the deployment's table; nothing is called yet.
    pub(super) fn new(client: Client, names: &Names, ledger: DynamoLedger, rules: BusRules) -> Self {
        Self {
            kinds: Kinds::new(client.clone(), names, rules),
            client,
            table: names.event_store_table.clone(),
            indexes: Recent::new(INDEXES_FOR),
            strange: Strange::default(),
            ledger,
        }
    }

    async fn indexes(&self) -> Result<Arc<Indexes>, StoreError> {
        self.indexes.get(|| Indexes::of(&self.client, &self.table)).await
    }

    /// The partitions that hold all that matches: attribute and value.
    async fn partitions(&self, filter: &EventFilter) -> Result<Vec<(&'static str, String)>, StoreError> {
        let indexes = self.indexes().await?;
        let wanted = [
            ("correlationId", &filter.correlation),
            ("userId", &filter.user),
            ("eventType", &filter.event_type),
            ("source", &filter.source),
        ];
        let served = wanted
            .into_iter()
            .find(|(attribute, value)| value.as_ref().is_some_and(|v| !v.is_empty()) && indexes.of_attribute(attribute).is_some());
        if let Some((attribute, Some(value))) = served {
            return Ok(vec![(attribute, value.clone())]);
        }
        let types = self.kinds.types().await?;
        Ok(types.into_iter().map(|name| ("eventType", name)).collect())
    }
}

/// What an item says, or why it is not an event.
fn decode(item: &Item) -> Result<StoredEvent, String> {
    let (mut item, mut extra) = (item.clone(), Vec::new());
    // What had no place among the attributes: fields that the design doesn't name, and keys that no index takes.
    if let Some(AttributeValue::S(extras)) = item.remove(EXTRA) {
        let Fields(fields) = serde_json::from_str(&extras).unwrap_or_default();
        for (name, value) in fields {
            match value.as_str() {
                Some(key) if KEYS.contains(&name.as_str()) => _ = item.insert(name, text(key)),
                _ => extra.push((name, value)),
            }
        }
    }
    match StoreItem::from_json(&item_to_json(&item)) {
        Ok(item) => {
            let stored_at = item.stored_at();
            let mut event = item.event;
            event.extra.extend(extra);
            Ok(StoredEvent {
                stored_at: Timestamp(stored_at.unwrap_or(event.timestamp)),
                event,
            })
        }
        Err(fault) => Err(fault.to_string()),
    }
}

impl Positioned for StoredEvent {
    fn at(&self) -> i64 {
        self.event.timestamp
    }
    fn id(&self) -> &str {
        &self.event.event_id
    }
}

fn matches(filter: &EventFilter, needle: Option<&str>, found: &StoredEvent) -> bool {
    let event = &found.event;
    let same = |wanted: &Option<String>, value: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == value);
    let fits = |needle: &str| holds(&event.event_id, needle) || holds(event.data.text(), needle);
    same(&filter.event_type, Some(&event.event_type))
        && same(&filter.source, Some(&event.source))
        && same(&filter.user, Some(&event.user_id))
        && same(&filter.correlation, event.correlation_id.as_deref())
        && needle.is_none_or(fits)
}

#[async_trait]
impl EventStore for DynamoEvents {
    async fn list(&self, filter: &EventFilter, limit: u32, from: Option<&str>) -> Result<EventPage, StoreError> {
        check_limit(limit)?;
        filter.check()?;
        let from = from.map(read_cursor).transpose()?;
        let newest = filter.to.map_or(i64::MAX, |to| to.0.saturating_sub(1));
        let newest = from.as_ref().map_or(newest, |(at, _)| newest.min(*at));
        let oldest = filter.from.map_or(i64::MIN, |from| from.0);
        let needle = filter.q.as_ref().map(|q| q.to_lowercase());
        let indexes = self.indexes().await?;
        if let Some(index) = indexes.of_attribute("eventType") {
            self.kinds.look_into(&self.table, index);
        }
        let capacity = AtomicU64::new(0);
        let partitions = self.partitions(filter).await?;
        let left_out = partitions.len().saturating_sub(MAX_PARTITIONS);
        let count = partitions.len().clamp(1, MAX_PARTITIONS);
        let asked = Asked {
            share: i32::try_from(SEARCH_LIMIT).unwrap_or(i32::MAX) / i32::try_from(count).unwrap_or(i32::MAX),
            capacity: &capacity,
            strange: &self.strange,
            client: &self.client,
            table: &self.table,
            span: (oldest, newest),
            filter,
            limit,
        };
        let partitions = partitions.into_iter().take(MAX_PARTITIONS).map(|(attribute, value)| {
            let index = indexes.of_attribute(attribute).ok_or_else(|| indexes.missing(attribute))?;
            Ok(Partition::new(asked, index, attribute, value))
        });
        let partitions = partitions.collect::<Result<Vec<_>, StoreError>>()?;
        let budget = Budget {
            searched: if needle.is_some() { SEARCH_LIMIT } else { u64::MAX },
            rounds: ROUNDS,
        };
        let fits = |found: &StoredEvent| matches(filter, needle.as_deref(), found);
        let found = page(partitions, from.as_ref(), limit as usize, fits, budget).await?;
        self.kinds.meet(&found.items);
        Ok(EventPage {
            page: Page {
                items: found.items,
                next: found.next.map(|(at, id)| format!("{at}.{id}")),
            },
            searched: if needle.is_some() { found.searched } else { 0 },
            partial: found.partial,
            left_out: left_out as u64,
            #[allow(clippy::cast_precision_loss)] // far below 2^53
            capacity: Some(capacity.into_inner() as f64 / 1_000.0),
        })
    }

    async fn get(&self, event_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        if !is_key(event_id) {
            return Ok(None);
        }
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("eventId = :id")
            .expression_attribute_values(":id", text(event_id))
            .limit(1)
            .send()
            .await
            .map_err(|e| failed(STORE, &format!("Query of {}", self.table), &e))?;
        Ok(answer.items().first().and_then(|item| self.strange.decode(item)))
    }

    async fn effects(&self, event_id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let Some(cause) = self.get(event_id).await? else {
            return Ok(Vec::new());
        };
        // There is no index over causes. An effect keeps its cause's correlation and user, and comes soon after it.
        let indexes = self.indexes().await?;
        let correlation = cause.event.correlation_id.as_ref();
        let (attribute, value) = match correlation.filter(|c| !c.is_empty() && indexes.of_attribute("correlationId").is_some()) {
            Some(correlation) => ("correlationId", correlation),
            None => ("userId", &cause.event.user_id),
        };
        // No index holds what it would be partitioned by an empty text.
        if value.is_empty() {
            return Ok(Vec::new());
        }
        let index = indexes.of_attribute(attribute).ok_or_else(|| indexes.missing(attribute))?;
        let (mut effects, mut start) = (Vec::new(), None);
        for _ in 0..EFFECTS_ROUNDS {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(index)
                .key_condition_expression("#partition = :partition AND #timestamp >= :from")
                .filter_expression("causationId = :cause")
                .expression_attribute_names("#partition", attribute)
                .expression_attribute_names("#timestamp", "timestamp")
                .expression_attribute_values(":partition", text(value))
                .expression_attribute_values(":from", number(cause.event.timestamp))
                .expression_attribute_values(":cause", text(event_id))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|e| failed(STORE, &format!("Query of {index} in {}", self.table), &e))?;
            effects.extend(answer.items().iter().filter_map(|item| self.strange.decode(item)));
            start = answer.last_evaluated_key().cloned();
            if start.is_none() || effects.len() >= MAX_EFFECTS {
                break;
            }
        }
        effects.truncate(MAX_EFFECTS);
        Ok(effects)
    }

    async fn facets(&self) -> Result<Facets, StoreError> {
        self.kinds.facets().await
    }

    async fn completeness(&self) -> Result<AuditEvidence, StoreError> {
        self.ledger.completeness().await
    }

    fn unreadable(&self) -> Vec<(String, String)> {
        self.strange.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::attribute::item_of_json;

    fn item(text: &str) -> Item {
        item_of_json(text).expect("an item")
    }

    #[test]
    fn items_of_the_first_audit_consumer_are_read() {
        let all = include_str!("../../../tests/data/event_store_items.ndjson");
        let mut count = 0;
        for line in all.lines() {
            let found = decode(&item(line)).expect("an event");
            let plain = StoreItem::from_json(line).expect("an event").event;
            assert_eq!(found.event.event_id, plain.event_id);
            assert_eq!(found.event.data.value(), plain.data.value());
            count += 1;
        }
        assert!(count > 10);
    }

    #[test]
    fn a_time_is_read_however_it_was_written() {
        let rest = r#""eventId":"e","eventType":"t","eventVersion":"1.0","source":"s","userId":"u","eventData":{}"#;
        for (times, at, stored_at) in [
            (
                r#""timestamp":"1790000000001","auditTimestamp":"1790000000009""#,
                1_790_000_000_001,
                1_790_000_000_009,
            ),
            (
                r#""originalTimestamp":1790000000002,"auditTimestamp":1790000000009"#,
                1_790_000_000_002,
                1_790_000_000_009,
            ),
            (r#""originalTimestamp":"1790000000003""#, 1_790_000_000_003, 1_790_000_000_003),
            (r#""auditTimestamp":1790000000004"#, 1_790_000_000_004, 1_790_000_000_004),
        ] {
            let found = decode(&item(&format!("{{{rest},{times}}}"))).expect(times);
            assert_eq!((found.event.timestamp, found.stored_at.0), (at, stored_at), "{times}");
        }
        for times in ["", r#","timestamp":"soon""#] {
            let fault = decode(&item(&format!("{{{rest}{times}}}"))).expect_err(times);
            assert!(fault.contains("timestamp"), "{fault}");
        }
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        let strange = Strange::default();
        for _ in 0..2 {
            assert_eq!(strange.decode(&item(r#"{"eventId":"e"}"#)), None);
        }
        let all = strange.all();
        assert!(
            matches!(all.as_slice(), [(id, fault)] if id == "e" && fault.contains("is missing")),
            "{all:?}"
        );
    }
}
