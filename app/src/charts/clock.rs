//! A zone's wall clock: dates and times from milliseconds and UTC offsets, without a calendar library.

use pipeline::time::{DAY, HOUR, MINUTE, Span, Timestamp};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A zone's offsets: since which instant (milliseconds) it is how many minutes ahead of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offsets(Vec<(i64, i32)>);

impl Offsets {
    /// No offset, ever.
    #[must_use]
    pub fn utc() -> Self {
        Self(vec![(i64::MIN, 0)])
    }

    /// From changes in any order. Before the first one its offset holds too; none at all is UTC.
    #[must_use]
    pub fn new(mut changes: Vec<(i64, i32)>) -> Self {
        changes.sort_unstable();
        changes.dedup_by_key(|c| c.1);
        match changes.first_mut() {
            Some(first) => first.0 = i64::MIN,
            None => return Self::utc(),
        }
        Self(changes)
    }

    /// Minutes ahead of UTC at an instant.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> i32 {
        self.0.iter().rev().find(|(since, _)| *since <= at.millis()).map_or(0, |c| c.1)
    }

    /// The parts of `span` that have one offset each, in order.
    pub fn within(&self, span: Span) -> impl Iterator<Item = (Span, i32)> + '_ {
        self.0.iter().enumerate().filter_map(move |(i, (since, minutes))| {
            let from = span.from.max(Timestamp(*since));
            let to = self.0.get(i + 1).map_or(span.to, |next| span.to.min(Timestamp(next.0)));
            (from < to).then_some((Span { from, to }, *minutes))
        })
    }

    /// What a clock on the wall shows at an instant.
    #[must_use]
    pub fn wall(&self, at: Timestamp) -> Wall {
        Wall::of(at.plus(i64::from(self.at(at)) * MINUTE))
    }
}

/// A date and a time of day on some zone's wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Wall {
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Monday.
    pub weekday: u8,
    pub hour: u8,
    pub minute: u8,
}

impl Wall {
    /// From local milliseconds, which is to say as if the zone were UTC. The calendar's arithmetic is that of
    /// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
    #[must_use]
    pub fn of(local: Timestamp) -> Self {
        let (days, millis) = (local.millis().div_euclid(DAY), local.millis().rem_euclid(DAY));
        let z = days + 719_468;
        let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(day_of_year - (153 * shifted + 2) / 5 + 1),
            weekday: small((days + 3).rem_euclid(7)),
            hour: small(millis / HOUR),
            minute: small(millis / MINUTE % 60),
        }
    }

    /// `09:15`.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// `Mon 23`.
    #[must_use]
    pub fn weekday(&self) -> String {
        format!("{} {}", WEEKDAYS[usize::from(self.weekday) % 7], self.day)
    }

    /// `23 Nov`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{} {}", self.day, self.month_name())
    }

    /// `Nov`.
    #[must_use]
    pub fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month + 11) % 12]
    }

    /// `Mon 23 Nov 09:15`.
    #[must_use]
    pub fn long(&self) -> String {
        format!("{} {} {}", self.weekday(), self.month_name(), self.time())
    }

    /// `2026-11-23 09:15`.
    #[must_use]
    pub fn iso(&self) -> String {
        format!("{:04}-{:02}-{:02} {}", self.year, self.month, self.day, self.time())
    }
}

/// The start of a month in local milliseconds; `month` 0 is January and may run over.
#[must_use]
pub fn month_start(year: i64, month: i64) -> i64 {
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let year_of_era = y.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (y.div_euclid(400) * 146_097 + day_of_era - 719_468) * DAY
}

/// `UTC`, `UTC+1`, `UTC−3:30`.
#[must_use]
pub fn offset_name(minutes: i32) -> String {
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_wall() {
        let at: Timestamp = "2026-11-23T23:45:59Z".parse().expect("a time");
        assert_eq!(Offsets::utc().wall(at).long(), "Mon 23 Nov 23:45");
        let offsets = Offsets::new(vec![(at.millis(), 60), (0, 0)]);
        assert_eq!(offsets.wall(at).iso(), "2026-11-24 00:45");
        assert_eq!(offsets.wall(at.plus(-1)).iso(), "2026-11-23 23:45");
        for (minutes, name) in [(0, "UTC"), (60, "UTC+1"), (-210, "UTC−3:30"), (345, "UTC+5:45")] {
            assert_eq!(offset_name(minutes), name);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(millis in -4_000_000_000_000_i64..16_000_000_000_000) {
            use chrono::{Datelike, Timelike};
            let (wall, utc) = (Wall::of(Timestamp(millis)), Timestamp(millis).utc());
            prop_assert_eq!(wall.year, i64::from(utc.year()));
            prop_assert_eq!([wall.month, wall.day, wall.hour, wall.minute].map(u32::from), [utc.month(), utc.day(), utc.hour(), utc.minute()]);
            prop_assert_eq!(u32::from(wall.weekday), utc.weekday().num_days_from_monday());
            let start = Wall::of(Timestamp(month_start(wall.year, i64::from(wall.month) - 1)));
            prop_assert_eq!((start.year, start.month, start.day, start.hour), (wall.year, wall.month, 1, 0));
        }

        #[test]
        fn parts_cover_a_span(changes in prop::collection::vec((0_i64..1000, -720_i32..840), 0..5), from in 0_i64..1000, length in 1_i64..1000) {
            let (offsets, span) = (Offsets::new(changes), Span { from: Timestamp(from), to: Timestamp(from + length) });
            let mut at = span.from;
            for (part, minutes) in offsets.within(span) {
                prop_assert_eq!(part.from, at);
                prop_assert_eq!(offsets.at(part.from), minutes);
                at = part.to;
            }
            prop_assert_eq!(at, span.to);
        }
    }
}
