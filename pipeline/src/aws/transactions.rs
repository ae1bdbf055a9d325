//! The application's transactions and category rules, in its tables.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use futures::future::try_join_all;

use super::attribute::Item;
use super::error::failed;
use super::query::{by_keys, items};
use super::record::{Record, number, text};
use super::{Connection, Names};
use crate::ports::{CategoryRule, StoreError, Transaction, Transactions};

/// The tables' name in errors.
const STORE: &str = "the application's data";

/// See the module.
#[derive(Clone, Debug)]
pub struct DynamoTransactions {
    client: Client,
    table: String,
    rules_table: String,
}

impl DynamoTransactions {
    /// Over the deployment's tables; nothing is called yet.
    #[must_use]
    pub fn of(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            table: names.transactions_table(),
            rules_table: names.category_rules_table(),
        }
    }
}

fn transaction(item: &Item) -> Result<Transaction, StoreError> {
    let record = Record { what: STORE, item };
    Ok(Transaction {
        transaction_id: record.text("transactionId")?,
        user_id: record.text("userId")?,
        account_id: record.text("accountId")?,
        description: record.text("description")?,
        category_id: record.optional_text("categoryId"),
    })
}

#[async_trait]
impl Transactions for DynamoTransactions {
    async fn by_ids(&self, user_id: &str, ids: &[String]) -> Result<Vec<Transaction>, StoreError> {
        // An empty text is nobody's key, and a call doesn't take a key twice.
        let mut keys: Vec<String> = ids.iter().filter(|id| !id.is_empty()).cloned().collect();
        keys.sort();
        keys.dedup();
        if user_id.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Item> = keys
            .iter()
            .map(|id| Item::from([("userId".to_owned(), text(user_id)), ("transactionId".to_owned(), text(id))]))
            .collect();
        let failed = |e: &SdkError<BatchGetItemError>| failed(STORE, &format!("BatchGetItem of {}", self.table), e);
        let found = by_keys(&self.client, STORE, &self.table, &keys, failed).await?;
        found.iter().map(transaction).collect()
    }

    async fn uncategorized(&self, user_id: &str, after: &str, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        if user_id.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .filter_expression("attribute_not_exists(categoryId)")
            .expression_attribute_values(":user", text(user_id));
        query = if after.is_empty() {
            query.key_condition_expression("userId = :user")
        } else {
            query
                .key_condition_expression("userId = :user AND transactionId > :after")
                .expression_attribute_values(":after", text(after))
        };
        let found = items(query, limit as usize).await;
        let found = found.map_err(|e| failed(STORE, &format!("Query of {}", self.table), &e))?;
        found.iter().map(transaction).collect()
    }

    async fn rules(&self, user_id: &str) -> Result<Vec<CategoryRule>, StoreError> {
        if user_id.is_empty() {
            return Ok(Vec::new());
        }
        let query = self
            .client
            .query()
            .table_name(&self.rules_table)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user_id));
        let found = items(query, usize::MAX).await;
        let found = found.map_err(|e| failed(STORE, &format!("Query of {}", self.rules_table), &e))?;
        let rules = found.iter().map(|item| {
            let record = Record { what: STORE, item };
            Ok(CategoryRule {
                rule_id: record.text("ruleId")?,
                user_id: record.text("userId")?,
                category_id: record.text("categoryId")?,
                pattern: record.text("pattern")?,
                priority: record.number("priority")?,
            })
        });
        let mut rules = rules.collect::<Result<Vec<_>, StoreError>>()?;
        rules.sort_by(|a, b| (a.priority, &a.rule_id).cmp(&(b.priority, &b.rule_id)));
        Ok(rules)
    }

    async fn put(&self, transactions: Vec<Transaction>) -> Result<(), StoreError> {
        try_join_all(transactions.into_iter().map(async |t| {
            let fields = [
                ("userId", Some(text(t.user_id))),
                ("transactionId", Some(text(t.transaction_id))),
                ("accountId", Some(text(t.account_id))),
                ("description", Some(text(t.description))),
                ("categoryId", t.category_id.map(text)),
            ];
            let item = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.collect()))
                .send()
                .await;
            put.map(drop).map_err(|e| failed(STORE, &format!("PutItem in {}", self.table), &e))
        }))
        .await
        .map(drop)
    }

    async fn put_rule(&self, rule: CategoryRule) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.rules_table)
            .item("userId", text(rule.user_id))
            .item("ruleId", text(rule.rule_id))
            .item("categoryId", text(rule.category_id))
            .item("pattern", text(rule.pattern))
            .item("priority", number(rule.priority))
            .send()
            .await;
        put.map(drop)
            .map_err(|e| failed(STORE, &format!("PutItem in {}", self.rules_table), &e))
    }
}
