//! Which indexes the table has: found by what they are over, whatever they are called.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{IndexStatus, KeySchemaElement, KeyType, ProjectionType};

use super::STORE;
use crate::aws::error::failed;
use crate::ports::StoreError;

/// The indexes with `timestamp` as their range and all attributes.
#[derive(Debug)]
pub(super) struct Indexes {
    table: String,
    /// By the attribute that they are partitioned by.
    by_attribute: HashMap<String, String>,
}

impl Indexes {
    pub(super) async fn of(client: &Client, table: &str) -> Result<Self, StoreError> {
        let answer = client
            .describe_table()
            .table_name(table)
            .send()
            .await
            .map_err(|e| failed(STORE, &format!("DescribeTable of {table}"), &e))?;
        let description = answer.table();
        let key = |schema: &[KeySchemaElement], kind: &KeyType| {
            let element = schema.iter().find(|element| element.key_type() == kind);
            element.map(|element| element.attribute_name().to_owned())
        };
        let by_attribute = description
            .map(|table| table.global_secondary_indexes())
            .unwrap_or_default()
            .iter()
            .filter(|index| {
                // One that is being filled can't be asked yet.
                let ready = !matches!(index.index_status(), Some(IndexStatus::Creating | IndexStatus::Deleting));
                let whole = index.projection().and_then(|p| p.projection_type()) == Some(&ProjectionType::All);
                ready && whole && key(index.key_schema(), &KeyType::Range).as_deref() == Some("timestamp")
            })
            .filter_map(|index| Some((key(index.key_schema(), &KeyType::Hash)?, index.index_name()?.to_owned())))
            .collect();
        Ok(Self {
            table: table.to_owned(),
            by_attribute,
        })
    }

    /// The index that is partitioned by `attribute`.
    pub(super) fn of_attribute(&self, attribute: &str) -> Option<&str> {
        self.by_attribute.get(attribute).map(String::as_str)
    }

    /// There is none.
    pub(super) fn missing(&self, attribute: &str) -> StoreError {
        StoreError::NotOffered {
            what: format!(
                "this list of events: {} has no global index over {attribute} and timestamp with all attributes",
                self.table
            )
            .into(),
        }
    }
}
