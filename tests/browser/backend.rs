//! What a flow runs on. One suite, two backends: [`on_both`] makes two tests of each flow.

use std::ops::Deref;

use serde_json::Value;
use tests::data::{PUT_EVENTS, sent};
use tests::deployment::Account;
use tests::event::entry;
use tests::sdk::{self, Answered};
use tests::server::{Cutover, Setup};

use crate::with_demo;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Embedded,
    /// The template, deployed in an emulator that runs the functions' binary.
    Aws,
}

impl Backend {
    /// Starts a server that has nothing in it.
    pub(crate) async fn start(self) -> Running {
        match self {
            Self::Embedded => Running::embedded(Setup::new().start().await),
            Self::Aws => Running::over(Account::deployed().await).await,
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
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) server: Cutover,
    account: Option<Account>,
}

impl Deref for Running {
    type Target = Cutover;

    fn deref(&self) -> &Cutover {
        &self.server
    }
}

impl Running {
    const fn embedded(server: Cutover) -> Self {
        Self { server, account: None }
    }

    async fn over(account: Account) -> Self {
        let server = Setup::new().over(&account).start().await;
        server.measured().await;
        Self {
            server,
            account: Some(account),
        }
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
