//! Numbers as people read them.

pub use pipeline::criteria::group;

/// `1.234 s`, `85 ms`, `740 µs`.
#[must_use]
pub fn seconds(value: f64) -> String {
    crate::charts::format::value(value, pipeline::metric::Unit::Seconds)
}

/// `0.42 %`; two decimals below ten, one above.
#[must_use]
pub fn percent(value: f64) -> String {
    if value >= 9.95 {
        format!("{value:.1} %")
    } else {
        format!("{value:.2} %")
    }
}

/// `118.2`; no decimals from a thousand on.
#[must_use]
pub fn rate(value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative, and far below 2^53
    if value >= 1000.0 {
        group(value.round() as u64)
    } else {
        format!("{value:.1}")
    }
}

/// A value that may be unknown: a dash then.
#[must_use]
pub fn or_dash<T>(value: Option<T>, write: fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), write)
}

/// `3 min`, `2 h 5 min`, `4 d 2 h`: the two largest units.
#[must_use]
pub fn duration(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big} {big_unit}")
        } else {
            format!("{big} {big_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => pair(seconds / 60, "min", 0, ""),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

/// `0199…c41d`: an id short enough for a table.
#[must_use]
pub fn short_id(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= 13 {
        id.to_owned()
    } else {
        chars[..8].iter().chain(&['…']).chain(&chars[chars.len() - 4..]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_two_units() {
        for (millis, text) in [
            (0, "0 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (3_660_000, "1 h 1 min"),
            (7_200_000, "2 h"),
            (356_400_000, "4 d 3 h"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(millis), text);
        }
    }

    #[test]
    fn ids_are_cut_in_the_middle_by_characters() {
        assert_eq!(short_id("0199aaaa-bbbb-cccc-dddd-eeeeffffc41d"), "0199aaaa…c41d");
        assert_eq!(short_id("short"), "short");
        assert_eq!(short_id("ééééééééééééééé"), "éééééééé…éééé");
    }
}
