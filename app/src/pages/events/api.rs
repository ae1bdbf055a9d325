//! What the events' pages read.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json as JsonCodec};
use pipeline::ledger::LedgerEntry;
use pipeline::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::routes;

/// The list's filter, as the URL has it. Empty fields don't narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EventsQuery {
    pub event_type: String,
    pub source: String,
    pub user: String,
    pub correlation: String,
    pub q: String,
    pub from: String,
    pub to: String,
    pub cursor: String,
    /// `open`: what the ledger still has open, oldest first, instead of the store's list.
    pub ledger: String,
}

impl EventsQuery {
    /// The address of this list, from `cursor` on.
    #[must_use]
    pub fn url(&self, cursor: Option<String>) -> String {
        let pairs = [
            ("type", &self.event_type),
            ("source", &self.source),
            ("user", &self.user),
            ("correlation", &self.correlation),
            ("q", &self.q),
            ("from", &self.from),
            ("to", &self.to),
            ("ledger", &self.ledger),
        ];
        routes::with_query(
            routes::EVENTS,
            pairs
                .into_iter()
                .map(|(key, value)| (key, value.clone()))
                .chain([("cursor", cursor.unwrap_or_default())]),
        )
    }
}

/// An event in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EventRow {
    pub event_id: String,
    pub at: Timestamp,
    pub event_type: String,
    pub source: String,
    pub user_id: String,
    /// The beginning of its payload.
    pub excerpt: String,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventList {
    /// Newest first.
    pub rows: Vec<EventRow>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// With a text filter, how many events were looked through.
    pub searched: u64,
    /// Whether the search stopped before the end.
    pub partial: bool,
    /// How many event types the list leaves out, for there are too many to be merged.
    pub left_out: u64,
    /// What reading it consumed, read units, where that is paid for.
    pub capacity: Option<f64>,
    /// Types to choose from.
    pub types: Vec<String>,
    /// Sources to choose from.
    pub sources: Vec<String>,
}

/// An event's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// Its fields, in the design's order, but for the payload.
    pub fields: Vec<(String, String)>,
    /// When it happened.
    pub at: Timestamp,
    /// Its payload, indented.
    pub data: String,
    /// Its metadata, indented.
    pub metadata: Option<String>,
    /// What became of it; `None` if the ledger doesn't know it.
    pub ledger: Option<LedgerEntry>,
    /// Why the ledger could not be asked.
    pub ledger_fault: Option<AppError>,
    /// Why its causes and effects are not known.
    pub chain_fault: Option<AppError>,
    /// When the audit consumer stored it; `None` if it hasn't yet.
    pub stored_at: Option<Timestamp>,
    /// What caused it, the first cause first.
    pub causes: Vec<EventRow>,
    /// What it caused.
    pub effects: Vec<EventRow>,
    /// The cause that it names but that was never seen.
    pub orphan_of: Option<String>,
}

/// Reads a page of the list.
#[server(prefix = "/fn", endpoint = "events", input = JsonCodec, output = crate::wire::Wire)]
pub async fn read_events(query: EventsQuery) -> Result<EventList, AppError> {
    use crate::context::{answer, desk};
    let desk = desk();
    answer(desk.shared(query.clone(), EventList::read(&desk, &query)).await)
}

/// Reads an event's page.
#[server(prefix = "/fn", endpoint = "event", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_event(id: String) -> Result<EventPage, AppError> {
    use crate::context::{answer, desk};
    answer(EventPage::read(&desk(), &id).await)
}

#[cfg(feature = "ssr")]
pub use ssr::{Chain, chain};

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::event::Event;
    use pipeline::ports::{EventFilter, StoredEvent};
    use pipeline::time::Timestamp;

    use super::{EventList, EventPage, EventRow, EventsQuery};
    use crate::context::Desk;
    use crate::error::AppError;

    /// How many events a page of the list holds.
    const PAGE: u32 = 50;
    /// How many causes are followed back.
    const MAX_CAUSES: usize = 50;
    /// How much of a payload the list shows, characters.
    const EXCERPT: usize = 120;

    fn row(event: &Event) -> EventRow {
        EventRow {
            event_id: event.event_id.clone(),
            at: Timestamp(event.timestamp),
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            user_id: event.user_id.clone(),
            excerpt: event.data.text().chars().take(EXCERPT).collect(),
        }
    }

    fn given(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn instant(field: &str, text: &str) -> Result<Option<Timestamp>, AppError> {
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|e: pipeline::time::NotATime| AppError::Invalid {
            field: field.to_owned(),
            reason: e.to_string(),
        })
    }

    impl EventList {
        pub(crate) async fn read(desk: &Desk, query: &EventsQuery) -> Result<Self, AppError> {
            let events = &desk.ports.events;
            let facets = events.facets().await?;
            if query.ledger == "open" {
                let open = desk.ports.ledger.open(PAGE).await?;
                let rows = open
                    .into_iter()
                    .map(|entry| {
                        let waiting: Vec<&str> = entry
                            .deliveries
                            .iter()
                            .filter(|d| d.state == pipeline::ledger::DeliveryState::Open)
                            .map(|d| d.consumer.as_str())
                            .collect();
                        EventRow {
                            excerpt: format!("still open: {}", waiting.join(", ")),
                            event_id: entry.event_id,
                            at: entry.published_at,
                            event_type: entry.event_type,
                            source: String::new(),
                            user_id: String::new(),
                        }
                    })
                    .collect();
                return Ok(Self {
                    rows,
                    next: None,
                    searched: 0,
                    partial: false,
                    left_out: 0,
                    capacity: None,
                    types: facets.types,
                    sources: facets.sources,
                });
            }
            let filter = EventFilter {
                event_type: given(&query.event_type),
                source: given(&query.source),
                user: given(&query.user),
                correlation: given(&query.correlation),
                q: given(&query.q),
                from: instant("from", &query.from)?,
                to: instant("to", &query.to)?,
            };
            let found = events.list(&filter, PAGE, given(&query.cursor).as_deref()).await?;
            Ok(Self {
                rows: found.page.items.iter().map(|s| row(&s.event)).collect(),
                next: found.page.next,
                searched: found.searched,
                partial: found.partial,
                left_out: found.left_out,
                capacity: found.capacity,
                types: facets.types,
                sources: facets.sources,
            })
        }
    }

    /// An event's causes, the first one first, its effects, and the cause that was never seen, if there is one.
    #[derive(Debug, Default)]
    pub struct Chain {
        /// First cause first.
        pub causes: Vec<StoredEvent>,
        /// Oldest first.
        pub effects: Vec<StoredEvent>,
        /// Named, but never seen.
        pub orphan_of: Option<String>,
    }

    /// Follows causation both ways.
    ///
    /// # Errors
    /// The event store doesn't answer.
    pub async fn chain(desk: &Desk, event: &Event) -> Result<Chain, AppError> {
        let (mut causes, mut orphan_of, mut next) = (Vec::<StoredEvent>::new(), None, event.causation_id.clone());
        while let Some(id) = next {
            // A loop in the causes is somebody's mistake, not a reason to hang.
            if causes.len() == MAX_CAUSES || id == event.event_id || causes.iter().any(|c| c.event.event_id == id) {
                break;
            }
            match desk.ports.events.get(&id).await? {
                Some(cause) => {
                    next = cause.event.causation_id.clone();
                    causes.push(cause);
                }
                None => {
                    orphan_of = Some(id);
                    break;
                }
            }
        }
        causes.reverse();
        Ok(Chain {
            causes,
            effects: desk.ports.events.effects(&event.event_id).await?,
            orphan_of,
        })
    }

    impl EventPage {
        pub(crate) async fn read(desk: &Desk, id: &str) -> Result<Self, AppError> {
            let (stored, ledger) = (desk.ports.events.get(id).await?, desk.ports.ledger.entry(id).await);
            // An event that is stored is shown, whether the ledger answers or not.
            let (ledger, ledger_fault) = match ledger {
                Ok(entry) => (entry, None),
                Err(error) => (None, Some(AppError::from(error))),
            };
            let Some(stored) = stored else {
                // The bus may have it while the audit consumer doesn't yet.
                if let Some(fault @ AppError::Unavailable(_)) = ledger_fault {
                    return Err(fault);
                }
                let entry = ledger.ok_or_else(|| AppError::NotFound(format!("event {id}")))?;
                return Ok(Self {
                    fields: vec![
                        ("eventId".to_owned(), entry.event_id.clone()),
                        ("eventType".to_owned(), entry.event_type.clone()),
                    ],
                    at: entry.published_at,
                    data: String::new(),
                    metadata: None,
                    ledger: Some(entry),
                    ledger_fault: None,
                    chain_fault: None,
                    stored_at: None,
                    causes: Vec::new(),
                    effects: Vec::new(),
                    orphan_of: None,
                });
            };
            let event = &stored.event;
            // An index may be missing that only effects are found by.
            let (chain, chain_fault) = match chain(desk, event).await {
                Ok(chain) => (chain, None),
                Err(fault) => (Chain::default(), Some(fault)),
            };
            let mut fields = vec![
                ("eventId".to_owned(), event.event_id.clone()),
                ("eventType".to_owned(), event.event_type.clone()),
                ("eventVersion".to_owned(), event.event_version.clone()),
                ("source".to_owned(), event.source.clone()),
                ("userId".to_owned(), event.user_id.clone()),
            ];
            for (name, value) in [("correlationId", &event.correlation_id), ("causationId", &event.causation_id)] {
                if let Some(value) = value {
                    fields.push((name.to_owned(), value.clone()));
                }
            }
            fields.extend(event.extra.iter().map(|(name, value)| (name.clone(), value.text().to_owned())));
            let rows = |events: &[StoredEvent]| events.iter().map(|s| row(&s.event)).collect();
            Ok(Self {
                fields,
                at: Timestamp(event.timestamp),
                data: event.data.pretty(),
                metadata: event.metadata.as_ref().map(pipeline::event::Json::pretty),
                ledger,
                ledger_fault,
                chain_fault,
                stored_at: Some(stored.stored_at),
                causes: rows(&chain.causes),
                effects: rows(&chain.effects),
                orphan_of: chain.orphan_of,
            })
        }
    }
}
