//! The value axis: from zero to a round number above everything that belongs on it.

use pipeline::metric::Unit;

/// A limit further above the data than this many times is named at the edge instead of squashing the data.
const REACH: f64 = 3.0;
/// Room above the highest value, as a factor.
const HEADROOM: f64 = 1.06;

/// Where a limit is, seen from the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the axis, so it is a line.
    Inside,
    /// Far above it: named at the upper edge, with an arrow.
    Above,
}

/// A value axis: 0, `step`, 2 × `step`, … `top`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Value at the upper end, a multiple of `step`, above zero.
    pub top: f64,
    /// Distance between two grid lines: 1, 2 or 5 times a power of ten, of the unit that is written.
    pub step: f64,
    /// Where the limit is, if there is one.
    pub limit: Option<Reach>,
}

impl Scale {
    /// The axis for values up to `highest` (`None`: nothing is known) and a limit.
    #[must_use]
    pub fn of(highest: Option<f64>, limit: Option<f64>, unit: Unit) -> Self {
        let highest = highest.filter(|v| v.is_finite() && *v > 0.0);
        let limit = limit.filter(|v| v.is_finite() && *v > 0.0);
        let reach = limit.map(|limit| {
            if highest.is_none_or(|h| limit <= h * REACH) {
                Reach::Inside
            } else {
                Reach::Above
            }
        });
        let inside = limit.filter(|_| reach == Some(Reach::Inside));
        let cover = highest
            .into_iter()
            .chain(inside)
            .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        let cover = cover.unwrap_or_else(|| at_rest(unit)) * HEADROOM;
        let step = step_for(cover, unit);
        Self {
            top: (cover / step).ceil().max(1.0) * step,
            step,
            limit: reach,
        }
    }

    /// The grid's values, from zero to the top.
    pub fn grid(&self) -> impl Iterator<Item = f64> + use<> {
        let (step, count) = (self.step, (self.top / self.step).round() as u32);
        (0..=count).map(move |n| f64::from(n) * step)
    }
}

/// How far the axis goes when there is nothing but zeroes on it.
const fn at_rest(unit: Unit) -> f64 {
    match unit {
        Unit::PerMinute => 9.0,
        Unit::Seconds | Unit::Percent => 0.9,
        Unit::Count => 3.0,
    }
}

fn step_for(cover: f64, unit: Unit) -> f64 {
    // Above two minutes, round numbers are those of minutes, then of hours.
    let written = match unit {
        Unit::Seconds if cover >= 7200.0 => 3600.0,
        Unit::Seconds if cover >= 120.0 => 60.0,
        _ => 1.0,
    };
    let least = if unit == Unit::Count { 1.0 } else { 1e-9 };
    round_up(cover / written / 4.0).max(least) * written
}

/// The next of 1, 2, 5 × 10ⁿ. By multiplication and division alone, which are the same to the last bit on the server and in
/// the browser (logarithms are not): both must draw the same.
fn round_up(least: f64) -> f64 {
    for exponent in -9_i32..=300 {
        let power = ten_to(exponent.unsigned_abs());
        for digit in [1.0, 2.0, 5.0] {
            let candidate = if exponent < 0 { digit / power } else { digit * power };
            if candidate >= least {
                return candidate;
            }
        }
    }
    least
}

fn ten_to(exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn axes() {
        use Reach::{Above, Inside};
        let cases = [
            (Some(164.0), Some(100.0), Unit::PerMinute, 200.0, 50.0, Some(Inside)),
            (Some(0.05), Some(30.0), Unit::Seconds, 0.06, 0.02, Some(Above)),
            (Some(12.0), Some(30.0), Unit::Seconds, 40.0, 10.0, Some(Inside)),
            (Some(600.0), None, Unit::Seconds, 900.0, 300.0, None),
            (Some(2.0), None, Unit::Count, 3.0, 1.0, None),
            (Some(0.0), None, Unit::Count, 4.0, 1.0, None),
            (None, None, Unit::PerMinute, 10.0, 5.0, None),
            (None, Some(1.0), Unit::Percent, 1.5, 0.5, Some(Inside)),
            (Some(0.0), Some(100.0), Unit::PerMinute, 150.0, 50.0, Some(Inside)),
            (Some(f64::NAN), None, Unit::Percent, 1.0, 0.5, None),
        ];
        for (highest, limit, unit, top, step, reach) in cases {
            let scale = Scale::of(highest, limit, unit);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(
                near(scale.top, top) && near(scale.step, step) && scale.limit == reach,
                "{highest:?} {limit:?}: {scale:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn covers_the_data_with_a_few_round_steps(highest in 1e-6..1e12_f64, limit in prop::option::of(1e-6..1e12_f64)) {
            for unit in [Unit::PerMinute, Unit::Seconds, Unit::Percent, Unit::Count] {
                let scale = Scale::of(Some(highest), limit, unit);
                prop_assert!(scale.top >= highest);
                prop_assert!(scale.limit != Some(Reach::Inside) || limit.is_some_and(|l| l <= scale.top));
                let grid: Vec<f64> = scale.grid().collect();
                prop_assert!((2..=6).contains(&grid.len()), "{:?}", scale);
                prop_assert_eq!(grid[0], 0.0);
                if unit != Unit::Count && limit.is_none() {
                    prop_assert!(scale.top <= highest * 3.0, "{:?}", scale);
                }
            }
        }
    }
}
