//! What is read once for all who ask within some time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::ports::StoreError;

/// A reading, and when it was made.
#[derive(Debug)]
pub(super) struct Recent<T> {
    lasts: Duration,
    last: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Recent<T> {
    pub(super) fn new(lasts: Duration) -> Self {
        Self {
            lasts,
            last: Mutex::new(None),
        }
    }

    /// Has the next who asks read anew.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = None;
    }

    /// The last reading, or a new one. Whoever comes while it is made waits for it; an error is not kept.
    pub(super) async fn get<F>(&self, read: impl FnOnce() -> F) -> Result<Arc<T>, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut last = self.last.lock().await;
        if let Some((_, value)) = last.as_ref().filter(|(at, _)| at.elapsed() < self.lasts) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(read().await?);
        *last = Some((Instant::now(), Arc::clone(&value)));
        Ok(value)
    }
}
