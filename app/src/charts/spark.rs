//! A line small enough for a table's row.

use std::fmt::Write;

use super::hue::Hue;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 22.0;
/// Pixels above the highest value and below zero, so that no stroke is cut.
const MARGIN: f64 = 2.0;

/// An `<svg>` of 96 × 22 pixels, from zero to the highest value; hidden from assistive technology, because the row says
/// the number. A value that isn't known is a gap.
#[must_use]
pub fn spark(values: &[Option<f64>], hue: Hue) -> String {
    let known = |n: usize| values.get(n).copied().flatten().filter(|v| v.is_finite());
    let highest = (0..values.len()).filter_map(known).fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let pace = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    let mut path = String::new();
    let mut joined = false;
    for n in 0..values.len() {
        if let Some(value) = known(n) {
            let (x, y) = (
                n as f64 * pace,
                HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value.max(0.0) / highest,
            );
            let alone = !joined && known(n + 1).is_none();
            let _ = write!(
                path,
                "{}{x:.1} {y:.1}{}",
                if joined { 'L' } else { 'M' },
                if alone { "h.01" } else { "" }
            );
        }
        joined = known(n).is_some();
    }
    let class = hue.class();
    format!(
        r#"<svg class="spark {class}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true" focusable="false"><path d="{path}"/></svg>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_gaps_as_gaps_and_zero_as_zero() {
        assert!(spark(&[Some(0.0), Some(0.0)], Hue::C1).contains(r#"d="M0.0 20.0L96.0 20.0""#));
        assert!(spark(&[Some(1.0), Some(2.0), None, Some(2.0)], Hue::C2).contains(r#"d="M0.0 11.0L32.0 2.0M96.0 2.0h.01""#));
        assert!(spark(&[], Hue::C1).contains(r#"d="""#));
    }
}
