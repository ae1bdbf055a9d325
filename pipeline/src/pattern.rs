//! Event patterns: Amazon EventBridge's language for saying which events a rule takes.
//!
//! A pattern has the shape of the events it takes. Where an event has a value, the pattern has the *list* of
//! what it accepts there: plain values and operators. All the fields that a pattern names must hold; for one
//! field, any entry of its list is enough.
//!
//! ```json
//! { "source": ["orders"], "detail": { "state": [{ "anything-but": "draft" }], "amount": [{ "numeric": [">", 0] }] } }
//! ```
//!
//! | operator | takes | accepts |
//! |---|---|---|
//! | a plain value | string, number, `true`, `false`, `null` | that value |
//! | `prefix`, `suffix` | a string, or `{"equals-ignore-case": string}` | strings that begin, end so |
//! | `equals-ignore-case` | a string | that string in any case |
//! | `wildcard` | a string; `*` is any run of characters, `\*` and `\\` are literal | strings of that form |
//! | `anything-but` | a string, a number, a list of either, or one of `prefix`, `suffix`, `equals-ignore-case`, `wildcard` over a string or a list of them | any value that is there and isn't that, `null` included |
//! | `numeric` | one of `= < <= > >=` and a number, or a lower and then an upper bound | numbers so bounded |
//! | `cidr` | `address/bits`, IPv4 or IPv6 | strings that are addresses in that block |
//! | `exists` | `true` or `false` | any value at all; none |
//!
//! `"$or"`, in any object of the pattern, is a list of two or more objects, one of which must hold together
//! with the fields beside it. All of a pattern's alternatives may multiply out to 1000 combinations, as in
//! EventBridge; in none of them may a field have two lists of values.
//!
//! # What counts as a value
//!
//! Operators look at leaves: strings, numbers, booleans and nulls. An array in the event stands for its elements,
//! nested arrays for theirs, and one that the pattern accepts is enough. An empty array and an object are no
//! leaf, so `exists: true` fails on both; `null` and `""` are leaves, and distinct.
//!
//! Where the event has an array of objects, one element must satisfy everything that the pattern asks of that
//! array: `{"lines": {"sku": ["a"], "paid": [true]}}` doesn't take an event in which line 1 is for `a` and
//! line 2 is paid. `exists: false` is about that same element or, if nothing else chooses an element, about all.
//!
//! # Where sources disagree
//!
//! - **Numbers are compared by value**: `[300]` accepts `300`, `300.0` and `3.0e2`. AWS's user guide
//!   (`eb-event-patterns`, "Considerations when creating event patterns") says that numbers are compared as they
//!   are written. The service itself compares values: LocalStack's tests, recorded against AWS
//!   (`event_pattern_templates/number_comparison_float.json5`), take `300.0` for `[300]` and remark on the
//!   difference, and `aws/event-ruler`, AWS's open-source matcher, compiles each number in a pattern to a
//!   numeric comparison. Integers are compared in full rather than as floating point.
//! - **`$or` that isn't one** is the name of a field, as in event-ruler: when its value is an object, or a list
//!   with no object in it that names fields.
//! - **Keys with dots** are keys. Event-ruler also reads `"a.b"` as `b` inside `a`, and AWS advises against
//!   relying on it.
//! - **Limits on numbers** (±5×10⁹ and six decimals in the user guide; lifted in event-ruler's pull request 188)
//!   aren't enforced, so that a time in milliseconds can be compared.
//! - **A key that occurs twice** in one object counts with its last value, as in EventBridge.

mod comparison;
mod matching;
mod parse;
#[cfg(test)]
mod tests;
mod wildcard;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use matching::ObjectPattern;

/// A compiled event pattern. Clones share it; two are equal if their JSON is.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    source: Value,
    /// The pattern with every `$or` multiplied out: one of these must hold.
    branches: Vec<ObjectPattern>,
    /// The top-level fields that any branch looks at, sorted.
    keys: Vec<Arc<str>>,
}

impl Pattern {
    /// Compiles a pattern from JSON text.
    ///
    /// # Errors
    /// The text isn't JSON (with line and column), or isn't an event pattern (with the place of the first fault).
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let source = serde_json::from_str(text).map_err(|e| PatternError::whole(format!("is not JSON: {e}")))?;
        Ok(Self::new(parse::branches(&source)?, source))
    }

    /// Compiles a pattern from a JSON value.
    ///
    /// # Errors
    /// It isn't an event pattern; the error names the place of the first fault.
    pub fn from_value(source: &Value) -> Result<Self, PatternError> {
        Ok(Self::new(parse::branches(source)?, source.clone()))
    }

    fn new(branches: Vec<ObjectPattern>, source: Value) -> Self {
        let keys = matching::keys(&branches);
        Self(Arc::new(Compiled { source, branches, keys }))
    }

    /// The JSON that it was compiled from.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0.source
    }

    /// Whether the pattern takes `event`.
    ///
    /// Asks only for the fields that decide: those with a list of values first, and those with an object in the
    /// pattern, such as `detail`, only once these hold. An `event` may therefore parse `detail` when asked.
    #[must_use]
    pub fn matches(&self, event: &impl Fields) -> bool {
        self.0.branches.iter().any(|branch| branch.takes(event))
    }

    /// Whether the pattern takes `event`, the whole envelope as JSON. Nothing but an object is ever taken.
    #[must_use]
    pub fn matches_value(&self, event: &Value) -> bool {
        event.as_object().is_some_and(|event| self.matches(event))
    }

    /// The event's top-level fields that the pattern looks at, sorted, each once.
    pub fn top_level_keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys.iter().map(AsRef::as_ref)
    }

    /// Whether the pattern looks at `detail` at all.
    #[must_use]
    pub fn needs_detail(&self) -> bool {
        self.top_level_keys().any(|key| key == "detail")
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_json().fmt(f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Value::deserialize(deserializer)?;
        Ok(Self::new(parse::branches(&source).map_err(D::Error::custom)?, source))
    }
}

/// The top level of an event, looked up by name: what [`Pattern::matches`] needs of it.
pub trait Fields {
    /// The field `name`; `None` if the event has none. (`null` is a field.)
    fn field(&self, name: &str) -> Option<Field<'_>>;
}

/// A field of an event, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum Field<'e> {
    /// A string, such as an envelope's `source`.
    Text(&'e str),
    /// Any JSON, such as its `detail`.
    Json(&'e Value),
}

impl Fields for Map<String, Value> {
    fn field(&self, name: &str) -> Option<Field<'_>> {
        self.get(name).map(Field::Json)
    }
}

/// What is wrong with a pattern, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{path}: {reason}")]
pub struct PatternError {
    /// Where, for example `detail.amount[0].numeric`; `$` is the pattern as a whole.
    pub path: String,
    /// What is wrong there and what is needed.
    pub reason: String,
}

impl PatternError {
    fn whole(reason: String) -> Self {
        Self {
            path: "$".to_owned(),
            reason,
        }
    }
}
