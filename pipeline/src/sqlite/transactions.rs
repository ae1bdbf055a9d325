//! The application's transactions and category rules.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::Sqlite;
use crate::ports::{CategoryRule, StoreError, Transaction, Transactions};

fn transaction(row: &Row<'_>) -> rusqlite::Result<Transaction> {
    Ok(Transaction {
        transaction_id: row.get(0)?,
        user_id: row.get(1)?,
        account_id: row.get(2)?,
        description: row.get(3)?,
        category_id: row.get(4)?,
    })
}

#[async_trait]
impl Transactions for Sqlite {
    async fn by_ids(&self, user_id: &str, ids: &[String]) -> Result<Vec<Transaction>, StoreError> {
        let (user_id, ids) = (user_id.to_owned(), ids.to_vec());
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT id,user_id,account_id,description,category_id FROM app_transaction WHERE id=?1 AND user_id=?2")?;
            let mut found = Vec::with_capacity(ids.len());
            for id in &ids {
                found.extend(
                    statement
                        .query_map(params![id, user_id], transaction)?
                        .collect::<Result<Vec<_>, _>>()?,
                );
            }
            Ok(found)
        })
        .await
    }

    async fn uncategorized(&self, user_id: &str, after: &str, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        let (user_id, after) = (user_id.to_owned(), after.to_owned());
        self.read(move |connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT id,user_id,account_id,description,category_id FROM app_transaction WHERE user_id=?1 AND category_id IS NULL AND id>?2 ORDER BY id LIMIT ?3",
                )?
                .query_map(params![user_id, after, limit], transaction)?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn rules(&self, user_id: &str) -> Result<Vec<CategoryRule>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT id,user_id,category_id,pattern,priority FROM category_rule WHERE user_id=?1 ORDER BY priority,id")?
                .query_map([user_id], |row| {
                    Ok(CategoryRule {
                        rule_id: row.get(0)?,
                        user_id: row.get(1)?,
                        category_id: row.get(2)?,
                        pattern: row.get(3)?,
                        priority: row.get(4)?,
                    })
                })?
                .collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn put(&self, transactions: Vec<Transaction>) -> Result<(), StoreError> {
        self.write(move |write| {
            let mut statement = write
                .connection
                .prepare_cached("INSERT INTO app_transaction(id,user_id,account_id,description,category_id) VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET description=?4, category_id=?5")?;
            for t in &transactions {
                statement.execute(params![t.transaction_id, t.user_id, t.account_id, t.description, t.category_id])?;
            }
            Ok(())
        })
        .await
    }

    async fn put_rule(&self, rule: CategoryRule) -> Result<(), StoreError> {
        self.write(move |write| {
            write
                .connection
                .prepare_cached("INSERT INTO category_rule(id,user_id,category_id,pattern,priority) VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET category_id=?3, pattern=?4, priority=?5")?
                .execute(params![rule.rule_id, rule.user_id, rule.category_id, rule.pattern, rule.priority])?;
            Ok(())
        })
        .await
    }
}
