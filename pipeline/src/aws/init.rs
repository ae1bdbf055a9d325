//! Making Cutover's own tables in an account: what is missing, and nothing else. Done again, it goes on where it was.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ContinuousBackupsStatus, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, PointInTimeRecoverySpecification, PointInTimeRecoveryStatus,
    Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use super::error::failed;
use super::schema::{Attribute, Key, OWN_TABLES, Schema};
use super::{Connection, Names};
use crate::ports::StoreError;

/// The tables' name in errors.
const STORE: &str = "the account";
/// How often one looks whether a table is ready.
const LOOK: Duration = Duration::from_millis(500);
/// How long it may take: an index over a table that has items is filled first.
const READY_WITHIN: Duration = Duration::from_secs(600);
/// The attribute that items are forgotten by.
const TTL: &str = "ttl";

/// What is to be done to one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is created, with its indexes.
    Create,
    /// It gets an index that it lacks.
    Index(&'static str),
    /// Items are forgotten by their `ttl` from now on.
    Expire,
    /// It can be restored to any second of the last 35 days from now on.
    Protect,
}

/// A deed, and to which table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The table's name.
    pub table: String,
    /// What is done.
    pub deed: Deed,
    schema: Schema,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, holds) = (&self.table, self.schema.holds);
        match self.deed {
            Deed::Create => write!(f, "create the table {table}, for {holds}; on demand"),
            Deed::Index(index) => write!(f, "add the index {index} to {table}"),
            Deed::Expire => write!(f, "have {table} forget items by their attribute {TTL}"),
            Deed::Protect => write!(f, "switch point-in-time recovery of {table} on"),
        }
    }
}

/// Makes the tables.
#[derive(Debug)]
pub struct Maker {
    client: Client,
    names: Names,
}

impl Maker {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            names: names.clone(),
        }
    }

    /// What is missing, in the order in which it is to be done. Nothing is changed.
    ///
    /// # Errors
    /// The account doesn't answer or doesn't allow to look, or a table of that name has another key: it is somebody else's.
    pub async fn plan(&self) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        for schema in OWN_TABLES {
            let table = schema.name(&self.names);
            let step = |deed| Step {
                table: table.clone(),
                deed,
                schema,
            };
            let mut missing = Vec::new();
            if let Some(there) = self.describe(&table).await? {
                if keys(there.key_schema()) != parts(&schema.key) {
                    return Err(StoreError::Corrupt {
                        what: STORE,
                        reason: format!(
                            "there is a table {table} with another key than Cutover's: set aws.own_tables to a beginning that is Cutover's alone"
                        ),
                    });
                }
                let known = |index: &str| {
                    there
                        .global_secondary_indexes()
                        .iter()
                        .any(|known| known.index_name() == Some(index))
                };
                missing.extend(
                    schema
                        .indexes
                        .iter()
                        .filter(|(index, _)| !known(index))
                        .map(|(index, _)| Deed::Index(index)),
                );
                if schema.expires && !self.expires(&table).await? {
                    missing.push(Deed::Expire);
                }
                if !schema.disposable && !self.is_protected(&table).await? {
                    missing.push(Deed::Protect);
                }
            } else {
                missing.push(Deed::Create);
                missing.extend(schema.expires.then_some(Deed::Expire));
                missing.extend((!schema.disposable).then_some(Deed::Protect));
            }
            steps.extend(missing.into_iter().map(step));
        }
        Ok(steps)
    }

    /// Whether the event store is there: tables without one are in the wrong place, or early.
    ///
    /// # Errors
    /// The account doesn't answer or doesn't allow to look.
    pub async fn is_beside_a_pipeline(&self) -> Result<bool, StoreError> {
        self.describe(&self.names.event_store_table).await.map(|there| there.is_some())
    }

    /// Does one step, and waits until the table is ready again.
    ///
    /// # Errors
    /// The account doesn't answer, doesn't allow it, or doesn't come to an end.
    pub async fn make(&self, step: &Step) -> Result<(), StoreError> {
        let Step { table, deed, schema } = step;
        match deed {
            Deed::Create => self.create(table, schema).await?,
            Deed::Index(index) => {
                if let Some((_, key)) = schema.indexes.iter().find(|(name, _)| name == index) {
                    self.add(table, schema, index, key).await?;
                }
            }
            Deed::Expire => {
                let specification = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true);
                let call = self.client.update_time_to_live().table_name(table);
                let done = call.time_to_live_specification(built(specification.build())).send().await;
                done.map_err(|e| failed(STORE, &format!("UpdateTimeToLive of {table}"), &e))?;
            }
            Deed::Protect => {
                let specification = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true);
                let call = self.client.update_continuous_backups().table_name(table);
                let done = call.point_in_time_recovery_specification(built(specification.build())).send().await;
                done.map_err(|e| failed(STORE, &format!("UpdateContinuousBackups of {table}"), &e))?;
            }
        }
        self.ready(table).await
    }

    async fn create(&self, table: &str, schema: &Schema) -> Result<(), StoreError> {
        let indexes = schema.indexes.iter().map(|(name, key)| {
            let index = GlobalSecondaryIndex::builder()
                .index_name(*name)
                .set_key_schema(Some(elements(key)))
                .projection(whole());
            built(index.build())
        });
        let indexes: Vec<GlobalSecondaryIndex> = indexes.collect();
        let created = self
            .client
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(elements(&schema.key)))
            .set_attribute_definitions(Some(definitions(
                std::iter::once(&schema.key).chain(schema.indexes.iter().map(|(_, key)| key)),
            )))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            // Somebody else does the same at the moment.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => Ok(()),
            Err(error) => Err(failed(STORE, &format!("CreateTable of {table}"), &error)),
        }
    }

    async fn add(&self, table: &str, schema: &Schema, index: &str, key: &Key) -> Result<(), StoreError> {
        let action = CreateGlobalSecondaryIndexAction::builder()
            .index_name(index)
            .set_key_schema(Some(elements(key)))
            .projection(whole());
        let update = GlobalSecondaryIndexUpdate::builder().create(built(action.build())).build();
        let added = self
            .client
            .update_table()
            .table_name(table)
            .set_attribute_definitions(Some(definitions([&schema.key, key])))
            .global_secondary_index_updates(update)
            .send()
            .await;
        added.map(drop).map_err(|e| failed(STORE, &format!("UpdateTable of {table}"), &e))
    }

    async fn describe(&self, table: &str) -> Result<Option<TableDescription>, StoreError> {
        match self.client.describe_table().table_name(table).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(failed(STORE, &format!("DescribeTable of {table}"), &error)),
        }
    }

    async fn expires(&self, table: &str) -> Result<bool, StoreError> {
        let answer = self.client.describe_time_to_live().table_name(table).send().await;
        let answer = answer.map_err(|e| failed(STORE, &format!("DescribeTimeToLive of {table}"), &e))?;
        let status = answer
            .time_to_live_description
            .and_then(|description| description.time_to_live_status);
        Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
    }

    async fn is_protected(&self, table: &str) -> Result<bool, StoreError> {
        let answer = self.client.describe_continuous_backups().table_name(table).send().await;
        let answer = answer.map_err(|e| failed(STORE, &format!("DescribeContinuousBackups of {table}"), &e))?;
        Ok(answer.continuous_backups_description.is_some_and(|backups| {
            let recovery = backups
                .point_in_time_recovery_description
                .and_then(|recovery| recovery.point_in_time_recovery_status);
            backups.continuous_backups_status == ContinuousBackupsStatus::Enabled && recovery == Some(PointInTimeRecoveryStatus::Enabled)
        }))
    }

    /// Waits until the table and all its indexes can be used.
    async fn ready(&self, table: &str) -> Result<(), StoreError> {
        let looking = async {
            loop {
                let is_ready = self.describe(table).await?.is_some_and(|there| {
                    let indexes = there.global_secondary_indexes();
                    there.table_status() == Some(&TableStatus::Active)
                        && indexes
                            .iter()
                            .all(|index| index.index_status().is_none_or(|status| *status == IndexStatus::Active))
                });
                if is_ready {
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, looking).await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                what: STORE,
                reason: format!(
                    "{table} is not ready after {} minutes; look again later",
                    READY_WITHIN.as_secs() / 60
                ),
            })
        })
    }
}

/// A part of a request; all that it needs is given.
fn built<T, E: fmt::Display>(part: Result<T, E>) -> T {
    part.unwrap_or_else(|e| unreachable!("all that it needs is given: {e}"))
}

fn whole() -> Projection {
    Projection::builder().projection_type(ProjectionType::All).build()
}

fn elements(key: &Key) -> Vec<KeySchemaElement> {
    let element = |attribute: Attribute, kind| built(KeySchemaElement::builder().attribute_name(attribute.name).key_type(kind).build());
    let partition = element(key.partition, KeyType::Hash);
    std::iter::once(partition)
        .chain(key.sort.map(|sort| element(sort, KeyType::Range)))
        .collect()
}

/// Each attribute once.
fn definitions<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<AttributeDefinition> {
    let all = keys.into_iter().flat_map(|key| std::iter::once(key.partition).chain(key.sort));
    let all: BTreeMap<&str, bool> = all.map(|attribute| (attribute.name, attribute.is_number)).collect();
    let definition = |(name, is_number)| {
        let kind = if is_number {
            ScalarAttributeType::N
        } else {
            ScalarAttributeType::S
        };
        built(AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build())
    };
    all.into_iter().map(definition).collect()
}

fn parts(key: &Key) -> (Option<&str>, Option<&str>) {
    (Some(key.partition.name), key.sort.map(|sort| sort.name))
}

fn keys(schema: &[KeySchemaElement]) -> (Option<&str>, Option<&str>) {
    let part = |kind: &KeyType| {
        let element = schema.iter().find(|element| element.key_type() == kind);
        element.map(KeySchemaElement::attribute_name)
    };
    (part(&KeyType::Hash), part(&KeyType::Range))
}
