//! Where in a pattern something is, and what it is, for people.

use std::fmt;

use serde_json::Value;

use crate::pattern::PatternError;

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// `value` as JSON, if that is short enough to say in a sentence.
pub(super) fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 60 { text } else { "…".to_owned() }
}

/// Where in a pattern we are. A list of borrowed steps, so that a pattern without fault costs no text.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) step: Step<'a>,
    pub(super) depth: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl Place<'static> {
    pub(super) const ROOT: Self = Self {
        step: Step::Root,
        depth: 0,
    };
}

impl<'a> Place<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Place<'a> {
        Place {
            step: Step::Field(self, name),
            depth: self.depth + 1,
        }
    }

    pub(super) fn index(&'a self, i: usize) -> Place<'a> {
        Place {
            step: Step::Index(self, i),
            depth: self.depth + 1,
        }
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> PatternError {
        PatternError {
            path: self.to_string(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Root => f.write_str("$"),
            Step::Field(Place { step: Step::Root, .. }, name) => f.write_str(name),
            Step::Field(parent, name) => write!(f, "{parent}.{name}"),
            Step::Index(parent, i) => write!(f, "{parent}[{i}]"),
        }
    }
}
