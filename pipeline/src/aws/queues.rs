//! The queues: how much waits in them, without receiving anything; and what is sent to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use futures::future::try_join_all;

use super::error::failed;
use super::recent::Recent;
use super::{Connection, Names};
use crate::letter::LetterQueue;
use crate::letter::arrival::own;
use crate::ports::StoreError;

/// The queues' name in errors.
pub(super) const STORE: &str = "SQS";
/// How old the counts may be.
const COUNTED_FOR: Duration = Duration::from_secs(4);

/// The longest reason that goes along with what is given up, characters.
const MAX_REASON: usize = 1_000;

/// Why something is given up.
#[derive(Clone, Debug)]
pub(super) struct GivenUp<'a> {
    /// By whom.
    pub(super) consumer: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) permanent: bool,
    pub(super) attempts: u32,
}

/// The queues of a deployment.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    client: Client,
    names: Names,
    /// Addresses of the queues that are there.
    urls: Arc<Mutex<HashMap<String, String>>>,
    waiting: Arc<Recent<HashMap<String, u64>>>,
    dead_letters: Arc<Recent<Vec<LetterQueue>>>,
}

impl Queues {
    pub(super) fn new(connection: &Connection, names: &Names) -> Self {
        Self {
            client: Client::new(&connection.sdk),
            names: names.clone(),
            urls: Arc::default(),
            waiting: Arc::new(Recent::new(COUNTED_FOR)),
            dead_letters: Arc::new(Recent::new(COUNTED_FOR)),
        }
    }

    /// By consumer, the messages that wait for it or are in its hands; without one whose queue isn't there.
    pub(super) async fn waiting(&self) -> Result<Arc<HashMap<String, u64>>, StoreError> {
        self.waiting
            .get(|| async {
                let consumers = self.names.consumers.iter();
                let all = consumers.map(async |c| Ok::<_, StoreError>((c.name.clone(), self.count(&c.queue).await?)));
                let found = try_join_all(all).await?;
                Ok(found.into_iter().filter_map(|(name, count)| Some((name, count?))).collect())
            })
            .await
    }

    /// The dead-letter queues that are there, with how much is in each; how old that is they don't say.
    pub(super) async fn dead_letters(&self) -> Result<Arc<Vec<LetterQueue>>, StoreError> {
        self.dead_letters
            .get(|| async {
                let all = self.names.dead_letter_queues().into_iter().map(async |(name, consumer)| {
                    let waiting = self.count(&name).await?;
                    Ok::<_, StoreError>(waiting.map(|waiting| LetterQueue {
                        name,
                        consumer,
                        waiting,
                        oldest: None,
                    }))
                });
                Ok(try_join_all(all).await?.into_iter().flatten().collect())
            })
            .await
    }

    /// How many messages all of them hold.
    pub(super) async fn letters_waiting(&self) -> Result<u64, StoreError> {
        Ok(self.dead_letters().await?.iter().map(|queue| queue.waiting).sum())
    }

    /// The messages of a queue, received or not; `None` if there is no such queue.
    async fn count(&self, queue: &str) -> Result<Option<u64>, StoreError> {
        use QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible};
        let Some(url) = self.url(queue).await? else { return Ok(None) };
        let names = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesNotVisible,
            ApproximateNumberOfMessagesDelayed,
        ];
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(url)
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let values = names.iter().filter_map(|name| answer.attributes()?.get(name)?.parse::<u64>().ok());
                Ok(Some(values.sum()))
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_does_not_exist()) => {
                self.urls.lock().unwrap_or_else(PoisonError::into_inner).remove(queue);
                Ok(None)
            }
            Err(error) => Err(failed(STORE, &format!("GetQueueAttributes of {queue}"), &error)),
        }
    }

    /// A queue's address; `None` if there is no such queue.
    pub(super) async fn url(&self, queue: &str) -> Result<Option<String>, StoreError> {
        let urls = || self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = urls().get(queue) {
            return Ok(Some(url.clone()));
        }
        match self.client.get_queue_url().queue_name(queue).send().await {
            Ok(answer) => {
                if let Some(url) = &answer.queue_url {
                    urls().insert(queue.to_owned(), url.clone());
                }
                Ok(answer.queue_url)
            }
            Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_does_not_exist()) => Ok(None),
            Err(error) => Err(failed(STORE, &format!("GetQueueUrl of {queue}"), &error)),
        }
    }

    /// Sends what was given up to a queue, with the reason. `false` if there is no such queue.
    pub(super) async fn bury(&self, queue: &str, body: &str, why: &GivenUp<'_>) -> Result<bool, StoreError> {
        let Some(url) = self.url(queue).await? else { return Ok(false) };
        let said: String = why.message.chars().take(MAX_REASON).collect();
        let attributes = [
            (own::CONSUMER, why.consumer.to_owned()),
            (own::ERROR_CODE, why.code.to_owned()),
            (own::ERROR_MESSAGE, said),
            (own::PERMANENT, why.permanent.to_string()),
            (own::ATTEMPTS, why.attempts.to_string()),
        ];
        // A body, and an attribute, can't be empty.
        let body = if body.is_empty() { " " } else { body };
        let mut message = self.client.send_message().queue_url(url).message_body(body);
        for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            message = message.message_attributes(name, value.unwrap_or_else(|e| unreachable!("it has a type: {e}")));
        }
        let sent = message.send().await;
        sent.map(|_| true)
            .map_err(|e| failed(STORE, &format!("SendMessage to {queue}"), &e))
    }

    /// Sends a message. `false` if there is no such queue.
    pub(super) async fn send(&self, queue: &str, body: &str) -> Result<bool, StoreError> {
        let Some(url) = self.url(queue).await? else { return Ok(false) };
        let sent = self.client.send_message().queue_url(url).message_body(body).send().await;
        sent.map(|_| true)
            .map_err(|e| failed(STORE, &format!("SendMessage to {queue}"), &e))
    }

    /// Has a received message come again after `seconds`.
    pub(super) async fn postpone(&self, queue: &str, receipt: &str, seconds: i32) -> Result<(), StoreError> {
        let Some(url) = self.url(queue).await? else { return Ok(()) };
        let changed = self
            .client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds);
        changed
            .send()
            .await
            .map(drop)
            .map_err(|e| failed(STORE, &format!("ChangeMessageVisibility in {queue}"), &e))
    }
}
