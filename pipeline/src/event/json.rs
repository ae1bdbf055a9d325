//! JSON carried as text.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::InvalidField;

/// A JSON value kept as the text it arrived in. Numbers keep their digits, objects their order.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Takes JSON text.
    ///
    /// # Errors
    /// The text is not one JSON value.
    pub fn from_text(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// Writes `value` as JSON.
    ///
    /// # Errors
    /// `value` has no form in JSON (a map with keys that aren't strings, say).
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Parsed. Numbers beyond 64 bits lose digits here, never in [`text`](Self::text).
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or(Value::Null)
    }

    /// Indented by two spaces, for reading; the digits stay as they are.
    #[must_use]
    pub fn pretty(&self) -> String {
        pretty(self.text())
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.text().starts_with('{')
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.text() == "null"
    }

    /// The string it is, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<String> {
        serde_json::from_str(self.text()).ok()
    }

    /// The whole number it is, if it is one that fits. `1.79e12` and `5.0` count as whole: some clients write times so.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match serde_json::from_str::<Value>(self.text()).ok()? {
            Value::Number(n) => n.as_i64().or_else(|| {
                let float = n.as_f64()?;
                #[allow(clippy::cast_possible_truncation)] // guarded: whole and well inside 53 bits
                (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
            }),
            _ => None,
        }
    }

    /// What kind of value it is, with an article, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.text().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

/// An object's fields in their order, each as the text it is; none of them twice.
#[derive(Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an item, as a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Json)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Json>()? {
                    if fields.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format!("{key} is there twice")));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Re-indents JSON text without parsing its numbers or strings.
pub(super) fn pretty(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = text.chars().filter({
        // Whitespace outside strings is the layout that is being replaced.
        let (mut in_string, mut escaped) = (false, false);
        move |c| {
            if in_string {
                in_string = escaped || *c != '"';
                escaped = !escaped && *c == '\\';
                true
            } else {
                in_string = *c == '"';
                !c.is_ascii_whitespace()
            }
        }
    });
    let mut next = chars.next();
    while let Some(c) = next {
        next = chars.next();
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                if !matches!(next, Some('}' | ']')) {
                    depth += 1;
                    newline(&mut out, depth);
                }
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    newline(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out
}

/// Carries an [`InvalidField`] through serde's string-only errors: field, then reason.
pub(super) struct Marked<'a>(pub(super) &'a InvalidField);

const MARK: char = '\u{1}';

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}{MARK}{}{MARK}", self.0.field, self.0.reason)
    }
}

/// Turns serde's error back into the field it is about; faults of syntax are about the whole, `$`.
pub(super) fn field_error(error: &serde_json::Error) -> InvalidField {
    let text = error.to_string();
    let mut parts = text.split(MARK);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(field), Some(reason)) => InvalidField::new(field, reason),
        _ => InvalidField::new("$", format!("not an event: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_keeps_digits_and_strings() {
        let json = Json::from_text(r#"{"a":[1.10,{}],"b":"x, {y: \"z\"} ","c":[]}"#).expect("valid");
        assert_eq!(
            json.pretty(),
            "{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\": \"x, {y: \\\"z\\\"} \",\n  \"c\": []\n}"
        );
        assert_eq!(pretty(&json.pretty()), json.pretty(), "pretty text stays as it is");
    }
}
