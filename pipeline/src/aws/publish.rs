//! Publishing from a service: the bus, with flags that are read from Cutover's table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::bus::EventBridge;
use super::flags::DynamoFlags;
use super::{Connection, Names};
use crate::flag::{FlagChange, FlagRecord, FlagState, Flags};
use crate::ports::{FlagError, FlagStore, StoreError};
use crate::publisher::Publisher;
use crate::rule::Rules;

/// How old flags may be: a change is followed within this long.
const FRESH_FOR: Duration = Duration::from_secs(3);
/// How many publishers' flags are kept.
const KEPT: usize = 1_000;

/// A publisher for a deployment: it keeps to the flags, writes what it publishes down in the ledger, retries what failed alone, and
/// leaves what can't be published among the dead letters, or, where those can't be written, in the dead-letter queue. While the ledger is
/// away it publishes without. Nothing is called yet.
///
/// ```no_run
/// use pipeline::aws::{Names, connect, publisher};
/// use pipeline::event::Draft;
/// use pipeline::publisher::{Published, Publisher};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connection = connect(Some("eu-west-2"), None).await;
/// let publisher = publisher(&connection, &Names::of("housef3-dev"));
/// let draft = Draft::from_json(r#"{ "eventType": "account.updated", "source": "account.service", "userId": "u-1", "data": {} }"#)?;
/// let event = Publisher::stamp(draft, false)?;
/// match publisher.publish(vec![event]).await.as_slice() {
///     [Published::Accepted(receipt)] => println!("on the bus: {}", receipt.event_id),
///     [other] => println!("not on the bus: {other:?}"),
///     _ => unreachable!("an answer for each event"),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn publisher(connection: &Connection, names: &Names) -> Publisher {
    let bus = Arc::new(EventBridge::beside_ledger(connection, names, Rules::default()));
    Publisher::new(bus, Arc::new(Followed::new(connection, names)))
}

/// The flags as a publisher reads them: for a few seconds the same, and the last that were known while the table can't be read.
#[derive(Debug)]
struct Followed {
    flags: DynamoFlags,
    known: Mutex<HashMap<String, (Instant, Flags)>>,
}

impl Followed {
    fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            flags: DynamoFlags::new(connection, names),
            known: Mutex::default(),
        }
    }

    fn last(&self, source: &str) -> Option<(Instant, Flags)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(source).copied()
    }
}

#[async_trait]
impl FlagStore for Followed {
    fn followed(&self) -> bool {
        true
    }

    async fn effective(&self, source: &str) -> Result<Flags, StoreError> {
        let last = self.last(source);
        if let Some((_, flags)) = last.filter(|(at, _)| at.elapsed() < FRESH_FOR) {
            return Ok(flags);
        }
        let flags = match (self.flags.effective(source).await, last) {
            (Ok(flags), _) => flags,
            // For a while again: nobody waits with each event for a table that is away.
            (Err(error), Some((_, flags))) => {
                tracing::warn!(source, %error, "the flags can't be read; the last that were known apply");
                flags
            }
            (Err(error), None) => return Err(error),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(source.to_owned(), (Instant::now(), flags));
        Ok(flags)
    }

    async fn all(&self) -> Result<Vec<FlagState>, StoreError> {
        self.flags.all().await
    }

    async fn set(&self, change: &FlagChange, actor: &str, criteria: &[String]) -> Result<FlagState, FlagError> {
        self.flags.set(change, actor, criteria).await
    }

    async fn history(&self, limit: u32) -> Result<Vec<FlagRecord>, StoreError> {
        self.flags.history(limit).await
    }
}
