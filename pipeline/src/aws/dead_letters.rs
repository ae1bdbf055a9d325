//! The port of the dead letters: those that were taken over, what was done about each, and what waits in the queues they arrive in.

use std::sync::Arc;

use async_trait::async_trait;

use super::dashboard::DashboardConfig;
use super::metrics::{CloudWatch, LETTERS_AGE};
use super::operations::DynamoOperations;
use super::queues::Queues;
use crate::letter::{Depth, Letter, LetterDetail, LetterFilter, LetterGroup, LetterQueue, LetterQueues};
use crate::page::Page;
use crate::ports::{Letters, StoreError};

/// See the module.
#[derive(Debug)]
pub(super) struct DeadLetters {
    pub(super) operations: DynamoOperations,
    pub(super) queues: Queues,
    pub(super) metrics: Arc<CloudWatch>,
    pub(super) config: DashboardConfig,
}

impl DeadLetters {
    /// What was read of the letters' table. Where nothing is taken over there need be none: then no letters are in it.
    fn read<T: Default>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match result {
            Err(StoreError::NotOffered { .. }) if !self.config.taken_over => Ok(T::default()),
            other => other,
        }
    }
}

#[async_trait]
impl Letters for DeadLetters {
    async fn list(&self, filter: &LetterFilter, limit: u32, cursor: Option<&str>) -> Result<Page<Letter>, StoreError> {
        let found = self.operations.letters.list(filter, limit, cursor).await;
        self.read(found.map(Some)).map(|page| {
            page.unwrap_or_else(|| Page {
                items: Vec::new(),
                next: None,
            })
        })
    }

    async fn count(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.read(self.operations.letters.count(filter).await)
    }

    async fn get(&self, id: &str) -> Result<Option<LetterDetail>, StoreError> {
        let Some(mut detail) = self.operations.letters.get(id).await? else {
            return Ok(None);
        };
        detail.operations = match self.operations.of_letter(id).await {
            Err(StoreError::NotOffered { .. }) => Vec::new(),
            other => other?,
        };
        Ok(Some(detail))
    }

    async fn depth(&self) -> Result<Depth, StoreError> {
        self.read(self.operations.letters.depth().await)
    }

    async fn groups(&self) -> Result<Vec<LetterGroup>, StoreError> {
        self.read(self.operations.letters.groups().await)
    }

    async fn staying(&self) -> Result<u64, StoreError> {
        if self.config.taken_over {
            return Ok(0);
        }
        self.queues.letters_waiting().await
    }

    /// How much is in them is SQS's count; the age of the oldest is CloudWatch's, which is told by nobody else.
    async fn queues(&self) -> Result<Option<LetterQueues>, StoreError> {
        let counted = self.queues.dead_letters().await?;
        let items = counted.iter().map(|queue| LetterQueue {
            oldest: (queue.waiting > 0)
                .then(|| self.metrics.oldest(&LETTERS_AGE, queue.consumer.as_deref()))
                .flatten(),
            ..queue.clone()
        });
        Ok(Some(LetterQueues {
            taken_over: self.config.taken_over,
            items: items.collect(),
        }))
    }
}
