//! Which types the store has events of, whoever wrote them: the partitions of the type index, by one item of each.
//!
//! A `Scan` goes partition by partition, and from any key on, one that is not there included. Begun behind the greatest time that a type's
//! partition could have, its first item is the next type's: one item read for each type, not the table. AWS describes it in "Generate a
//! distinct set of partition keys for an Amazon DynamoDB table efficiently" (AWS Database Blog). No page waits for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::Instant;

use super::STORE;
use crate::aws::error::{failed, is_for_good};
use crate::ports::StoreError;

/// How old it may be which types there are.
const FOUND_FOR: Duration = Duration::from_secs(300);
/// How soon a look that failed is made again.
const AGAIN: Duration = Duration::from_secs(30);
/// The most types that are looked for.
const MOST: usize = 1_000;
/// Greater than any time: DynamoDB's numbers end at 9.99E+125.
const AFTER_ALL: &str = "9E+125";

/// The types that were found. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    types: BTreeSet<String>,
    /// When to look the next time; `None` at first.
    next: Option<Instant>,
}

impl Distinct {
    /// The types, as they were found last.
    pub(super) fn types(&self) -> BTreeSet<String> {
        self.state().types.clone()
    }

    /// Has the types of `index` looked for, if that was long ago, while its caller goes on.
    pub(super) fn refresh(&self, client: &Client, table: &str, index: &str) {
        let now = Instant::now();
        {
            let mut state = self.state();
            if state.next.is_some_and(|next| now < next) {
                return;
            }
            state.next = Some(now + FOUND_FOR);
        }
        let (this, client, table, index) = (self.clone(), client.clone(), table.to_owned(), index.to_owned());
        tokio::spawn(async move {
            match this.look(&client, &table, &index).await {
                // Those that are gone are gone.
                Ok(types) => this.state().types = types,
                Err(error) => {
                    tracing::warn!(%error, "types of events that no rule names, and that were not met, are not listed");
                    // What is denied stays so for a while.
                    if !is_for_good(&error) {
                        this.state().next = Some(Instant::now() + AGAIN);
                    }
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The types that an index over `eventType` and `timestamp` has. Each is known as soon as it is found.
    async fn look(&self, client: &Client, table: &str, index: &str) -> Result<BTreeSet<String>, StoreError> {
        let (mut types, mut start) = (BTreeSet::new(), None);
        while types.len() < MOST {
            let answer = client
                .scan()
                .table_name(table)
                .index_name(index)
                .limit(1)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|e| failed(STORE, &format!("Scan of {index} in {table}"), &e))?;
            let found = answer.items().first().and_then(|item| item.get("eventType")?.as_s().ok()).cloned();
            self.state().types.extend(found.clone());
            let is_empty = found.is_none();
            // One that is there already would come again for ever.
            let again = found.is_some_and(|name| !types.insert(name));
            let Some(mut last) = answer.last_evaluated_key.filter(|_| !again) else {
                break;
            };
            // An empty page that is not the last goes on where it ended.
            if !is_empty {
                last.insert("timestamp".to_owned(), AttributeValue::N(AFTER_ALL.to_owned()));
            }
            start = Some(last);
        }
        Ok(types)
    }
}
