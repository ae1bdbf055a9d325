//! The courier: takes notifications from the outbox, where the notification consumer leaves them, to where people hear them.
//!
//! The consumer's effect and the row in the outbox are one transaction, so each event is told of; sending is at least
//! once, and each message carries the event's id, so that a receiver can tell a repetition.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::notification::Notification;
use crate::ports::{Outbox, StoreError};
use crate::retry::RetryPolicy;
use crate::time::Timestamp;

/// A notification could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotSent {
    /// Whether trying again can't help.
    pub permanent: bool,
    /// Why, for the log and the record.
    pub reason: String,
}

/// Where notifications go.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Sends one.
    ///
    /// # Errors
    /// It was not taken.
    async fn send(&self, notification: &Notification) -> Result<(), NotSent>;
}

/// The log, where nothing else is configured. The text stays out of it: it is about somebody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

#[async_trait]
impl Channel for Log {
    async fn send(&self, notification: &Notification) -> Result<(), NotSent> {
        tracing::info!(user_id = %notification.user_id, event_id = %notification.event_id, "notification");
        Ok(())
    }
}

/// A web hook: a `POST` of the notification as JSON, with the event's id as `Idempotency-Key`.
#[derive(Clone, Debug)]
pub struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
}

/// How long a web hook may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Webhook {
    /// A hook at `url`, `http` or `https`.
    ///
    /// # Errors
    /// The client can't be made.
    pub fn new(url: reqwest::Url) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, notification: &Notification) -> Result<(), NotSent> {
        let request = self
            .client
            .post(self.url.clone())
            .header("idempotency-key", &notification.event_id)
            .json(notification);
        // An address may hold a secret: it stays out of what is recorded.
        let response = request.send().await.map_err(|e| NotSent {
            permanent: false,
            reason: format!("the web hook does not answer: {}", e.without_url()),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(NotSent {
            permanent: status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429),
            reason: format!("the web hook answered {status}"),
        })
    }
}

/// How sending is tried again: for about a day.
const RETRY: RetryPolicy = RetryPolicy {
    max_attempts: 30,
    base_millis: 1_000,
    max_millis: 60 * 60 * 1_000,
};
/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How many are sent after one look.
const PAGE: u32 = 100;

/// Sends what is due, until `stop`.
pub async fn run(outbox: Arc<dyn Outbox>, channel: Arc<dyn Channel>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        let due = match outbox.due(Timestamp::now(), PAGE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "could not read the notifications that wait");
                continue;
            }
        };
        for notification in due {
            if stop.is_cancelled() {
                return;
            }
            if let Err(error) = send(outbox.as_ref(), channel.as_ref(), &notification).await {
                tracing::error!(%error, "could not record what became of a notification; it may be sent again");
            }
        }
    }
}

async fn send(outbox: &dyn Outbox, channel: &dyn Channel, notification: &Notification) -> Result<(), StoreError> {
    let Err(error) = channel.send(notification).await else {
        return outbox.sent(notification.id).await;
    };
    let delay = RETRY.delay(notification.attempts + 1, rand::random()).filter(|_| !error.permanent);
    if delay.is_none() {
        tracing::error!(event_id = %notification.event_id, %error, "a notification is given up");
    }
    let next_at = delay.map(|delay| Timestamp::now().plus(i64::try_from(delay).unwrap_or(i64::MAX)));
    outbox.failed(notification.id, &error.to_string(), next_at).await
}
