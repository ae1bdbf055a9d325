//! When what is asked for.

use crate::time::{DAY, HOUR, MINUTE, Span, Timestamp};

/// A width of steps: what CloudWatch gives it exactly, percentiles too. Nothing is computed from finer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Milliseconds, as all here.
    pub(super) period: i64,
    /// How often it is asked for.
    pub(super) every: i64,
    /// How far back it is filled at the start.
    pub(super) back: i64,
    /// How far back each asking goes: values that came late are corrected.
    pub(super) again: i64,
    /// How long values are kept.
    pub(super) keep: i64,
}

const fn level(period: i64, every: i64, back: i64, again: i64, keep: i64) -> Level {
    Level {
        period,
        every,
        back,
        again,
        keep,
    }
}

pub(super) const LEVELS: [Level; 5] = [
    level(MINUTE, MINUTE, 6 * HOUR, 10 * MINUTE, 2 * DAY),
    level(5 * MINUTE, 5 * MINUTE, 2 * DAY, 30 * MINUTE, 7 * DAY),
    level(HOUR, 15 * MINUTE, 14 * DAY, 3 * HOUR, 60 * DAY),
    level(3 * HOUR, HOUR, 60 * DAY, 6 * HOUR, 180 * DAY),
    level(DAY, 3 * HOUR, 400 * DAY, 2 * DAY, 800 * DAY),
];

/// How often minutes are asked for while nobody looks.
pub(super) const IDLE: i64 = 5 * MINUTE;
/// The spans over which percentiles are at hand as of the last minute. The first comes with the minutes.
pub(super) const WINDOWS: [i64; 4] = [15 * MINUTE, HOUR, 6 * HOUR, DAY];
/// How often those are asked for that don't come with the minutes.
pub(super) const WINDOWS_EVERY: i64 = 5 * MINUTE;

/// The end of the minute that holds `now`.
pub(super) const fn minutes_end(now: Timestamp) -> Timestamp {
    now.floor(MINUTE).plus(MINUTE)
}

impl Level {
    /// The finest whose steps are not finer than `step`.
    pub(super) fn for_step(step: i64) -> &'static Self {
        LEVELS
            .iter()
            .find(|level| level.period >= step)
            .unwrap_or(&LEVELS[LEVELS.len() - 1])
    }

    /// What to ask for at `now`, when values are there up to `until`: to the end of the minute that has begun.
    pub(super) fn span(&self, until: Option<Timestamp>, now: Timestamp) -> Span {
        let to = minutes_end(now);
        let earliest = to.plus(-self.back);
        let from = until.map_or(earliest, |until| until.plus(-self.again).max(earliest));
        // By the minute, the first window comes with it: the span is a whole number of them, and ends with one.
        let from = if self.period == MINUTE {
            to.plus(
                -to.since(from)
                    .unsigned_abs()
                    .div_ceil(WINDOWS[0].unsigned_abs())
                    .max(1)
                    .cast_signed()
                    * WINDOWS[0],
            )
        } else {
            from.floor(self.period)
        };
        Span { from, to }
    }

    pub(super) fn every(&self, watched: bool) -> i64 {
        if self.period == MINUTE && !watched { IDLE } else { self.every }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_step_is_never_refined() {
        for (step, period) in [
            (MINUTE, MINUTE),
            (2 * MINUTE, 5 * MINUTE),
            (15 * MINUTE, HOUR),
            (3 * HOUR, 3 * HOUR),
            (6 * HOUR, DAY),
            (30 * DAY, DAY),
        ] {
            assert_eq!(Level::for_step(step).period, period, "{step}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_skipped_and_the_last_window_is_whole(level in 0_usize..5, now in 500 * DAY..1_000 * DAY, ago in prop::option::of(0..30 * DAY)) {
            let level = &LEVELS[level];
            let until = ago.map(|ago| Timestamp(now - ago));
            let span = level.span(until, Timestamp(now));
            prop_assert!(span.to.0 > now && span.to.0 - now <= MINUTE);
            let wanted = until.map_or(span.to.plus(-level.back), |until| until.plus(-level.again).max(span.to.plus(-level.back)));
            prop_assert!(span.from <= wanted, "from {} to {}", span.from, wanted);
            if level.period == MINUTE {
                prop_assert!(span.millis() >= WINDOWS[0] && span.millis() % WINDOWS[0] == 0);
            } else {
                prop_assert_eq!(span.from, span.from.floor(level.period));
            }
        }
    }
}
