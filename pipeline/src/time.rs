//! Instants and ranges, in Unix milliseconds.

use std::fmt;
use std::str::FromStr;

use crate::event::InvalidField;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// An instant: Unix time in milliseconds. Written as RFC 3339 in UTC, or, beyond its
/// years, in milliseconds; read from RFC 3339 or from milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The current instant. In a browser, ask the page for the server's clock instead.
    #[cfg(feature = "runtime")]
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whether RFC 3339 can write it: its years have four digits.
    const fn has_a_year(self) -> bool {
        // 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z
        -62_167_219_200_000 <= self.0 && self.0 <= 253_402_300_799_999
    }

    /// This instant as a calendar time in UTC; instants outside chrono's range become the epoch.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The start of the period of `step` milliseconds that holds this instant.
    #[must_use]
    pub const fn floor(self, step: i64) -> Self {
        Self(self.0.div_euclid(step) * step)
    }

    /// This instant moved by `millis`, which may be negative.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_a_year() {
            f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
        } else {
            // Somebody's microseconds, say: nothing is made up, and it reads back as it was.
            write!(f, "{}", self.0)
        }
    }
}

/// A text that is neither RFC 3339, a date, nor Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time: write RFC 3339 (2026-01-31T09:00Z), a date (2026-01-31, UTC) or Unix milliseconds")]
pub struct NotATime(String);

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let not_a_time = || NotATime(text.chars().take(64).collect());
        if let Ok(millis) = text.parse::<i64>() {
            return Ok(Self(millis));
        }
        // As people, and browsers' own fields, write it: the clock, its seconds and the zone may be left out.
        let after_date = text.get(10..).and_then(|rest| rest.find(['Z', 'z', '+', '-']));
        let (clock, zone) = after_date.map_or((text, "Z"), |at| text.split_at(10 + at));
        let left_out = match clock.len() {
            10 => "T00:00:00",
            16 => ":00",
            _ => "",
        };
        DateTime::parse_from_rfc3339(&format!("{clock}{left_out}{zone}"))
            .map(|at| Self(at.timestamp_millis()))
            .map_err(|_| not_a_time())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time or Unix milliseconds")
            }
            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(millis))
            }
            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(millis).unwrap_or(i64::MAX))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Checks a range that may be open at either end.
///
/// # Errors
/// It ends before it begins.
pub fn check_range(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), InvalidField> {
    match (from, to) {
        (Some(from), Some(to)) if to < from => Err(InvalidField::new("to", format!("must not lie before from, which is {from}"))),
        _ => Ok(()),
    }
}

/// A half-open span of time: `from` belongs to it, `to` doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// First instant of the span.
    pub from: Timestamp,
    /// First instant after the span.
    pub to: Timestamp,
}

impl Span {
    /// The span of `millis` that ends at `to`.
    #[must_use]
    pub const fn ending(to: Timestamp, millis: i64) -> Self {
        Self {
            from: to.plus(-millis),
            to,
        }
    }

    /// Length in milliseconds.
    #[must_use]
    pub const fn millis(&self) -> i64 {
        self.to.since(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_and_writes_rfc3339() {
        for (text, millis) in [
            ("1790000002395", 1_790_000_002_395),
            ("2026-09-21T14:13:22.395Z", 1_790_000_002_395),
            ("2026-09-21T15:13:22.395+01:00", 1_790_000_002_395),
            ("2026-09-21", 1_789_948_800_000),
            ("2026-09-21T14:13Z", 1_789_999_980_000),
            ("2026-09-21T14:13", 1_789_999_980_000),
            ("2026-09-21T15:13+01:00", 1_789_999_980_000),
            ("2026-09-21 14:13:22", 1_790_000_002_000),
            ("0000-01-01", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(text.parse::<Timestamp>(), Ok(Timestamp(millis)), "{text}");
        }
        assert_eq!(Timestamp(1_790_000_002_395).to_string(), "2026-09-21T14:13:22.395Z");
        for far in [1_790_000_002_395_000, -62_167_219_200_001, i64::MAX, i64::MIN] {
            assert_eq!(Timestamp(far).to_string().parse(), Ok(Timestamp(far)), "what is written reads back");
            let json = serde_json::to_string(&Timestamp(far)).expect("JSON");
            assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("a time"), Timestamp(far));
        }
        for nonsense in [
            "yesterday",
            "",
            "2026-13-01",
            "2026-09-21T",
            "2026-09-21T25:00",
            "2026-09-21é",
            "12é4567890Z",
        ] {
            assert!(nonsense.parse::<Timestamp>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn floors_towards_the_past_also_before_the_epoch() {
        assert_eq!(Timestamp(61_000).floor(MINUTE), Timestamp(60_000));
        assert_eq!(Timestamp(-1).floor(MINUTE), Timestamp(-60_000));
    }
}
