//! Categorization: applies a user's category rules to new transactions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use regex::Regex;
use serde_json::json;
use uuid::Uuid;

use super::{Consumer, ConsumerError, Effect};
use crate::event::payload::{CategoryRuleCreated, Payload};
use crate::event::{Event, Json};
use crate::ports::{CategoryRule, Transaction, Transactions};

/// How many transactions are looked at together.
const BATCH: usize = 100;
/// The most transactions that one new rule is applied to; the rest wait for the next rule or import.
const MAX_PER_RULE: usize = 10_000;
/// The longest a compiled rule may get, bytes: a user's pattern must not eat the server's memory.
const MAX_REGEX_BYTES: usize = 256 * 1024;

/// How many compiled patterns are kept.
const MAX_COMPILED: usize = 4_096;

/// Gives transactions the category of the first of the user's rules that matches, and says so with an event each.
pub struct Categorization {
    transactions: Arc<dyn Transactions>,
    /// Compiling a pattern takes far longer than matching it, and users have the same few rules event after event.
    compiled: Mutex<HashMap<String, Regex>>,
}

impl Categorization {
    /// Over the application's transactions and rules.
    #[must_use]
    pub fn new(transactions: Arc<dyn Transactions>) -> Self {
        Self {
            transactions,
            compiled: Mutex::default(),
        }
    }

    async fn new_transactions(&self, event: &Event, ids: &[String]) -> Result<Vec<Effect>, ConsumerError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rules = self.compile(self.transactions.rules(&event.user_id).await?)?;
        let mut effects = Vec::new();
        if rules.is_empty() {
            return Ok(effects);
        }
        for batch in ids.chunks(BATCH) {
            let transactions = self.transactions.by_ids(&event.user_id, batch).await?;
            apply(event, &rules, &transactions, &mut effects)?;
        }
        Ok(effects)
    }

    async fn new_rule(&self, event: &Event, created: CategoryRuleCreated) -> Result<Vec<Effect>, ConsumerError> {
        let rules = self.compile(vec![CategoryRule {
            rule_id: created.rule_id,
            user_id: event.user_id.clone(),
            category_id: created.category_id,
            pattern: created.rule_pattern,
            priority: 0,
        }])?;
        let (mut effects, mut after, mut seen) = (Vec::new(), String::new(), 0);
        while seen < MAX_PER_RULE {
            #[allow(clippy::cast_possible_truncation)] // 100
            let batch = self.transactions.uncategorized(&event.user_id, &after, BATCH as u32).await?;
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.transaction_id);
            seen += batch.len();
            apply(event, &rules, &batch, &mut effects)?;
        }
        Ok(effects)
    }
}

impl Categorization {
    fn compile(&self, rules: Vec<CategoryRule>) -> Result<Vec<(CategoryRule, Regex)>, ConsumerError> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() > MAX_COMPILED {
            compiled.clear();
        }
        rules
            .into_iter()
            .map(|rule| {
                if let Some(regex) = compiled.get(&rule.pattern) {
                    let regex = regex.clone();
                    return Ok((rule, regex));
                }
                let regex = regex::RegexBuilder::new(&rule.pattern)
                    .size_limit(MAX_REGEX_BYTES)
                    .build()
                    .map_err(|e| ConsumerError::permanent("InvalidRulePattern", format!("rule {}: {e}", rule.rule_id)))?;
                compiled.insert(rule.pattern.clone(), regex.clone());
                Ok((rule, regex))
            })
            .collect()
    }
}

impl Categorization {
    /// What it does, in one sentence.
    pub const DOES: &str = "Applies the user's category rules to new transactions and publishes transaction.categorized for each match.";
}

#[async_trait]
impl Consumer for Categorization {
    fn name(&self) -> &'static str {
        "categorization"
    }

    fn does(&self) -> &'static str {
        Self::DOES
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Effect>, ConsumerError> {
        match event.payload()? {
            Payload::FileProcessed(file) => {
                let ids = file
                    .transaction_ids
                    .ok_or_else(|| ConsumerError::permanent("InvalidPayload", "data.transactionIds: is missing"))?;
                self.new_transactions(event, &ids).await
            }
            Payload::TransactionsCreated(created) => self.new_transactions(event, &created.transaction_ids).await,
            Payload::CategoryRuleCreated(created) => self.new_rule(event, created).await,
            _ => Ok(Vec::new()),
        }
    }
}

fn apply(
    event: &Event,
    rules: &[(CategoryRule, Regex)],
    transactions: &[Transaction],
    effects: &mut Vec<Effect>,
) -> Result<(), ConsumerError> {
    for transaction in transactions {
        let Some((rule, _)) = rules.iter().find(|(_, regex)| regex.is_match(&transaction.description)) else {
            continue;
        };
        if transaction.category_id.as_deref() == Some(&rule.category_id) {
            continue;
        }
        effects.push(Effect::SetCategory {
            transaction_id: transaction.transaction_id.clone(),
            category_id: rule.category_id.clone(),
        });
        effects.push(Effect::Publish(Box::new(categorized(event, rule, transaction)?)));
    }
    Ok(())
}

/// The event that says so. Its id follows from the cause, the transaction and the rule, so that a second run makes the same event.
fn categorized(cause: &Event, rule: &CategoryRule, transaction: &Transaction) -> Result<Event, ConsumerError> {
    let name = format!("{}/{}/{}", cause.event_id, transaction.transaction_id, rule.rule_id);
    let data = json!({
        "transactionId": transaction.transaction_id,
        "accountId": transaction.account_id,
        "categoryId": rule.category_id,
        "previousCategoryId": transaction.category_id,
        "confidence": 100,
        "assignmentType": "rule_based",
        "ruleId": rule.rule_id,
    });
    Ok(Event {
        event_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string(),
        event_type: "transaction.categorized".to_owned(),
        event_version: "1.0".to_owned(),
        timestamp: cause.timestamp,
        source: "category.service".to_owned(),
        user_id: cause.user_id.clone(),
        correlation_id: cause.correlation_id.clone(),
        causation_id: Some(cause.event_id.clone()),
        data: Json::of(&data).map_err(|e| ConsumerError::permanent("InvalidPayload", e.to_string()))?,
        metadata: cause.metadata.clone(),
        extra: Vec::new(),
    })
}
