//! What is written together with other things.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::{PutBuilder, UpdateBuilder};

use crate::ports::StoreError;

/// `what` is the store's name in errors.
pub(super) fn put(what: &'static str, put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|e| incomplete(what, &e))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// `what` is the store's name in errors.
pub(super) fn update(what: &'static str, update: UpdateBuilder) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(|e| incomplete(what, &e))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn incomplete(what: &'static str, error: &BuildError) -> StoreError {
    StoreError::Corrupt {
        what,
        reason: error.to_string(),
    }
}
