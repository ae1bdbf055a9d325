//! What CloudWatch costs, and the ceiling that is kept.

use crate::time::{DAY, Timestamp};

/// Millionths of a dollar for one metric of `GetMetricData`: $0.01 for 1,000, <https://aws.amazon.com/cloudwatch/pricing/>.
pub(super) const METRIC: u64 = 10;
/// Millionths of a dollar for one `ListMetrics`.
pub(super) const LISTING: u64 = 10;

/// Millionths of a dollar a day for asking every two seconds whether CloudWatch answers, should it charge for what it refuses.
pub(super) const SIGNS: u64 = DAY.unsigned_abs() / 2_000 * LISTING;

/// A day's spending, in UTC, millionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) day: i64,
    pub(super) micros: u64,
}

impl Spent {
    /// With `micros` more at `now`; each day begins with nothing.
    pub(super) fn with(self, micros: u64, now: Timestamp) -> Self {
        let today = self.at(now);
        Self {
            micros: today.micros.saturating_add(micros),
            ..today
        }
    }

    /// What of it was spent on the day of `now`.
    pub(super) fn at(self, now: Timestamp) -> Self {
        let day = now.0.div_euclid(DAY);
        if day == self.day { self } else { Self { day, micros: 0 } }
    }

    /// How long to wait after one round of `cost` until the next, where `wanted` is the pause without a ceiling, milliseconds: what
    /// is left for the day is spread over what is left of it.
    pub(super) fn pause(self, cost: u64, ceiling: u64, wanted: i64, now: Timestamp) -> i64 {
        let left_of_day = DAY - now.0.rem_euclid(DAY);
        let rounds = ceiling.saturating_sub(self.at(now).micros) / cost.max(1);
        match i64::try_from(rounds) {
            Ok(0) => left_of_day.max(wanted),
            Ok(rounds) => wanted.max(left_of_day / rounds),
            Err(_) => wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_days_rounds_stay_under_the_ceiling(
            ceiling in 0_u64..5_000_000,
            cost in 1_u64..50_000,
            wanted in 1_000_i64..300_000,
            start in 0_i64..DAY,
        ) {
            let (mut spent, mut now, mut rounds) = (Spent::default(), start, 0);
            // As the poller goes: a round is made only if it still fits.
            while now < DAY && rounds < 5_000 {
                if spent.micros + cost <= ceiling {
                    spent = spent.with(cost, Timestamp(now));
                }
                prop_assert!(spent.micros <= ceiling);
                now += spent.pause(cost, ceiling, wanted, Timestamp(now));
                rounds += 1;
            }
        }

        #[test]
        fn what_is_left_lasts_to_the_end_of_the_day(cost in 1_u64..1_000, wanted in 1_000_i64..60_000, start in 0_i64..DAY / 2) {
            // Enough for a hundred rounds, whatever they cost.
            let ceiling = cost * 100;
            let (mut spent, mut now, mut last) = (Spent::default(), start, start);
            while now < DAY {
                if spent.micros + cost <= ceiling {
                    spent = spent.with(cost, Timestamp(now));
                    last = now;
                }
                now += spent.pause(cost, ceiling, wanted, Timestamp(now));
            }
            let rounds_would_fill = wanted * 100 >= DAY - start;
            prop_assert!(rounds_would_fill || last > DAY - (DAY - start) / 20, "the last round was at {last} of {DAY}");
        }
    }

    #[test]
    fn each_day_begins_with_nothing() {
        let spent = Spent::default().with(500, Timestamp(DAY - 1));
        assert_eq!(spent.micros, 500);
        assert_eq!(spent.with(20, Timestamp(DAY)).micros, 20);
        assert_eq!(spent.pause(100, 1_000, 60_000, Timestamp(DAY)), DAY / 10);
        assert_eq!(spent.pause(100, 500, 60_000, Timestamp(DAY - 1)), 60_000, "the day is over");
    }
}
