//! The flags and their history.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Failure, Sqlite};
use crate::flag::{FlagChange, FlagRecord, FlagState, Flags, GLOBAL_SCOPE};
use crate::ports::{FlagError, FlagStore, StoreError};
use crate::time::Timestamp;

fn get(connection: &Connection, scope: &str) -> Result<Option<FlagState>, Failure> {
    Ok(connection
        .prepare_cached("SELECT publishing,direct,version,changed_at,inherited FROM flag WHERE scope=?1")?
        .query_row([scope], |row| {
            Ok(FlagState {
                scope: scope.to_owned(),
                flags: Flags {
                    publishing: row.get(0)?,
                    direct: row.get(1)?,
                },
                inherited: row.get(4)?,
                version: row.get(2)?,
                changed_at: Some(Timestamp(row.get(3)?)),
            })
        })
        .optional()?)
}

/// A scope that was never set is at version 0.
fn current(connection: &Connection, scope: &str) -> Result<FlagState, Failure> {
    let own = get(connection, scope)?.unwrap_or_else(|| FlagState {
        scope: scope.to_owned(),
        flags: Flags::default(),
        inherited: scope != GLOBAL_SCOPE,
        version: 0,
        changed_at: None,
    });
    if own.inherited {
        let flags = current(connection, GLOBAL_SCOPE)?.flags;
        return Ok(FlagState { flags, ..own });
    }
    Ok(own)
}

/// Whether events of a source are published, within a transaction.
pub(super) fn publishing(connection: &Connection, source: &str) -> Result<bool, Failure> {
    Ok(current(connection, source)?.flags.publishing)
}

#[async_trait]
impl FlagStore for Sqlite {
    fn followed(&self) -> bool {
        true
    }

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
        change.check()?;
        let (change, actor, criteria) = (change.clone(), actor.to_owned(), criteria.join("\n"));
        let outcome = self
            .write(move |write| {
                let before = current(write.connection, &change.scope)?;
                if before.version != change.expected_version {
                    return Ok(Err(before));
                }
                let (version, now, inherited) = (before.version + 1, Timestamp::now().0, change.to.is_none());
                let to = match change.to {
                    Some(flags) => flags,
                    None => current(write.connection, GLOBAL_SCOPE)?.flags,
                };
                write
                    .connection
                    .prepare_cached("INSERT INTO flag(scope,publishing,direct,version,changed_at,inherited) VALUES(?1,?2,?3,?4,?5,?6)
                         ON CONFLICT DO UPDATE SET publishing=?2, direct=?3, version=?4, changed_at=?5, inherited=?6")?
                    .execute(params![change.scope, to.publishing, to.direct, version, now, inherited])?;
                write
                    .connection
                    .prepare_cached(
                        "INSERT INTO flag_change(scope,version,from_publishing,from_direct,to_publishing,to_direct,actor,reason,at,criteria,inherited) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
                    )?
                    .execute(params![
                        change.scope,
                        version,
                        before.flags.publishing,
                        before.flags.direct,
                        to.publishing,
                        to.direct,
                        actor,
                        change.reason.trim(),
                        now,
                        criteria,
                        inherited
                    ])?;
                Ok(Ok(current(write.connection, &change.scope)?))
            })
            .await?;
        outcome.map_err(FlagError::VersionMoved)
    }

    async fn history(&self, limit: u32) -> Result<Vec<FlagRecord>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT scope,version,from_publishing,from_direct,to_publishing,to_direct,actor,reason,at,criteria,inherited FROM flag_change ORDER BY id DESC LIMIT ?1";
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
                        inherited: row.get(10)?,
                        criteria: row.get::<_, String>(9)?.lines().map(ToOwned::to_owned).collect(),
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }
}
