//! The flags and their history.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Failure, Sqlite};
use crate::event::InvalidField;
use crate::flag::{FlagChange, FlagRecord, FlagState, Flags, GLOBAL_SCOPE};
use crate::ports::{FlagError, FlagStore, StoreError};
use crate::time::Timestamp;

fn get(connection: &Connection, scope: &str) -> Result<Option<FlagState>, Failure> {
    Ok(connection
        .prepare_cached("SELECT publishing,direct,version,changed_at FROM flag WHERE scope=?1")?
        .query_row([scope], |row| {
            Ok(FlagState {
                scope: scope.to_owned(),
                flags: Flags {
                    publishing: row.get(0)?,
                    direct: row.get(1)?,
                },
                version: row.get(2)?,
                changed_at: Some(Timestamp(row.get(3)?)),
            })
        })
        .optional()?)
}

/// A scope that was never set is at version 0, with the flags it would get from the global scope.
fn current(connection: &Connection, scope: &str) -> Result<FlagState, Failure> {
    if let Some(state) = get(connection, scope)? {
        return Ok(state);
    }
    let flags = if scope == GLOBAL_SCOPE {
        Flags::default()
    } else {
        current(connection, GLOBAL_SCOPE)?.flags
    };
    Ok(FlagState {
        scope: scope.to_owned(),
        flags,
        version: 0,
        changed_at: None,
    })
}

/// Whether events of a source are published, within a transaction.
pub(super) fn publishing(connection: &Connection, source: &str) -> Result<bool, Failure> {
    Ok(current(connection, source)?.flags.publishing)
}

#[async_trait]
impl FlagStore for Sqlite {
    async fn effective(&self, source: &str) -> Result<Flags, StoreError> {
        let source = source.to_owned();
        self.read(move |connection| Ok(current(connection, &source)?.flags)).await
    }

    async fn all(&self) -> Result<Vec<FlagState>, StoreError> {
        self.read(|connection| {
            let scopes: Vec<String> = connection
                .prepare_cached("SELECT scope FROM flag WHERE scope != 'global' ORDER BY scope")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            std::iter::once(GLOBAL_SCOPE.to_owned())
                .chain(scopes)
                .map(|scope| current(connection, &scope))
                .collect()
        })
        .await
    }

    async fn set(&self, change: &FlagChange, actor: &str, criteria: &[String]) -> Result<FlagState, FlagError> {
        if !change.publishing && !change.direct {
            return Err(FlagError::BothOff);
        }
        for (field, value, max) in [("reason", &change.reason, 500), ("scope", &change.scope, 128)] {
            if value.trim().is_empty() {
                return Err(InvalidField::new(field, "is empty").into());
            }
            if value.len() > max {
                return Err(InvalidField::new(field, format!("is longer than {max} bytes")).into());
            }
        }
        let (change, actor, criteria) = (change.clone(), actor.to_owned(), criteria.join("\n"));
        let outcome = self
            .write(move |write| {
                let before = current(write.connection, &change.scope)?;
                if before.version != change.expected_version {
                    return Ok(Err(before));
                }
                let (version, now) = (before.version + 1, Timestamp::now().0);
                write
                    .connection
                    .prepare_cached("INSERT INTO flag VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET publishing=?2, direct=?3, version=?4, changed_at=?5")?
                    .execute(params![change.scope, change.publishing, change.direct, version, now])?;
                write
                    .connection
                    .prepare_cached(
                        "INSERT INTO flag_change(scope,version,from_publishing,from_direct,to_publishing,to_direct,actor,reason,at,criteria) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
                    )?
                    .execute(params![
                        change.scope,
                        version,
                        before.flags.publishing,
                        before.flags.direct,
                        change.publishing,
                        change.direct,
                        actor,
                        change.reason.trim(),
                        now,
                        criteria
                    ])?;
                Ok(Ok(current(write.connection, &change.scope)?))
            })
            .await?;
        outcome.map_err(FlagError::VersionMoved)
    }

    async fn history(&self, limit: u32) -> Result<Vec<FlagRecord>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT scope,version,from_publishing,from_direct,to_publishing,to_direct,actor,reason,at,criteria FROM flag_change ORDER BY id DESC LIMIT ?1";
            Ok(connection
                .prepare_cached(sql)?
                .query_map([limit], |row| {
                    Ok(FlagRecord {
                        scope: row.get(0)?,
                        version: row.get(1)?,
                        from: Flags { publishing: row.get(2)?, direct: row.get(3)? },
                        to: Flags { publishing: row.get(4)?, direct: row.get(5)? },
                        actor: row.get(6)?,
                        reason: row.get(7)?,
                        at: Timestamp(row.get(8)?),
                        criteria: row.get::<_, String>(9)?.lines().map(ToOwned::to_owned).collect(),
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}
