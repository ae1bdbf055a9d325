//! The time axis: round local times, as many as fit.

use pipeline::time::{DAY, HOUR, MINUTE, Span, Timestamp};

use super::clock::{Offsets, Wall, month_start};

/// A labelled instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When.
    pub at: Timestamp,
    /// `09:15`, `Mon 23`, `23 Nov`, `Nov`, `2027`.
    pub label: String,
    /// Whether a day, or on an axis of months a year, begins here.
    pub new_day: bool,
}

const STEPS: [i64; 15] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];
const MONTHS: [i64; 6] = [1, 3, 6, 12, 60, 240];

/// The ticks inside `span` at the finest step that makes at most `most` of them, in order.
#[must_use]
pub fn ticks(span: Span, offsets: &Offsets, most: usize) -> Vec<Tick> {
    let room = |count: i64| usize::try_from(count).is_ok_and(|count| count <= most + 1);
    let periods = STEPS
        .into_iter()
        .filter(|step| room(span.millis() / step))
        .map(|step| by_step(span, offsets, step));
    let months = MONTHS
        .into_iter()
        .filter(|months| room(span.millis() / (months * 31 * DAY)))
        .map(|m| by_months(span, offsets, m));
    periods.chain(months).find(|ticks| ticks.len() <= most).unwrap_or_default()
}

fn by_step(span: Span, offsets: &Offsets, step: i64) -> Vec<Tick> {
    let mut ticks = Vec::new();
    for (part, minutes) in offsets.within(span) {
        // The epoch was a Thursday; three days on, multiples of a week are Mondays.
        let ahead = i64::from(minutes) * MINUTE + 3 * DAY;
        let mut at = part.from.plus(ahead - 1).floor(step).plus(step - ahead);
        while at < part.to {
            ticks.push(at);
            at = at.plus(step);
        }
    }
    let label = |at: Timestamp| {
        let wall = offsets.wall(at);
        let new_day = wall.hour == 0 && wall.minute == 0;
        let label = match new_day {
            false => wall.time(),
            true if step < 2 * DAY => wall.weekday(),
            true => wall.date(),
        };
        Tick { at, label, new_day }
    };
    ticks.into_iter().map(label).collect()
}

fn by_months(span: Span, offsets: &Offsets, months: i64) -> Vec<Tick> {
    let Wall { year, .. } = offsets.wall(span.from);
    let start = |n: i64| {
        let local = month_start(year.div_euclid(20) * 20, n * months);
        // The offset is the one that holds there, not the one that holds at the same number in UTC.
        let near = local - i64::from(offsets.at(Timestamp(local))) * MINUTE;
        Timestamp(local - i64::from(offsets.at(Timestamp(near))) * MINUTE)
    };
    let label = |at: Timestamp| {
        let wall = offsets.wall(at);
        let new_year = wall.month == 1;
        Tick {
            at,
            label: if new_year {
                wall.year.to_string()
            } else {
                wall.month_name().to_owned()
            },
            new_day: new_year,
        }
    };
    (0..)
        .map(start)
        .skip_while(|at| *at < span.from)
        .take_while(|at| *at < span.to)
        .map(label)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn labels(from: &str, to: &str, offsets: &Offsets, most: usize) -> Vec<String> {
        ticks(
            Span {
                from: at(from),
                to: at(to),
            },
            offsets,
            most,
        )
        .into_iter()
        .map(|t| t.label)
        .collect()
    }

    #[test]
    fn round_local_times() {
        let utc = Offsets::utc();
        let nepal = Offsets::new(vec![(0, 345)]);
        assert_eq!(
            labels("2026-11-23T09:02:00Z", "2026-11-23T10:02:00Z", &utc, 6),
            ["09:10", "09:20", "09:30", "09:40", "09:50", "10:00"]
        );
        assert_eq!(
            labels("2026-11-23T09:02:00Z", "2026-11-23T10:02:00Z", &utc, 4),
            ["09:15", "09:30", "09:45", "10:00"]
        );
        assert_eq!(
            labels("2026-11-23T09:02:00Z", "2026-11-23T10:02:00Z", &nepal, 4),
            ["15:00", "15:15", "15:30", "15:45"]
        );
        assert_eq!(
            labels("2026-11-22T18:00:00Z", "2026-11-23T18:00:00Z", &utc, 4),
            ["18:00", "Mon 23", "06:00", "12:00"]
        );
        assert_eq!(
            labels("2026-11-20", "2026-11-24", &utc, 4),
            ["Fri 20", "Sat 21", "Sun 22", "Mon 23"]
        );
        assert_eq!(
            labels("2026-10-25", "2026-11-24", &utc, 5),
            ["26 Oct", "2 Nov", "9 Nov", "16 Nov", "23 Nov"]
        );
        assert_eq!(labels("2026-08-25", "2027-04-24", &utc, 3), ["Oct", "2027", "Apr"]);
    }

    #[test]
    fn a_clock_change_moves_no_tick_off_its_round_time() {
        // London: back from UTC+1 at 01:00 UTC, so that 01:00 comes twice.
        let london = Offsets::new(vec![(0, 60), (at("2026-10-25T01:00:00Z").millis(), 0)]);
        assert_eq!(
            labels("2026-10-24T22:00:00Z", "2026-10-25T04:00:00Z", &london, 8),
            ["23:00", "Sun 25", "01:00", "01:00", "02:00", "03:00"]
        );
        assert_eq!(
            labels("2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", &london, 4),
            ["Sun 25", "Mon 26"]
        );
    }

    proptest! {
        #[test]
        fn inside_increasing_few_and_some(from in 0_i64..2_000_000_000_000, length in 2 * MINUTE..800 * DAY, most in 4_usize..12, before in -48_i32..56, after in -48_i32..56, change in 0_i64..800) {
            let offsets = Offsets::new(vec![(0, before * 15), (from + change * DAY, after * 15)]);
            let span = Span { from: Timestamp(from), to: Timestamp(from + length) };
            let ticks = ticks(span, &offsets, most);
            prop_assert!(!ticks.is_empty() && ticks.len() <= most, "{}", ticks.len());
            prop_assert!(ticks.iter().all(|t| span.from <= t.at && t.at < span.to));
            prop_assert!(ticks.windows(2).all(|w| w[0].at < w[1].at));
        }
    }
}
