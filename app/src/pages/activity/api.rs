//! What the activity page reads.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::activity::Activity;
use pipeline::page::Page;

use crate::error::AppError;

/// Reads a page of the record, from `cursor` on; empty for the newest.
#[server(prefix = "/fn", endpoint = "activity", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_activity(#[server(default)] cursor: String) -> Result<Page<Activity>, AppError> {
    use crate::context::{answer, desk};
    answer(
        desk()
            .ports
            .activity
            .list(50, (!cursor.is_empty()).then_some(cursor.as_str()))
            .await
            .map_err(Into::into),
    )
}
