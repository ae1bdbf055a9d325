//! Which services answer. Each is asked for next to nothing while somebody looks: what pages show of it is read at its own pace, some of it
//! after minutes, and that it is away is to be said at once.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use futures::future::{BoxFuture, FutureExt, join_all};
use tokio::time::Instant;

use super::Clients;
use super::asking::{NOBODYS, Refusal, refused};
use crate::aws::Names;
use crate::aws::consumers::FUNCTIONS as LAMBDA;
use crate::aws::metrics::{CloudWatch, STORE as CLOUDWATCH};
use crate::aws::queues::STORE as SQS;
use crate::aws::rules::STORE as EVENTBRIDGE;
use crate::time::Timestamp;

/// How long who asks waits for answers: those that come later count the next time.
const WAIT: Duration = Duration::from_secs(1);
/// From when on an answer that isn't there counts as none.
const LATE: Duration = Duration::from_millis(1_500);

/// How long a failure says anything, if nobody looks after it.
const FAILED_FOR: Duration = Duration::from_secs(15);

/// The services but for DynamoDB, which every page reads anyway.
#[derive(Debug)]
pub(super) struct Answers {
    clients: Clients,
    names: Names,
    metrics: Arc<CloudWatch>,
    asked: [Asked; 4],
}

/// A service, and what came of asking it.
#[derive(Debug)]
struct Asked {
    service: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when an answer is waited for.
    since: Option<Instant>,
    /// When a call failed as one does to a service that is away, if the last one did.
    failed: Option<Instant>,
}

impl Asked {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is asked now: not while an answer is waited for, and only if it may be.
    fn begins(&self, may: impl FnOnce() -> bool) -> bool {
        let mut state = self.state();
        let begins = state.since.is_none() && may();
        if begins {
            state.since = Some(Instant::now());
        }
        begins
    }

    fn answered(&self, well: bool) {
        *self.state() = State {
            since: None,
            failed: (!well).then(Instant::now),
        };
    }

    fn is_silent(&self) -> bool {
        self.state().since.is_some_and(|since| since.elapsed() >= LATE)
    }

    fn is_missing(&self) -> bool {
        let failed = self.state().failed.is_some_and(|at| at.elapsed() < FAILED_FOR);
        failed || self.is_silent()
    }
}

impl Answers {
    pub(super) fn new(clients: &Clients, names: &Names, metrics: Arc<CloudWatch>) -> Arc<Self> {
        let services = [LAMBDA, EVENTBRIDGE, CLOUDWATCH, SQS];
        Arc::new(Self {
            clients: clients.clone(),
            names: names.clone(),
            metrics,
            asked: services.map(|service| Asked {
                service,
                state: Mutex::default(),
            }),
        })
    }

    /// The services that were asked and have not answered for too long.
    pub(super) fn silent(&self) -> Vec<&'static str> {
        let silent = self.asked.iter().filter(|asked| asked.is_silent());
        silent.map(|asked| asked.service).collect()
    }

    /// Asks each service, and names those that don't answer, or only that they can't.
    pub(super) async fn missing(self: &Arc<Self>) -> Vec<&'static str> {
        let now = Timestamp::now();
        let begun = (0..self.asked.len()).filter(|index| {
            let asked = &self.asked[*index];
            // CloudWatch may have its price even for what it refuses.
            asked.begins(|| asked.service != CLOUDWATCH || self.metrics.may_be_asked(now))
        });
        let calls: Vec<_> = begun
            .map(|index| {
                let answers = Arc::clone(self);
                // It goes on when nobody waits any more.
                tokio::spawn(async move {
                    let asked = &answers.asked[index];
                    let well = answers.ask(asked.service).await;
                    asked.answered(well);
                })
            })
            .collect();
        let _ = tokio::time::timeout(WAIT, join_all(calls)).await;
        let missing = self.asked.iter().filter(|asked| asked.is_missing());
        missing.map(|asked| asked.service).collect()
    }

    /// Whether a service answers, for something that a viewer's policy allows and that costs next to nothing.
    fn ask(&self, service: &'static str) -> BoxFuture<'_, bool> {
        let Clients {
            events,
            sqs,
            lambda,
            cloudwatch,
            ..
        } = &self.clients;
        match service {
            LAMBDA => lambda.list_event_source_mappings().max_items(1).send().map(is_there).boxed(),
            EVENTBRIDGE => {
                let rules = events.list_rules().event_bus_name(&self.names.event_bus).limit(1);
                rules.send().map(is_there).boxed()
            }
            SQS => sqs
                .get_queue_url()
                .queue_name(&self.names.dead_letter_queue)
                .send()
                .map(is_there)
                .boxed(),
            // The page after one that never was: CloudWatch answers that there is none.
            _ => cloudwatch.list_metrics().next_token(NOBODYS).send().map(is_there).boxed(),
        }
    }
}

/// Whether it answered as a service does that is there: what it denies, or doesn't know, it has looked at.
fn is_there<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Err(error) = answer else { return true };
    let broken = error.raw_response().is_some_and(|response| response.status().is_server_error());
    // That there was no money to ask says nothing of it.
    !broken && matches!(refused(&error), Refusal::Denied | Refusal::Unpaid | Refusal::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_is_missing_when_it_fails_or_keeps_silent_and_back_when_it_answers() {
        let asked = Asked {
            service: SQS,
            state: Mutex::default(),
        };
        assert!(!asked.is_missing(), "it has not been asked");
        assert!(!asked.begins(|| false) && !asked.is_missing(), "it may not be asked");
        assert!(asked.begins(|| true) && !asked.begins(|| true), "one call at a time");
        assert!(!asked.is_missing(), "it may take a moment");
        tokio::time::advance(LATE).await;
        assert!(asked.is_missing(), "it is silent");
        asked.answered(true);
        assert!(!asked.is_missing());
        assert!(asked.begins(|| true));
        asked.answered(false);
        assert!(asked.is_missing(), "it failed");
        assert!(asked.begins(|| true) && asked.is_missing(), "and is missing until it answers");
        asked.answered(true);
        assert!(!asked.is_missing());
        asked.answered(false);
        tokio::time::advance(FAILED_FOR).await;
        assert!(!asked.is_missing(), "nobody has looked for long");
    }
}
