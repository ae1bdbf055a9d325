//! What a flow runs on. One suite, two backends: [`on_both`] makes two tests of each flow.

use std::ops::Deref;

use serde_json::Value;
use tests::account::consumer_idle;
use tests::between::{Between, Fate};
use tests::browser::Browser;
use tests::data::{PUT_EVENTS, sent};
use tests::deployment::Account;
use tests::event::entry;
use tests::sdk::{self, Answered};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use crate::with_demo;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Embedded,
    /// The template, deployed in an emulator that runs the functions' binary.
    Aws,
}

impl Backend {
    /// What kind of error a consumer has whose store is out.
    pub(crate) const fn outage(self) -> &'static str {
        match self {
            Self::Embedded => "Outage",
            Self::Aws => "StoreUnavailable",
        }
    }

    /// Starts a server that has nothing in it.
    pub(crate) async fn start(self) -> Running {
        match self {
            Self::Embedded => Running::embedded(Setup::new().start().await),
            Self::Aws => Running::over(Account::deployed().await).await,
        }
    }

    /// Starts a server whose consumers can be made to fail.
    pub(crate) async fn frail(self) -> Running {
        match self {
            Self::Embedded => Running::embedded(with_demo().await),
            Self::Aws => {
                let between = Between::of_nothing().await;
                let running = Running::over(Account::deployed_behind(&between).await).await;
                Running {
                    between: Some(between),
                    ..running
                }
            }
        }
    }

    /// Starts a server over events, completed and measured: those that the demo makes, or, on AWS, those that were published before.
    pub(crate) async fn busy(self) -> Running {
        match self {
            Self::Embedded => Running::embedded(with_demo().await),
            Self::Aws => {
                let account = Account::deployed().await;
                assert_eq!(account.put_events(PUT_EVENTS).await.failed, 0);
                account.measure("audit", sent().len()).await;
                Running::over(account).await
            }
        }
    }
}

/// A server and what is under it.
pub(crate) struct Running {
    pub(crate) server: Cutover,
    account: Option<Account>,
    /// What is between the functions and what they call.
    between: Option<Between>,
}

impl Deref for Running {
    type Target = Cutover;

    fn deref(&self) -> &Cutover {
        &self.server
    }
}

impl Running {
    const fn embedded(server: Cutover) -> Self {
        Self {
            server,
            account: None,
            between: None,
        }
    }

    async fn over(account: Account) -> Self {
        let server = Setup::new().over(&account).start().await;
        server.measured().await;
        Self {
            server,
            account: Some(account),
            between: None,
        }
    }

    /// Has the analytics consumer's store refuse everything, or answer again: on the demo's page, as a person does, or where the functions
    /// call it.
    pub(crate) async fn set_outage(&self, browser: &Browser, on: bool) {
        match &self.between {
            Some(between) if on => between.set_by_body(|call, body| {
                if call.service == "dynamodb" && body.contains("-analytics-status\"") {
                    Fate::Refused(400, "AccessDeniedException")
                } else {
                    Fate::Answered
                }
            }),
            Some(between) => between.heal(),
            None => {
                let fault = if on { "outage" } else { "none" };
                browser.visit("/demo").await;
                let form = "form:has(input[name=target][value=analytics])";
                browser.click(&format!("{form} label.choice:has(input[value={fault}])")).await;
                browser.click(&format!("{form} button")).await;
                browser.says(".said-done", &format!("analytics: {fault}")).await;
            }
        }
    }

    /// Waits until a consumer has nothing to try again; on AWS, until nothing is on its way to anyone.
    pub(crate) async fn idle(&self, consumer: &str) {
        if self.account.is_none() {
            return consumer_idle(&self.server, consumer).await;
        }
        eventually("nothing is on its way", async || {
            self.server.metric("cutover_events_in_flight").await == 0.0
        })
        .await;
    }

    /// Publishes events, as an AWS SDK does.
    pub(crate) async fn publish(&self, events: &[Value]) {
        let entries: Vec<Value> = events.iter().map(entry).collect();
        self.put(&entries).await;
    }

    /// Publishes entries of `PutEvents` calls, one a line.
    pub(crate) async fn put_lines(&self, entries: &str) -> Answered {
        match &self.account {
            Some(account) => account.put_events(entries).await,
            None => sdk::put_events(self.ingest.base(), entries, None).await,
        }
    }

    /// Publishes entries of a `PutEvents` call.
    pub(crate) async fn put(&self, entries: &[Value]) {
        let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
        let answered = self.put_lines(&lines.join("\n")).await;
        assert_eq!((answered.failed, answered.ids.len()), (0, entries.len()));
    }
}

/// Each flow as a test on each backend.
macro_rules! on_both {
    ($($flow:ident),+ $(,)?) => {
        mod embedded {
            $(
                #[tokio::test]
                async fn $flow() {
                    super::$flow(crate::backend::Backend::Embedded).await;
                }
            )+
        }

        mod aws {
            $(
                #[tokio::test]
                async fn $flow() {
                    super::$flow(crate::backend::Backend::Aws).await;
                }
            )+
        }
    };
}

pub(crate) use on_both;
