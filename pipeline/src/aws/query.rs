//! Queries whose answer comes in parts: each part is at most a megabyte.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::attribute::Item;

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
