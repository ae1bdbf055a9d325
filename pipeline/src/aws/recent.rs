//! What is read once for all who ask within some time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ports::StoreError;

/// A reading, and when it was made.
#[derive(Debug)]
pub(super) struct Recent<T> {
    lasts: Duration,
    last: Mutex<Last<T>>,
    /// How many readings have ended in vain.
    failures: AtomicU64,
}

#[derive(Debug)]
struct Last<T> {
    value: Option<(Instant, Arc<T>)>,
    /// How the last reading in vain ended.
    error: Option<StoreError>,
}

impl<T> Recent<T> {
    pub(super) fn new(lasts: Duration) -> Self {
        Self {
            lasts,
            last: Mutex::new(Last { value: None, error: None }),
            failures: AtomicU64::new(0),
        }
    }

    /// Has the next who asks read anew.
    pub(super) async fn forget(&self) {
        self.last.lock().await.value = None;
    }

    /// The last reading, or a new one. Whoever comes while it is made waits for it, and has its error too; for who comes later an error
    /// is not kept.
    pub(super) async fn get<F>(&self, read: impl FnOnce() -> F) -> Result<Arc<T>, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let failures = self.failures.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        if let Some((_, value)) = last.value.as_ref().filter(|(at, _)| at.elapsed() < self.lasts) {
            return Ok(Arc::clone(value));
        }
        if let Some(error) = last.error.as_ref().filter(|_| self.failures.load(Ordering::Acquire) != failures) {
            return Err(error.clone());
        }
        match read().await {
            Ok(value) => {
                let value = Arc::new(value);
                last.value = Some((Instant::now(), Arc::clone(&value)));
                Ok(value)
            }
            Err(error) => {
                last.error = Some(error.clone());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_has_the_error_and_who_comes_later_reads_anew() {
        let (recent, reads) = (Recent::<u8>::new(Duration::from_secs(60)), AtomicUsize::new(0));
        let vain = || async {
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(3)).await;
            Err(StoreError::NotOffered { what: "it".into() })
        };
        let (one, two, three) = tokio::join!(recent.get(vain), recent.get(vain), recent.get(vain));
        assert!(one.is_err() && two.is_err() && three.is_err());
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        let later = recent.get(|| async { Ok(7) }).await;
        assert_eq!(later.as_deref(), Ok(&7));
    }
}
