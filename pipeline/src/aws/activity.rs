//! The record of what people did, in a table of Cutover's own: one partition, an entry for each number, chained by hashes.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use rand::RngExt;

use super::Names;
use super::attribute::Item;
use super::error::own_failed;
use super::query::items;
use super::record::{Record, number, text};
use crate::activity::{Activity, NewActivity, Outcome};
use crate::page::{Page, check_limit, no_cursor};
use crate::ports::{ActivityLog, StoreError};
use crate::time::Timestamp;

/// The table's name in errors.
const STORE: &str = "the activity table";
/// The one partition.
const LOG: &str = "activity";
/// How often an entry is tried when others are faster.
const TRIES: u32 = 100;

/// See the module.
#[derive(Debug)]
pub(super) struct DynamoActivity {
    client: Client,
    table: String,
}

impl DynamoActivity {
    pub(super) fn new(client: Client, names: &Names) -> Self {
        Self {
            client,
            table: names.activity_table(),
        }
    }

    /// The newest entries before number `before`, `limit` at most.
    async fn read(&self, before: Option<u64>, limit: u32) -> Result<Vec<Activity>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#log = :log AND id < :before")
            .expression_attribute_names("#log", "log")
            .expression_attribute_values(":log", text(LOG))
            .expression_attribute_values(":before", number(before.unwrap_or(u64::MAX)))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let found = items(query, limit as usize).await;
        let found = found.map_err(|e| own_failed(STORE, &format!("Query of {}", self.table), &e))?;
        found.iter().map(entry).collect()
    }
}

fn entry(item: &Item) -> Result<Activity, StoreError> {
    let record = Record { what: STORE, item };
    Ok(Activity {
        id: record.number("id")?,
        at: Timestamp(record.number("at")?),
        actor: record.text("actor")?,
        action: record.text("action")?,
        target: record.text("target")?,
        summary: record.text("summary")?,
        reason: record.optional_text("reason"),
        outcome: record.optional_text("refused").map_or(Outcome::Done, Outcome::Refused),
        hash: record.text("hash")?,
    })
}

fn item(entry: &Activity) -> Item {
    let refused = match &entry.outcome {
        Outcome::Done => None,
        Outcome::Refused(why) => Some(why),
    };
    let fields = [
        ("log", Some(text(LOG))),
        ("id", Some(number(entry.id))),
        ("at", Some(number(entry.at.0))),
        ("actor", Some(text(&entry.actor))),
        ("action", Some(text(&entry.action))),
        ("target", Some(text(&entry.target))),
        ("summary", Some(text(&entry.summary))),
        ("reason", entry.reason.as_ref().map(text)),
        ("refused", refused.map(text)),
        ("hash", Some(text(&entry.hash))),
    ];
    let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}

#[async_trait]
impl ActivityLog for DynamoActivity {
    async fn record(&self, new: NewActivity) -> Result<Activity, StoreError> {
        for _ in 0..TRIES {
            let last = self.read(None, 1).await?.into_iter().next();
            let (id, previous, earliest) = last.map_or((1, String::new(), 0), |last| (last.id + 1, last.hash, last.at.0));
            // Clocks of several instances differ; the record doesn't go back in time.
            let at = Timestamp(Timestamp::now().0.max(earliest));
            let kept = new.clone().kept(id, at, new.hash(&previous, id, at));
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item(&kept)))
                .condition_expression("attribute_not_exists(id)")
                .send()
                .await;
            match put {
                Ok(_) => return Ok(kept),
                Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                    // Somebody was faster; or it was ourselves, and the answer to the first try was lost.
                    let there = self.read(Some(id + 1), 1).await?.into_iter().next();
                    if there.is_some_and(|there| there == kept) {
                        return Ok(kept);
                    }
                    let pause = rand::rng().random_range(1..=40);
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                }
                Err(error) => return Err(own_failed(STORE, &format!("PutItem in {}", self.table), &error)),
            }
        }
        Err(StoreError::Unavailable {
            what: STORE,
            reason: format!("{TRIES} entries in a row were overtaken by others"),
        })
    }

    async fn list(&self, limit: u32, cursor: Option<&str>) -> Result<Page<Activity>, StoreError> {
        check_limit(limit)?;
        let before = cursor.map(str::parse).transpose().map_err(|_| no_cursor())?;
        let mut items = self.read(before, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(Page { items, next })
    }
}
