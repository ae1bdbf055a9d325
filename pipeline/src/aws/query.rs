//! Questions whose answer comes in parts: each part of a query's is at most a megabyte, and of a hundred keys some may be left.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::again::{TRIES, wait};
use super::attribute::Item;
use crate::ports::StoreError;

/// What a query finds, asked on for until there is nothing more, or as many as `enough`.
pub(super) async fn items(query: QueryFluentBuilder, enough: usize) -> Result<Vec<Item>, SdkError<QueryError>> {
    let (mut items, mut start) = (Vec::new(), None);
    loop {
        let answer = query.clone().set_exclusive_start_key(start).send().await?;
        start = answer.last_evaluated_key;
        items.extend(answer.items.unwrap_or_default());
        if start.is_none() || items.len() >= enough {
            items.truncate(enough);
            return Ok(items);
        }
    }
}

/// The most keys of one call.
const KEYS: usize = 100;

/// The items of a table that have one of `keys`, each given once; consistent. `failed` says what an error means, `what` is the store's
/// name in errors.
pub(super) async fn by_keys(
    client: &Client,
    what: &'static str,
    table: &str,
    keys: &[Item],
    failed: impl Fn(&SdkError<BatchGetItemError>) -> StoreError,
) -> Result<Vec<Item>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for some in keys.chunks(KEYS) {
        let asked = KeysAndAttributes::builder()
            .set_keys(Some(some.to_vec()))
            .consistent_read(true)
            .build();
        let mut asked = Some(asked.unwrap_or_else(|e| unreachable!("it has keys: {e}")));
        for attempt in 0..TRIES {
            let Some(keys) = asked.take() else { break };
            let answer = client
                .batch_get_item()
                .request_items(table, keys)
                .send()
                .await
                .map_err(|e| failed(&e))?;
            asked = answer.unprocessed_keys.and_then(|mut left| left.remove(table));
            found.extend(answer.responses.and_then(|mut all| all.remove(table)).unwrap_or_default());
            if asked.is_some() {
                wait(attempt).await;
            }
        }
        if asked.is_some() {
            return Err(StoreError::Unavailable {
                what,
                reason: format!("BatchGetItem of {table}: throttled"),
            });
        }
    }
    Ok(found)
}
