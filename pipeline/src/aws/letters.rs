//! The dead letters, in a table of Cutover's own, where [`super::takeover`] puts what arrives in the queues.

mod item;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;

use super::attribute::Item;
use super::error::own_failed;
use super::ledger::{Account, DynamoLedger};
use super::merge::{Batch, Budget, Positioned, Source, page};
use super::query::{by_keys, items};
use super::recent::Recent;
use super::record::{Record, is_key, number, text};
use super::{Connection, Names};
use crate::letter::{Depth, Letter, LetterDetail, LetterFilter, LetterGroup, LetterStatus};
use crate::page::{Page, check_limit, read_cursor};
use crate::ports::{Letters, StoreError};
use crate::text::holds;
use item::{FIELDS, kept, letter};

/// The table's name in errors.
const STORE: &str = "the letters table";
/// The index over `status` and `failedAt`.
const INDEX: &str = "StatusFailedAtIndex";
/// How many letters one page looks through, when something is looked for.
const SEARCH_LIMIT: u64 = 5_000;
/// How often each status is asked for one page, at most.
const ROUNDS: u32 = 20;

/// A letter and the body it came with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) letter: Letter,
    pub(super) body: String,
}

impl Positioned for Kept {
    fn at(&self) -> i64 {
        self.letter.failed_at.0
    }
    fn id(&self) -> &str {
        &self.letter.id
    }
}

fn matches(filter: &LetterFilter, needle: Option<&str>, kept: &Kept) -> bool {
    let letter = &kept.letter;
    let same = |wanted: &Option<String>, value: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == value);
    let fits = |needle: &str| {
        let texts = [
            letter.event_id.as_deref(),
            letter.user_id.as_deref(),
            Some(&letter.error_code),
            Some(&letter.error_message),
            Some(&kept.body),
        ];
        texts.into_iter().flatten().any(|text| holds(text, needle))
    };
    same(&filter.consumer, Some(&letter.consumer))
        && same(&filter.error, Some(&letter.error_code))
        && same(&filter.event_type, letter.event_type.as_deref())
        && needle.is_none_or(fits)
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct DynamoLetters {
    client: Client,
    table: String,
    ledger: DynamoLedger,
    /// The open letters: the rail, the overview and the list all ask for them.
    open: Arc<Recent<Vec<Letter>>>,
}

/// The letters of a deployment; nothing is called yet.
pub(super) fn letters(connection: &Connection, names: &Names) -> DynamoLetters {
    DynamoLetters::new(Client::new(&connection.sdk), names, DynamoLedger::of(connection, names))
}

/// How old the open letters may be when they are counted.
const COUNTED_FOR: Duration = Duration::from_secs(1);

/// The letters with a status, newest first.
struct OfStatus<'a> {
    store: &'a DynamoLetters,
    status: LetterStatus,
    span: (i64, i64),
    limit: i32,
    start: Option<Item>,
}

impl Source for OfStatus<'_> {
    type Item = Kept;

    async fn more(&mut self) -> Result<Batch<Kept>, StoreError> {
        if self.span.0 > self.span.1 {
            return Ok(Batch {
                items: Vec::new(),
                seen_after: None,
            });
        }
        let answer = self
            .store
            .query(self.status, self.span)
            .scan_index_forward(false)
            .limit(self.limit)
            .set_exclusive_start_key(self.start.take())
            .send()
            .await
            .map_err(|e| self.store.failed("Query", &e))?;
        self.start = answer.last_evaluated_key().cloned();
        let key = self.start.as_ref().map(|item| Record { what: STORE, item }.number("failedAt"));
        Ok(Batch {
            items: answer.items().iter().map(kept).collect::<Result<_, _>>()?,
            seen_after: key.transpose()?,
        })
    }
}

impl DynamoLetters {
    pub(super) fn new(client: Client, names: &Names, ledger: DynamoLedger) -> Self {
        Self {
            ledger,
            client,
            table: names.letters_table(),
            open: Arc::new(Recent::new(COUNTED_FOR)),
        }
    }

    /// The open letters, newest first, as of a moment ago.
    pub(super) async fn open(&self) -> Result<Arc<Vec<Letter>>, StoreError> {
        let read = async || {
            // Without the bodies, which are most of it.
            let names = FIELDS.iter().map(|field| (format!("#{field}"), (*field).to_owned()));
            let query = self
                .query(LetterStatus::Open, (0, i64::MAX))
                .scan_index_forward(false)
                .projection_expression(FIELDS.map(|field| format!("#{field}")).join(", "))
                .set_expression_attribute_names(Some(names.collect()));
            let found = items(query, usize::MAX).await.map_err(|e| self.failed("Query", &e))?;
            found.iter().map(letter).collect()
        };
        self.open.get(read).await
    }

    fn failed<E, R>(&self, call: &str, error: &aws_sdk_dynamodb::error::SdkError<E, R>) -> StoreError
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        own_failed(STORE, &format!("{call} of {}", self.table), error)
    }

    /// Whether there is such a table: what has nowhere to go is not taken from a queue.
    pub(super) async fn exists(&self) -> Result<bool, StoreError> {
        match self.client.describe_table().table_name(&self.table).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(false),
            Err(error) => Err(self.failed("DescribeTable", &error)),
        }
    }

    /// A letter and its body.
    pub(super) async fn kept(&self, id: &str) -> Result<Option<Kept>, StoreError> {
        if !is_key(id) {
            return Ok(None);
        }
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", text(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| self.failed("GetItem", &e))?;
        answer.item().map(kept).transpose()
    }

    /// Letters and their bodies, by id.
    pub(super) async fn by_ids(&self, ids: &[String]) -> Result<HashMap<String, Kept>, StoreError> {
        let mut wanted: Vec<&String> = ids.iter().filter(|id| is_key(id)).collect();
        wanted.sort();
        wanted.dedup();
        let keys: Vec<Item> = wanted.into_iter().map(|id| Item::from([("id".to_owned(), text(id))])).collect();
        let found = by_keys(&self.client, STORE, &self.table, &keys, |e| self.failed("BatchGetItem", e)).await?;
        let pairs = found.iter().map(|item| kept(item).map(|kept| (kept.letter.id.clone(), kept)));
        pairs.collect()
    }

    /// The letters of an event that are being redriven.
    pub(super) async fn redriving(&self, event_id: &str) -> Result<Vec<Kept>, StoreError> {
        let query = self
            .query(LetterStatus::Redriving, (0, i64::MAX))
            .filter_expression("eventId = :event")
            .expression_attribute_values(":event", text(event_id));
        let found = items(query, usize::MAX).await.map_err(|e| self.failed("Query", &e))?;
        found.iter().map(kept).collect()
    }

    /// How many letters have a status.
    async fn count_of(&self, status: LetterStatus) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0, None);
        loop {
            let query = self
                .query(status, (0, i64::MAX))
                .select(Select::Count)
                .set_exclusive_start_key(start);
            let answer = query.send().await.map_err(|e| self.failed("Query", &e))?;
            count += u64::try_from(answer.count()).unwrap_or(0);
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    /// Whether any letter is being redriven.
    pub(super) async fn any_redriving(&self) -> Result<bool, StoreError> {
        let query = self.query(LetterStatus::Redriving, (0, i64::MAX)).limit(1);
        let answer = query.send().await.map_err(|e| self.failed("Query", &e))?;
        Ok(!answer.items().is_empty())
    }

    fn query(&self, status: LetterStatus, span: (i64, i64)) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("#status = :status AND failedAt BETWEEN :oldest AND :newest")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.name()))
            .expression_attribute_values(":oldest", number(span.0))
            .expression_attribute_values(":newest", number(span.1))
    }

    async fn find(
        &self,
        filter: &LetterFilter,
        size: usize,
        limit: i32,
        from: Option<&str>,
    ) -> Result<(Vec<Kept>, Option<String>), StoreError> {
        filter.check()?;
        let from = from.map(read_cursor).transpose()?;
        let newest = filter.to.map_or(i64::MAX, |to| to.0.saturating_sub(1));
        let newest = from.as_ref().map_or(newest, |(at, _)| newest.min(*at));
        let span = (filter.from.map_or(0, |from| from.0), newest);
        let statuses: Vec<LetterStatus> = filter.status.map_or_else(|| LetterStatus::ALL.to_vec(), |only| vec![only]);
        let sources = statuses
            .into_iter()
            .map(|status| OfStatus {
                store: self,
                status,
                span,
                limit,
                start: None,
            })
            .collect();
        let needle = filter.q.as_ref().map(|q| q.to_lowercase());
        let fits = |kept: &Kept| matches(filter, needle.as_deref(), kept);
        let budget = Budget {
            searched: SEARCH_LIMIT,
            rounds: ROUNDS,
        };
        let found = page(sources, from.as_ref(), size, fits, budget).await?;
        Ok((found.items, found.next.map(|(at, id)| format!("{at}.{id}"))))
    }

    /// All that match, newest first.
    pub(super) async fn all(&self, filter: LetterFilter) -> Result<Vec<Letter>, StoreError> {
        let (mut letters, mut next) = (Vec::new(), None);
        loop {
            let (found, more) = self.find(&filter, usize::MAX, 1_000, next.as_deref()).await?;
            letters.extend(found.into_iter().map(|kept| kept.letter));
            next = more;
            if next.is_none() {
                return Ok(letters);
            }
        }
    }
}

#[async_trait]
impl Letters for DynamoLetters {
    async fn list(&self, filter: &LetterFilter, limit: u32, from: Option<&str>) -> Result<Page<Letter>, StoreError> {
        check_limit(limit)?;
        let batch = i32::try_from(limit + 2).unwrap_or(i32::MAX);
        let (found, next) = self.find(filter, limit as usize, batch, from).await?;
        Ok(Page {
            items: found.into_iter().map(|kept| kept.letter).collect(),
            next,
        })
    }

    async fn count(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        Ok(self.all(filter.clone()).await?.len() as u64)
    }

    async fn get(&self, id: &str) -> Result<Option<LetterDetail>, StoreError> {
        let Some(Kept { letter, body }) = self.kept(id).await? else {
            return Ok(None);
        };
        // What the ledger knows of the event; where there is none, nothing is.
        let account = match &letter.event_id {
            Some(event_id) => match self.ledger.read(event_id).await {
                Ok(known) => known.account,
                Err(StoreError::NotOffered { .. }) => Account::default(),
                Err(error) => return Err(error),
            },
            None => Account::default(),
        };
        Ok(Some(LetterDetail {
            history: account.attempts(&letter.consumer).to_vec(),
            done_by: account.done_by(),
            letter,
            body,
            operations: Vec::new(),
        }))
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        let letters = self.open().await?;
        let mut by_consumer = BTreeMap::<String, u64>::new();
        for letter in letters.iter() {
            *by_consumer.entry(letter.consumer.clone()).or_default() += 1;
        }
        let redriving = self.count_of(LetterStatus::Redriving).await?;
        Ok(Depth {
            open: letters.len() as u64,
            redriving,
            oldest: letters.iter().map(|letter| letter.failed_at).min(),
            by_consumer: by_consumer.into_iter().collect(),
        })
    }

    async fn groups(&self) -> Result<Vec<LetterGroup>, StoreError> {
        let mut groups = BTreeMap::<(String, String), LetterGroup>::new();
        // Newest first: the first of a group is its example.
        for letter in self.open().await?.iter() {
            let key = (letter.consumer.clone(), letter.error_code.clone());
            let group = groups.entry(key).or_insert_with(|| LetterGroup {
                consumer: letter.consumer.clone(),
                error_code: letter.error_code.clone(),
                example: letter.error_message.clone(),
                open: 0,
                first: letter.failed_at,
                last: letter.failed_at,
            });
            group.open += 1;
            group.first = group.first.min(letter.failed_at);
            group.last = group.last.max(letter.failed_at);
        }
        let mut groups: Vec<LetterGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.open));
        Ok(groups)
    }
}
