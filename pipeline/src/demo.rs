//! The demo: a household-finance application that makes believable traffic down both paths, and faults to watch.

mod fault;
mod history;
mod household;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

pub use fault::{Fault, Faults, Faulty};
use household::Household;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio_util::sync::CancellationToken;
use traffic::Operation;

use crate::page::MAX_LIMIT;
use crate::ports::{AnalyticsQueue, Ledger, StoreError, Transactions};
use crate::publisher::Paths;
use crate::sqlite::Sqlite;
use crate::time::Timestamp;

/// How often the demo's analytics processor looks for work.
const ANALYSE_EVERY: Duration = Duration::from_secs(5);
/// How many households the demo knows.
const HOUSEHOLDS: u64 = 12;

/// The demo application.
#[derive(Clone)]
pub struct Demo {
    paths: Paths,
    store: Sqlite,
    faults: Faults,
    households: Arc<Vec<Household>>,
}

impl Demo {
    /// Over the pipeline's paths and the application's own store.
    #[must_use]
    pub fn new(paths: Paths, store: Sqlite, faults: Faults) -> Self {
        Self {
            paths,
            store,
            faults,
            households: Arc::new((0..HOUSEHOLDS).map(Household::new).collect()),
        }
    }

    /// Whether nothing has ever been published here: then there is a past to fill in. To be asked before anything is taken.
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn is_new(&self) -> Result<bool, StoreError> {
        Ok(self.store.summary().await?.published == 0)
    }

    /// Makes sure that the households' category rules exist, and that whoever looks at this data knows that it is the demo's.
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.store.mark_demo().await?;
        for household in self.households.iter() {
            for rule in household.rules() {
                self.store.put_rule(rule).await?;
            }
        }
        Ok(())
    }

    /// Fills in `days` of history, then returns; only for a store that [is new](Self::is_new).
    ///
    /// # Errors
    /// The store doesn't answer.
    pub async fn backfill(&self, days: u32, stop: &CancellationToken) -> Result<(), StoreError> {
        history::backfill(self, days, stop).await
    }

    /// Makes traffic at about `per_minute` operations a minute, following the hour of the day, until `stop`.
    pub async fn run(&self, per_minute: u32, stop: CancellationToken) {
        if per_minute == 0 {
            return;
        }
        tokio::join!(self.operate(per_minute, &stop), self.analyse(&stop));
    }

    /// The application's analytics processor, as far as the pipeline sees it: it takes up what was asked for, the most urgent first.
    async fn analyse(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(ANALYSE_EVERY) => {}
                () = stop.cancelled() => return,
            }
            let today = Timestamp::now().utc().format("%Y-%m-%d").to_string();
            let worked = async {
                for status in self.store.needed(MAX_LIMIT).await? {
                    self.store.computed(&status, &today).await?;
                }
                Ok::<_, StoreError>(())
            };
            if let Err(e) = worked.await {
                tracing::warn!(error = %e, "the demo's analytics could not be computed");
            }
        }
    }

    async fn operate(&self, per_minute: u32, stop: &CancellationToken) {
        let mut rng = SmallRng::from_rng(&mut rand::rng());
        loop {
            let now = Timestamp::now();
            let rate = f64::from(per_minute) * traffic::rhythm(now);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs_f64(traffic::gap(&mut rng, rate))) => {}
                () = stop.cancelled() => return,
            }
            let operation = traffic::next(&mut rng, &self.households, now, self.faults.poison());
            if let Err(e) = self.perform(operation, None).await {
                tracing::warn!(error = %e, "the demo application could not do an operation");
            }
        }
    }

    async fn perform(&self, operation: Operation, at: Option<Timestamp>) -> Result<(), StoreError> {
        if !operation.transactions.is_empty() {
            Transactions::put(&self.store, operation.transactions).await?;
        }
        self.paths.perform(operation.event, at).await?;
        Ok(())
    }
}
