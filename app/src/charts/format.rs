//! Values as text.

use pipeline::metric::Unit;

/// A value in full, with its unit: `1.9 s`, `0.42 %`, `48,210`, `62.5/min`.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => number(value, if value.fract() == 0.0 { 0 } else { 1 }),
        Unit::PerMinute => format!("{}/min", number(value, if value < 99.95 { 1 } else { 0 })),
        Unit::Percent => percent(value),
        Unit::Seconds => seconds(value),
    }
}

/// A value on an axis whose grid lines are `step` apart and end at `top`. Zero has no unit.
#[must_use]
pub fn axis(value: f64, step: f64, top: f64, unit: Unit) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let (written, suffix) = match unit {
        Unit::Seconds if top < 1e-3 => (1e-6, " µs"),
        Unit::Seconds if top < 1.0 => (1e-3, " ms"),
        Unit::Seconds if top < 120.0 => (1.0, " s"),
        Unit::Seconds if top < 7200.0 => (60.0, " min"),
        Unit::Seconds => (3600.0, " h"),
        Unit::Percent => (1.0, " %"),
        Unit::PerMinute | Unit::Count if top >= 1e6 => (1e6, " M"),
        Unit::PerMinute | Unit::Count if top >= 1e4 => (1e3, " k"),
        Unit::PerMinute | Unit::Count => (1.0, ""),
    };
    // As many decimals as the step needs; one more than its size says never hurts, because zeroes are cut.
    let mut decimals = 0;
    let mut fraction = step / written;
    while fraction < 0.999 && decimals < 9 {
        fraction *= 10.0;
        decimals += 1;
    }
    format!("{}{suffix}", number(value / written, decimals + 1))
}

/// At most `decimals` decimals, thousands grouped, no trailing zeroes.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::with_capacity(text.len() + 4);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction.trim_end_matches('0') {
        "" => grouped,
        fraction => format!("{grouped}.{fraction}"),
    }
}

/// Two decimals below ten; never a zero or a hundred that isn't one.
fn percent(value: f64) -> String {
    match value {
        v if v > 0.0 && v < 0.005 => "<0.01 %".to_owned(),
        v if v < 9.995 => format!("{} %", number(v, 2)),
        v if v < 100.0 => format!("{} %", number(v.min(99.9), 1)),
        v => format!("{} %", number(v, 1)),
    }
}

fn seconds(value: f64) -> String {
    match value {
        0.0 => "0 s".to_owned(),
        v if v < 0.000_999_5 => format!("{} µs", number(v * 1e6, 0)),
        v if v < 0.009_95 => format!("{} ms", number(v * 1e3, 1)),
        v if v < 0.999_5 => format!("{} ms", number(v * 1e3, 0)),
        v if v < 119.95 => format!("{} s", number(v, 1)),
        v if v < 7197.0 => format!("{} min", number(v / 60.0, 1)),
        v => format!("{} h", number(v / 3600.0, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        use Unit::{Count, PerMinute, Percent, Seconds};
        let cases = [
            (0.0, Seconds, "0 s"),
            (0.000_85, Seconds, "850 µs"),
            (0.000_999_9, Seconds, "1 ms"),
            (0.0123, Seconds, "12 ms"),
            (0.999_9, Seconds, "1 s"),
            (1.94, Seconds, "1.9 s"),
            (119.99, Seconds, "2 min"),
            (9000.0, Seconds, "2.5 h"),
            (0.0, Percent, "0 %"),
            (0.001, Percent, "<0.01 %"),
            (0.42, Percent, "0.42 %"),
            (9.999, Percent, "10 %"),
            (99.99, Percent, "99.9 %"),
            (100.0, Percent, "100 %"),
            (48_210.0, Count, "48,210"),
            (1_000_000.0, Count, "1,000,000"),
            (999.0, Count, "999"),
            (62.0, PerMinute, "62/min"),
            (118.2, PerMinute, "118/min"),
            (99.97, PerMinute, "100/min"),
        ];
        for (v, unit, expected) in cases {
            assert_eq!(value(v, unit), expected);
        }
    }

    #[test]
    fn axis_labels() {
        let cases = [
            (0.0, 0.5, 2.0, Unit::Seconds, "0"),
            (0.5, 0.5, 2.0, Unit::Seconds, "0.5 s"),
            (1.0, 0.5, 2.0, Unit::Seconds, "1 s"),
            (0.04, 0.02, 0.06, Unit::Seconds, "40 ms"),
            (0.000_2, 0.000_1, 0.000_4, Unit::Seconds, "200 µs"),
            (600.0, 300.0, 900.0, Unit::Seconds, "10 min"),
            (2500.0, 500.0, 3000.0, Unit::Count, "2,500"),
            (12_000.0, 2000.0, 14_000.0, Unit::PerMinute, "12 k"),
            (1200.0, 400.0, 14_000.0, Unit::PerMinute, "1.2 k"),
            (2_000_000.0, 1_000_000.0, 4_000_000.0, Unit::Count, "2 M"),
            (0.02, 0.01, 0.05, Unit::Percent, "0.02 %"),
        ];
        for (v, step, top, unit, expected) in cases {
            assert_eq!(axis(v, step, top, unit), expected);
        }
    }
}
