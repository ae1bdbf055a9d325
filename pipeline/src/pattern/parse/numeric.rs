//! Comparisons of numbers.

use std::ops::Bound;

use serde_json::Value;

use super::Result;
use super::place::{Place, kind};
use crate::pattern::comparison::{Comparison, Real};

/// One comparison of `numeric`, such as `"<=", 5`.
struct Term {
    side: Side,
    inclusive: bool,
    number: Real,
}

#[derive(Clone, Copy)]
enum Side {
    Equal,
    Lower,
    Upper,
}

pub(super) fn numeric(value: &Value, place: &Place<'_>) -> Result<Comparison> {
    const FORMS: &str = "one comparison, or a lower bound and then an upper one, is needed, as in [\">\", 0, \"<=\", 5]";
    let Value::Array(list) = value else {
        return Err(place.fault(format!("is {}; {FORMS}", kind(value))));
    };
    let term = |(i, pair)| numeric_term(pair, place, 2 * i);
    let terms = list.chunks(2).enumerate().map(term).collect::<Result<Vec<_>>>()?;
    match terms.as_slice() {
        [
            Term {
                side: Side::Equal, number, ..
            },
        ] => Ok(Comparison::Number(*number)),
        [lower @ Term { side: Side::Lower, .. }] => Ok(Comparison::Range(lower.bound(), Bound::Unbounded)),
        [upper @ Term { side: Side::Upper, .. }] => Ok(Comparison::Range(Bound::Unbounded, upper.bound())),
        [lower @ Term { side: Side::Lower, .. }, upper @ Term { side: Side::Upper, .. }] => {
            if lower.number >= upper.number {
                return Err(place.fault("has a lower bound that is not below its upper bound; no number could be between"));
            }
            Ok(Comparison::Range(lower.bound(), upper.bound()))
        }
        _ => Err(place.fault(format!("is no range; {FORMS}"))),
    }
}

/// Reads a comparison that begins at index `i` of the list at `place`.
fn numeric_term(pair: &[Value], place: &Place<'_>, i: usize) -> Result<Term> {
    let symbol = pair.first().and_then(Value::as_str).unwrap_or_default();
    let (side, inclusive) = match symbol {
        "=" => (Side::Equal, true),
        ">" => (Side::Lower, false),
        ">=" => (Side::Lower, true),
        "<" => (Side::Upper, false),
        "<=" => (Side::Upper, true),
        "!=" => {
            return Err(place
                .index(i)
                .fault("is no comparison here; write {\"anything-but\": 5} instead of numeric"));
        }
        _ => {
            return Err(place
                .index(i)
                .fault("is no comparison; one of \"=\", \"<\", \"<=\", \">\" and \">=\" is needed"));
        }
    };
    let number = number(pair.get(1).unwrap_or(&Value::Null), &place.index(i + 1))?;
    Ok(Term { side, inclusive, number })
}

impl Term {
    fn bound(&self) -> Bound<Real> {
        if self.inclusive {
            Bound::Included(self.number)
        } else {
            Bound::Excluded(self.number)
        }
    }
}

pub(super) fn number(value: &Value, place: &Place<'_>) -> Result<Real> {
    value
        .as_number()
        .and_then(Real::of)
        .ok_or_else(|| place.fault(format!("is {}; a number is needed, without quotes", kind(value))))
}
