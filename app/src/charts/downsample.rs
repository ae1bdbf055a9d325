//! Fewer points than values, without losing a peak or closing a gap.

/// A value that is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Its step.
    pub index: usize,
    /// Its value, untouched.
    pub value: f64,
    /// Whether every step since the sample before is known: only then may a line join the two.
    pub joined: bool,
}

/// At most `budget` (at least 4) of the known values: the first, the last, and of every stretch between them the
/// lowest and the highest, in order. A known stretch may vanish between two gaps; a gap never does.
#[must_use]
pub fn downsample(values: &[Option<f64>], budget: usize) -> Vec<Sample> {
    let known: Vec<(usize, f64)> = values.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).collect();
    let kept = if known.len() <= budget.max(4) {
        known
    } else {
        extremes(&known, budget.max(4))
    };
    let mut unknown_before = Vec::with_capacity(values.len() + 1);
    let mut unknown = 0_usize;
    for value in values {
        unknown_before.push(unknown);
        unknown += usize::from(value.is_none());
    }
    let mut previous: Option<usize> = None;
    kept.into_iter()
        .map(|(index, value)| {
            let joined = previous.is_some_and(|p| unknown_before[p] == unknown_before[index]);
            previous = Some(index);
            Sample { index, value, joined }
        })
        .collect()
}

fn extremes(known: &[(usize, f64)], budget: usize) -> Vec<(usize, f64)> {
    let [first, inner @ .., last] = known else { return known.to_vec() };
    let mut kept = vec![*first];
    for stretch in inner.chunks(inner.len().div_ceil((budget - 2) / 2)) {
        let lowest = stretch.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = stretch.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let (Some(low), Some(high)) = (lowest, highest) {
            kept.push(if low.0 <= high.0 { *low } else { *high });
            if low.0 != high.0 {
                kept.push(if low.0 < high.0 { *high } else { *low });
            }
        }
    }
    kept.push(*last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = Vec<Option<f64>>> {
        prop::collection::vec(prop::option::weighted(0.9, 0.0..1e6_f64), 0..600)
    }

    proptest! {
        #[test]
        fn keeps_extremes_order_values_ends_and_gaps(values in line(), budget in 4_usize..200) {
            let kept = downsample(&values, budget);
            let known: Vec<f64> = values.iter().filter_map(|v| *v).collect();
            prop_assert!(kept.len() <= budget);
            prop_assert!(kept.windows(2).all(|w| w[0].index < w[1].index));
            prop_assert!(kept.iter().all(|s| values[s.index] == Some(s.value)));
            let highest = |of: &mut dyn Iterator<Item = f64>| of.fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(highest(&mut kept.iter().map(|s| s.value)), highest(&mut known.iter().copied()));
            prop_assert_eq!(highest(&mut kept.iter().map(|s| -s.value)), highest(&mut known.iter().map(|v| -v)));
            prop_assert_eq!(kept.first().map(|s| s.index), values.iter().position(Option::is_some));
            prop_assert_eq!(kept.last().map(|s| s.index), values.iter().rposition(Option::is_some));
            for pair in kept.windows(2) {
                let whole = values[pair[0].index..=pair[1].index].iter().all(Option::is_some);
                prop_assert_eq!(pair[1].joined, whole);
            }
        }

        #[test]
        fn leaves_a_short_line_alone(values in line()) {
            let kept = downsample(&values, values.len());
            prop_assert_eq!(kept.len(), values.iter().flatten().count());
        }
    }
}
