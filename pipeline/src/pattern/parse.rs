//! From a pattern's JSON to its compiled branches.

mod numeric;
mod place;

use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::PatternError;
use super::comparison::{CaseFolded, Comparison, Network};
use super::matching::{Leaf, Matcher, ObjectPattern};
use super::wildcard::Wildcard;
use numeric::{number, numeric};
use place::{Place, excerpt, kind};

/// How many names and indices deep a pattern may go. Compiling and matching recurse as deep as the pattern does.
const MAX_DEPTH: usize = 100;

/// How many branches a pattern's `$or`s may multiply out to; EventBridge's own limit.
const MAX_BRANCHES: usize = 1000;

/// How many lists of accepted values these branches may have in all, so that a small pattern can't take much memory.
const MAX_LEAVES: usize = 100_000;

const OR: &str = "$or";

const OPERATORS: &str = "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists";

/// Names that event-ruler takes as a sign that a list under `$or` is one of matchers, not of alternatives.
const RESERVED_UNDER_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

type Result<T> = std::result::Result<T, PatternError>;

/// Compiles a whole pattern.
pub(super) fn branches(source: &Value) -> Result<Vec<ObjectPattern>> {
    let place = Place::ROOT;
    match source {
        Value::Object(object) => Ok(Branches::of_object(object, &place)?.branches),
        other => Err(place.fault(format!(
            "is {}; a pattern is an object that names fields, as in {{\"source\": [\"orders\"]}}",
            kind(other)
        ))),
    }
}

/// The ways, one or more, in which what has been read so far can hold.
struct Branches {
    branches: Vec<ObjectPattern>,
    /// How many leaves they have in all.
    leaves: usize,
}

impl Branches {
    fn of_object(object: &Map<String, Value>, place: &Place<'_>) -> Result<Self> {
        if place.depth > MAX_DEPTH {
            return Err(place.fault(format!("is more than {MAX_DEPTH} levels deep; patterns may not go deeper")));
        }
        if object.is_empty() {
            return Err(place.fault("is an empty object; name a field in it, as in {\"source\": [\"orders\"]}"));
        }
        let mut all = Self {
            branches: vec![ObjectPattern::default()],
            leaves: 0,
        };
        for (name, value) in object {
            let at = place.field(name);
            let field = match alternatives(name, value, &at)? {
                Some(alternatives) => Self::of_any(&alternatives, &at)?,
                None => Self::of_field(name, value, &at)?,
            };
            all = all.and(&field, place)?;
        }
        Ok(all)
    }

    fn of_field(name: &str, value: &Value, place: &Place<'_>) -> Result<Self> {
        let name: Arc<str> = name.into();
        match value {
            Value::Array(accepted) => {
                let leaves = [(name, Leaf(matchers(accepted, place)?))].into();
                Ok(Self {
                    branches: vec![ObjectPattern {
                        leaves,
                        ..ObjectPattern::default()
                    }],
                    leaves: 1,
                })
            }
            Value::Object(object) => {
                let Self { branches, leaves } = Self::of_object(object, place)?;
                let wrap = |pattern| ObjectPattern {
                    objects: [(Arc::clone(&name), pattern)].into(),
                    ..ObjectPattern::default()
                };
                Ok(Self {
                    branches: branches.into_iter().map(wrap).collect(),
                    leaves,
                })
            }
            other => Err(place.fault(format!(
                "is {}; put what is accepted in a list, as in [{}]",
                kind(other),
                excerpt(other)
            ))),
        }
    }

    /// Any one of the objects in the list at `place`.
    fn of_any(alternatives: &[&Map<String, Value>], place: &Place<'_>) -> Result<Self> {
        let mut any = Self {
            branches: Vec::new(),
            leaves: 0,
        };
        for (i, object) in alternatives.iter().enumerate() {
            let alternative = Self::of_object(object, &place.index(i))?;
            any.leaves += alternative.leaves;
            any.branches.extend(alternative.branches);
            check_size(any.branches.len(), any.leaves, place)?;
        }
        Ok(any)
    }

    /// All combinations of these with `others`, both read in the object at `place`.
    fn and(mut self, others: &Self, place: &Place<'_>) -> Result<Self> {
        // Sizes first: what they limit is the work that follows.
        let branches = self.branches.len() * others.branches.len();
        let leaves = self.leaves * others.branches.len() + others.leaves * self.branches.len();
        check_size(branches, leaves, place)?;
        // A field without alternatives, by far the usual case, needs no copy of what it is added to.
        if let [other] = others.branches.as_slice() {
            for ours in &mut self.branches {
                merge(ours, other, place)?;
            }
            return Ok(Self { leaves, ..self });
        }
        let mut combinations = Vec::with_capacity(branches);
        for ours in self.branches {
            for other in &others.branches {
                let mut combination = ours.clone();
                merge(&mut combination, other, place)?;
                combinations.push(combination);
            }
        }
        Ok(Self {
            branches: combinations,
            leaves,
        })
    }
}

fn check_size(branches: usize, leaves: usize, place: &Place<'_>) -> Result<()> {
    if branches > MAX_BRANCHES || leaves > MAX_LEAVES {
        return Err(place.fault(format!(
            "multiplies out to {branches} combinations of $or alternatives with {leaves} lists of values; \
             at most {MAX_BRANCHES} and {MAX_LEAVES} are allowed, so split it into several patterns"
        )));
    }
    Ok(())
}

/// Adds to `pattern` what `other` asks of the same object, the one at `place`.
fn merge(pattern: &mut ObjectPattern, other: &ObjectPattern, place: &Place<'_>) -> Result<()> {
    for (name, leaf) in &other.leaves {
        match pattern.leaves.entry(Arc::clone(name)) {
            Entry::Vacant(vacant) => vacant.insert(leaf.clone()),
            // In event-ruler, by its version, the later list silently replaces the other or is refused; never do both count.
            Entry::Occupied(_) => {
                return Err(place
                    .field(name)
                    .fault("has a list of values both inside $or and outside it; put the field in every alternative, or only outside"));
            }
        };
    }
    for (name, object) in &other.objects {
        match pattern.objects.entry(Arc::clone(name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(object.clone());
            }
            Entry::Occupied(mut occupied) => merge(occupied.get_mut(), object, &place.field(name))?,
        }
    }
    Ok(())
}

/// The alternatives of a `$or`; `None` if `name` is a field's, be it called `$or`.
fn alternatives<'p>(name: &str, value: &'p Value, place: &Place<'_>) -> Result<Option<Vec<&'p Map<String, Value>>>> {
    let (OR, Value::Array(list)) = (name, value) else {
        return Ok(None);
    };
    let names_fields = |object: &&Map<String, Value>| !object.keys().any(|key| RESERVED_UNDER_OR.contains(&key.as_str()));
    let alternatives: Vec<_> = list.iter().filter_map(Value::as_object).filter(names_fields).collect();
    if alternatives.is_empty() {
        return Ok(None);
    }
    if alternatives.len() < 2 || alternatives.len() < list.len() {
        return Err(
            place.fault("is not a list of alternatives; two or more objects of fields are needed, none of them named like an operator")
        );
    }
    Ok(Some(alternatives))
}

fn matchers(accepted: &[Value], place: &Place<'_>) -> Result<Arc<[Matcher]>> {
    if accepted.is_empty() {
        return Err(
            place.fault("is an empty list, which accepts nothing; list what is accepted, or [{\"exists\": false}] for a missing field")
        );
    }
    accepted
        .iter()
        .enumerate()
        .map(|(i, value)| matcher(value, &place.index(i)))
        .collect()
}

fn matcher(value: &Value, place: &Place<'_>) -> Result<Matcher> {
    match value {
        Value::Object(object) => operator(object, place),
        plain => plain_value(plain, place).map(Matcher::Is),
    }
}

fn plain_value(value: &Value, place: &Place<'_>) -> Result<Comparison> {
    match value {
        Value::Null => Ok(Comparison::Null),
        Value::Bool(value) => Ok(Comparison::Bool(*value)),
        Value::Number(_) => number(value, place).map(Comparison::Number),
        Value::String(text) => Ok(Comparison::Text(text.clone())),
        Value::Array(_) | Value::Object(_) => {
            Err(place.fault(format!("is {}; a string, a number, true, false or null is needed", kind(value))))
        }
    }
}

fn operator(object: &Map<String, Value>, place: &Place<'_>) -> Result<Matcher> {
    let (name, value) = only_entry(object, place)?;
    let at = &place.field(name);
    let comparison = match name {
        "exists" => return exists(value, at),
        "anything-but" => return anything_but(value, at).map(Matcher::IsNone),
        "prefix" => affix(value, at, Comparison::Prefix, Comparison::PrefixInAnyCase)?,
        "suffix" => affix(value, at, Comparison::Suffix, Comparison::SuffixInAnyCase)?,
        "equals-ignore-case" => Comparison::TextInAnyCase(CaseFolded::of(text(value, at)?)),
        "wildcard" => wildcard(text(value, at)?, at)?,
        "numeric" => numeric(value, at)?,
        "cidr" => Network::parse(text(value, at)?)
            .map(Comparison::Network)
            .map_err(|reason| at.fault(reason))?,
        _ => {
            return Err(at.fault(format!(
                "is not an operator; these are: {OPERATORS}. To look into an object, write it without the list around it"
            )));
        }
    };
    Ok(Matcher::Is(comparison))
}

/// The operator and the operand of a matcher.
fn only_entry<'p>(object: &'p Map<String, Value>, place: &Place<'_>) -> Result<(&'p str, &'p Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        (None, _) => Err(place.fault(format!("is an empty object; one operator is needed: {OPERATORS}"))),
        (Some((first, _)), Some((second, _))) => Err(place.fault(format!(
            "has both {first} and {second}; one operator is needed. Where either may hold, write two objects in the list"
        ))),
    }
}

fn exists(value: &Value, place: &Place<'_>) -> Result<Matcher> {
    match value {
        Value::Bool(true) => Ok(Matcher::Present),
        Value::Bool(false) => Ok(Matcher::Absent),
        other => Err(place.fault(format!("is {}; true or false is needed", kind(other)))),
    }
}

/// `prefix` or `suffix`, as is or in any case.
fn affix(
    value: &Value,
    place: &Place<'_>,
    as_is: fn(String) -> Comparison,
    in_any_case: fn(CaseFolded) -> Comparison,
) -> Result<Comparison> {
    let Value::Object(object) = value else {
        return Ok(as_is(text(value, place)?.to_owned()));
    };
    let (name, value) = only_entry(object, place)?;
    let at = place.field(name);
    match name {
        "equals-ignore-case" => Ok(in_any_case(CaseFolded::of(text(value, &at)?))),
        _ => Err(at.fault("can't be used here; write a string, or {\"equals-ignore-case\": \"a string\"}")),
    }
}

fn wildcard(text: &str, place: &Place<'_>) -> Result<Comparison> {
    Wildcard::parse(text)
        .map(Comparison::Wildcard)
        .map_err(|reason| place.fault(reason))
}

/// What `anything-but` rules out.
fn anything_but(value: &Value, place: &Place<'_>) -> Result<Vec<Comparison>> {
    match value {
        Value::Object(object) => anything_but_such(object, place),
        Value::Array(list) => {
            let uniform = list.iter().all(Value::is_string) || list.iter().all(Value::is_number);
            if list.is_empty() || !uniform {
                return Err(place.fault("is not a list of strings, nor one of numbers; write one or the other, not empty"));
            }
            list.iter()
                .enumerate()
                .map(|(i, value)| plain_value(value, &place.index(i)))
                .collect()
        }
        Value::String(_) | Value::Number(_) => Ok(vec![plain_value(value, place)?]),
        Value::Null | Value::Bool(_) => Err(place.fault(format!(
            "is {}; a string, a number, a list of either, or one of prefix, suffix, equals-ignore-case and wildcard is needed",
            kind(value)
        ))),
    }
}

/// What `anything-but` rules out by an operator.
fn anything_but_such(object: &Map<String, Value>, place: &Place<'_>) -> Result<Vec<Comparison>> {
    let (name, value) = only_entry(object, place)?;
    let at = &place.field(name);
    match name {
        "prefix" => texts(value, at, |text, at| non_empty(text, at).map(Comparison::Prefix)),
        "suffix" => texts(value, at, |text, at| non_empty(text, at).map(Comparison::Suffix)),
        "equals-ignore-case" => texts(value, at, |text, _| Ok(Comparison::TextInAnyCase(CaseFolded::of(text)))),
        "wildcard" => texts(value, at, wildcard),
        _ => Err(at.fault("can't be ruled out; anything-but takes prefix, suffix, equals-ignore-case or wildcard")),
    }
}

/// One string or a list of them.
fn texts(value: &Value, place: &Place<'_>, read: impl Fn(&str, &Place<'_>) -> Result<Comparison>) -> Result<Vec<Comparison>> {
    let Value::Array(list) = value else {
        return Ok(vec![read(text(value, place)?, place)?]);
    };
    if list.is_empty() {
        return Err(place.fault("is an empty list; a string or a list of strings is needed"));
    }
    let read_at = |(i, value)| {
        let at = place.index(i);
        read(text(value, &at)?, &at)
    };
    list.iter().enumerate().map(read_at).collect()
}

fn non_empty(text: &str, place: &Place<'_>) -> Result<String> {
    if text.is_empty() {
        return Err(place.fault("is empty, and every string begins and ends with that; write at least one character"));
    }
    Ok(text.to_owned())
}

fn text<'p>(value: &'p Value, place: &Place<'_>) -> Result<&'p str> {
    value
        .as_str()
        .ok_or_else(|| place.fault(format!("is {}; a string is needed", kind(value))))
}
