//! The two flags, in a table of Cutover's own: a state for each scope, and every change; and in the environment of functions that
//! read them there.

mod functions;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use rand::RngExt;

use super::attribute::Item;
use super::error::own_failed;
use super::names::FlagFunctionName;
use super::query::items;
use super::record::{Record, number, text};
use super::{Connection, Names};
use crate::flag::{FlagChange, FlagFunction, FlagRecord, FlagState, Flags, GLOBAL_SCOPE};
use crate::ports::{FlagError, FlagStore, StoreError};
use crate::time::Timestamp;
use functions::{Environments, Found};

/// The table's name in errors.
const STORE: &str = "the flags table";
/// The partition of the states, by scope.
const STATE: &str = "state";
/// The partition of the changes, by when they were made.
const CHANGE: &str = "change";
/// How often a change is tried when others are made at the same moment.
const TRIES: u32 = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct DynamoFlags {
    client: Client,
    table: String,
    environments: Environments,
}

fn item<const N: usize>(fields: [(&str, AttributeValue); N]) -> Item {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn truth(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

fn state(item: &Item) -> Result<FlagState, StoreError> {
    let record = Record { what: STORE, item };
    Ok(FlagState {
        scope: record.text("key")?,
        flags: Flags {
            publishing: record.truth("publishing")?,
            direct: record.truth("direct")?,
        },
        inherited: record.truth("inherited")?,
        version: record.number("version")?,
        changed_at: Some(Timestamp(record.number("at")?)),
    })
}

fn change(item: &Item) -> Result<FlagRecord, StoreError> {
    let record = Record { what: STORE, item };
    let flags = |publishing, direct| {
        Ok::<_, StoreError>(Flags {
            publishing: record.truth(publishing)?,
            direct: record.truth(direct)?,
        })
    };
    Ok(FlagRecord {
        scope: record.text("scope")?,
        version: record.number("version")?,
        from: flags("fromPublishing", "fromDirect")?,
        to: flags("publishing", "direct")?,
        inherited: record.truth("inherited")?,
        actor: record.text("actor")?,
        reason: record.text("reason")?,
        at: Timestamp(record.number("at")?),
        criteria: record.text("criteria")?.lines().map(ToOwned::to_owned).collect(),
    })
}

impl DynamoFlags {
    pub(super) fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            table: names.flags_table(),
            environments: Environments::new(connection, names),
        }
    }

    async fn own(&self, scope: &str) -> Result<Option<FlagState>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("kind", text(STATE))
            .key("key", text(scope))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| own_failed(STORE, &format!("GetItem of {}", self.table), &e))?;
        answer.item().map(state).transpose()
    }

    /// A scope that was never set is at version 0, and inherits.
    async fn current(&self, scope: &str) -> Result<FlagState, StoreError> {
        let own = self.own(scope).await?.unwrap_or_else(|| FlagState {
            scope: scope.to_owned(),
            flags: Flags::default(),
            inherited: scope != GLOBAL_SCOPE,
            version: 0,
            changed_at: None,
        });
        if !own.inherited {
            return Ok(own);
        }
        let global = self.own(GLOBAL_SCOPE).await?;
        Ok(FlagState {
            flags: global.map(|global| global.flags).unwrap_or_default(),
            ..own
        })
    }

    async fn partition(&self, kind: &str, newest_first: bool, enough: usize) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind))
            .scan_index_forward(!newest_first)
            .consistent_read(true);
        let found = items(query, enough).await;
        found.map_err(|e| own_failed(STORE, &format!("Query of {}", self.table), &e))
    }

    /// The flags that each function should have, in their order.
    async fn wanted(&self) -> Result<Vec<Flags>, StoreError> {
        if self.environments.names.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all().await?;
        let of = |scope: &str| all.iter().find(|state| state.scope == scope).map(|state| state.flags);
        let global = of(GLOBAL_SCOPE).unwrap_or_default();
        Ok(self
            .environments
            .names
            .iter()
            .map(|name| of(&name.scope).unwrap_or(global))
            .collect())
    }

    fn compare(&self, wanted: &[Flags], found: &[Found]) -> Vec<FlagFunction> {
        let all = self.environments.names.iter().zip(wanted).zip(found);
        let one = |((name, wanted), found): ((&FlagFunctionName, &Flags), &Found)| FlagFunction {
            function: name.function.clone(),
            scope: name.scope.clone(),
            wanted: *wanted,
            found: found.flags,
            fault: found.fault.clone(),
            settling: found.settling,
        };
        all.map(one).collect()
    }

    /// Both or none. Of two that are made at the same moment DynamoDB cancels one, or both: those are tried again.
    async fn write(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError, HttpResponse>> {
        let mut tries = 0;
        loop {
            // The SDK gives the call a token: sent again after an answer that was lost, it is made once.
            let call = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let answer = call.send().await;
            let reasons = match answer.as_ref().err().and_then(SdkError::as_service_error) {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
                _ => return answer,
            };
            tries += 1;
            let conflict = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
            if !conflict || tries == TRIES {
                return answer;
            }
            let pause = rand::rng().random_range(5..=50);
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        }
    }
}

#[async_trait]
impl FlagStore for DynamoFlags {
    /// Those that read their environment follow what is written there.
    fn followed(&self) -> bool {
        !self.environments.names.is_empty()
    }

    async fn effective(&self, source: &str) -> Result<Flags, StoreError> {
        Ok(self.current(source).await?.flags)
    }

    async fn all(&self) -> Result<Vec<FlagState>, StoreError> {
        let found = self.partition(STATE, false, usize::MAX).await?;
        let states: Vec<FlagState> = found.iter().map(state).collect::<Result<_, _>>()?;
        let (global, others): (Vec<_>, Vec<_>) = states.into_iter().partition(|state| state.scope == GLOBAL_SCOPE);
        let global = match global.into_iter().next() {
            Some(global) => global,
            None => self.current(GLOBAL_SCOPE).await?,
        };
        let flags = global.flags;
        let others = others.into_iter().map(|state| FlagState {
            flags: if state.inherited { flags } else { state.flags },
            ..state
        });
        Ok(std::iter::once(global).chain(others).collect())
    }

    async fn set(&self, wish: &FlagChange, actor: &str, criteria: &[String]) -> Result<FlagState, FlagError> {
        wish.check()?;
        let before = self.current(&wish.scope).await?;
        if before.version != wish.expected_version {
            return Err(FlagError::VersionMoved(before));
        }
        let to = match wish.to {
            Some(flags) => flags,
            None => self.current(GLOBAL_SCOPE).await?.flags,
        };
        // Clocks of several instances differ; a scope's history doesn't go back in time.
        let now = Timestamp::now().max(before.changed_at.unwrap_or_default());
        let version = before.version + 1;
        let after = item([
            ("kind", text(STATE)),
            ("key", text(&wish.scope)),
            ("publishing", truth(to.publishing)),
            ("direct", truth(to.direct)),
            ("inherited", truth(wish.to.is_none())),
            ("version", number(version)),
            ("at", number(now.0)),
        ]);
        let made = item([
            ("kind", text(CHANGE)),
            // By time, then by version; the scope keeps apart what two scopes do in the same millisecond.
            ("key", text(format!("{:020}.{version:020}.{}", now.0, wish.scope))),
            ("scope", text(&wish.scope)),
            ("version", number(version)),
            ("fromPublishing", truth(before.flags.publishing)),
            ("fromDirect", truth(before.flags.direct)),
            ("publishing", truth(to.publishing)),
            ("direct", truth(to.direct)),
            ("inherited", truth(wish.to.is_none())),
            ("actor", text(actor)),
            ("reason", text(wish.reason.trim())),
            ("at", number(now.0)),
            ("criteria", text(criteria.join("\n"))),
        ]);
        let put = |item: Item| Put::builder().table_name(&self.table).set_item(Some(item));
        let (condition, values) = match before.version {
            0 => ("attribute_not_exists(version)", None),
            version => ("version = :version", Some(("version", version))),
        };
        let mut guarded = put(after).condition_expression(condition);
        if let Some((_, version)) = values {
            guarded = guarded.expression_attribute_values(":version", number(version));
        }
        let writes = [guarded, put(made)].map(|put| {
            let put = put.build().map_err(|e| StoreError::Corrupt {
                what: STORE,
                reason: e.to_string(),
            })?;
            Ok::<_, StoreError>(TransactWriteItem::builder().put(put).build())
        });
        let writes = writes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let written = self.write(writes).await;
        match written {
            Ok(_) => Ok(FlagState {
                scope: wish.scope.clone(),
                flags: to,
                inherited: wish.to.is_none(),
                version,
                changed_at: Some(now),
            }),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => {
                let now = self.current(&wish.scope).await?;
                if now.version == wish.expected_version {
                    // Cancelled for another reason than a version that moved: another transaction at the same moment, say.
                    return Err(own_failed(STORE, &format!("TransactWriteItems in {}", self.table), &error).into());
                }
                Err(FlagError::VersionMoved(now))
            }
            Err(error) => {
                // Its answer may be what was lost.
                let there = self.own(&wish.scope).await.ok().flatten();
                let ours = there.filter(|state| state.version == version && state.changed_at == Some(now) && state.flags == to);
                ours.ok_or_else(|| own_failed(STORE, &format!("TransactWriteItems in {}", self.table), &error).into())
            }
        }
    }

    async fn history(&self, limit: u32) -> Result<Vec<FlagRecord>, StoreError> {
        let changes = self.partition(CHANGE, true, limit as usize).await?;
        changes.iter().map(change).collect()
    }

    async fn functions(&self) -> Result<Vec<FlagFunction>, StoreError> {
        let found = self.environments.found().await?;
        Ok(self.compare(&self.wanted().await?, &found))
    }

    async fn write_functions(&self) -> Result<Vec<FlagFunction>, StoreError> {
        let wanted = self.wanted().await?;
        let written = self.environments.write(&wanted).await;
        Ok(self.compare(&wanted, &written))
    }
}
