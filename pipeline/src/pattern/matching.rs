//! A pattern without `$or`, and whether it holds of an event.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::comparison::{Comparison, Scalar};
use super::{Field, Fields};

/// What a pattern asks of one object: all of these.
#[derive(Clone, Debug, Default)]
pub(super) struct ObjectPattern {
    /// Fields whose values must be accepted.
    pub(super) leaves: BTreeMap<Arc<str>, Leaf>,
    /// Fields that must be, or lead to, objects. One name may be in both maps: they ask about different things.
    pub(super) objects: BTreeMap<Arc<str>, ObjectPattern>,
}

/// The list of what is accepted in one field, shared between the branches of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Leaf(pub(super) Arc<[Matcher]>);

/// An entry of such a list.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// `exists: true`.
    Present,
    /// `exists: false`.
    Absent,
    /// A plain value or an operator.
    Is(Comparison),
    /// `anything-but`: a value that is none of these.
    IsNone(Vec<Comparison>),
}

/// How a pattern fares with an object, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Fails,
    /// It holds, and only by what the object lacks. That says nothing for one element of an array: in
    /// `[{"a": 1}, {}]`, the second element doesn't make `a` absent.
    HoldsByAbsence,
    /// It holds, and by a value that the object has.
    Holds,
}

/// Every top-level field that one of `branches` looks at, sorted.
pub(super) fn keys(branches: &[ObjectPattern]) -> Vec<Arc<str>> {
    let keys: BTreeSet<_> = branches
        .iter()
        .flat_map(|branch| branch.leaves.keys().chain(branch.objects.keys()))
        .collect();
    keys.into_iter().map(Arc::clone).collect()
}

impl ObjectPattern {
    /// Whether `event` has, and lacks, all that this asks for.
    pub(super) fn takes(&self, event: &impl Fields) -> bool {
        self.outcome(event) > Outcome::Fails
    }

    /// For one object.
    fn outcome(&self, object: &impl Fields) -> Outcome {
        let leaves = self.leaves.iter().map(|(name, leaf)| leaf.outcome(object.field(name)));
        let objects = self
            .objects
            .iter()
            .map(|(name, pattern)| pattern.outcome_within(object.field(name)));
        // One value that is there is enough to tell this object from another that lacks as much.
        let mut joint = Outcome::HoldsByAbsence;
        for outcome in leaves.chain(objects) {
            if outcome == Outcome::Fails {
                return Outcome::Fails;
            }
            joint = joint.max(outcome);
        }
        joint
    }

    /// For the object or the array of objects that a field may be.
    fn outcome_within(&self, field: Option<Field<'_>>) -> Outcome {
        if objects(field).any(|object| self.outcome(object) == Outcome::Holds) {
            Outcome::Holds
        } else if self.admits_absence() && self.is_absent_from(&objects(field).collect::<Vec<_>>()) {
            Outcome::HoldsByAbsence
        } else {
            Outcome::Fails
        }
    }

    /// Whether an object without any of the fields would do.
    fn admits_absence(&self) -> bool {
        self.leaves.values().all(Leaf::admits_absence) && self.objects.values().all(Self::admits_absence)
    }

    /// Whether none of the fields is in any of `objects`.
    fn is_absent_from(&self, objects: &[&Map<String, Value>]) -> bool {
        fn each<'e>(objects: &[&'e Map<String, Value>], name: &str) -> impl Iterator<Item = &'e Value> {
            objects.iter().filter_map(move |object| object.get(name)).flat_map(flattened)
        }
        self.leaves.keys().all(|name| each(objects, name).all(Value::is_object))
            && self
                .objects
                .iter()
                .all(|(name, pattern)| pattern.is_absent_from(&each(objects, name).filter_map(Value::as_object).collect::<Vec<_>>()))
    }
}

impl Leaf {
    fn outcome(&self, field: Option<Field<'_>>) -> Outcome {
        let mut leaves = leaves(field).peekable();
        if leaves.peek().is_none() {
            return if self.admits_absence() {
                Outcome::HoldsByAbsence
            } else {
                Outcome::Fails
            };
        }
        if leaves.any(|leaf| self.0.iter().any(|matcher| matcher.accepts(leaf))) {
            Outcome::Holds
        } else {
            Outcome::Fails
        }
    }

    fn admits_absence(&self) -> bool {
        self.0.iter().any(|matcher| matches!(matcher, Matcher::Absent))
    }
}

impl Matcher {
    fn accepts(&self, leaf: Scalar<'_>) -> bool {
        match self {
            Self::Present => true,
            Self::Absent => false,
            Self::Is(comparison) => comparison.holds(leaf),
            Self::IsNone(comparisons) => !comparisons.iter().any(|comparison| comparison.holds(leaf)),
        }
    }
}

/// The leaves that a field is or, as an array, holds.
fn leaves<'e>(field: Option<Field<'e>>) -> impl Iterator<Item = Scalar<'e>> {
    let (text, json) = match field {
        None => (None, None),
        Some(Field::Text(text)) => (Some(text), None),
        Some(Field::Json(json)) => (None, Some(json)),
    };
    text.map(Scalar::Text)
        .into_iter()
        .chain(json.into_iter().flat_map(flattened).filter_map(Scalar::of))
}

/// The objects that a field is or, as an array, holds.
fn objects<'e>(field: Option<Field<'e>>) -> impl Iterator<Item = &'e Map<String, Value>> {
    let json = match field {
        None | Some(Field::Text(_)) => None,
        Some(Field::Json(json)) => Some(json),
    };
    json.into_iter().flat_map(flattened).filter_map(Value::as_object)
}

/// `value` or, for an array, what it and the arrays in it hold. Not recursive: events come from outside.
fn flattened(value: &Value) -> Flattened<'_> {
    Flattened {
        first: Some(value),
        open: Vec::new(),
    }
}

struct Flattened<'e> {
    first: Option<&'e Value>,
    /// The arrays that we are inside of, outermost first.
    open: Vec<slice::Iter<'e, Value>>,
}

impl<'e> Iterator for Flattened<'e> {
    type Item = &'e Value;

    fn next(&mut self) -> Option<&'e Value> {
        loop {
            let value = match self.first.take() {
                Some(value) => value,
                None => match self.open.last_mut()?.next() {
                    Some(value) => value,
                    None => {
                        self.open.pop();
                        continue;
                    }
                },
            };
            match value {
                Value::Array(elements) => self.open.push(elements.iter()),
                value => return Some(value),
            }
        }
    }
}
