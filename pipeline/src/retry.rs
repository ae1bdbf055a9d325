//! When a failed delivery is attempted again, and when it is given up.

/// How retries are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// Delay before the second attempt, milliseconds; doubled for each one after.
    pub base_millis: u64,
    /// The longest delay, milliseconds.
    pub max_millis: u64,
}

impl Default for RetryPolicy {
    /// 3 attempts, half a second and a second apart: well inside criterion 5.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_millis: 500,
            max_millis: 30_000,
        }
    }
}

impl RetryPolicy {
    /// The delay after `attempts` failed ones, milliseconds, or `None` when they are spent. `jitter` in `0.0..1.0`
    /// picks a point in the upper half of the exponential delay, so that a burst of failures doesn't come back as one.
    #[must_use]
    pub fn delay(&self, attempts: u32, jitter: f64) -> Option<u64> {
        if attempts >= self.max_attempts {
            return None;
        }
        let full = self
            .base_millis
            .saturating_mul(1 << attempts.saturating_sub(1).min(20))
            .min(self.max_millis);
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded by max_millis
        Some(full / 2 + (full as f64 / 2.0 * jitter.clamp(0.0, 1.0)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn delays_are_bounded_grow_and_end(base in 1u64..10_000, max in 1u64..100_000, attempts in 1u32..40, jitter in 0.0f64..1.0) {
            let policy = RetryPolicy { max_attempts: 30, base_millis: base, max_millis: max };
            match policy.delay(attempts, jitter) {
                None => prop_assert!(attempts >= 30),
                Some(delay) => {
                    prop_assert!(attempts < 30 && delay <= max);
                    if let Some(next) = policy.delay(attempts + 1, jitter) { prop_assert!(next >= delay); }
                }
            }
        }
    }

    #[test]
    fn the_default_stays_far_inside_the_latency_limit() {
        let policy = RetryPolicy::default();
        let total: u64 = (1..policy.max_attempts).filter_map(|n| policy.delay(n, 1.0)).sum();
        assert!(total <= 2_000, "{total} ms");
        assert_eq!(policy.delay(policy.max_attempts, 0.0), None);
    }
}
