//! JSON as DynamoDB has it, and back.
//!
//! DynamoDB keeps numbers as decimals of up to 38 digits, in a form of its own, and maps in no order. What would not come back
//! as it went is kept as text instead, so that no number is rewritten, and the item's [`TEXTS`] say that it is.

use std::collections::HashMap;
use std::fmt::Write;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::event::{Fields, Json};

/// How deep DynamoDB lets maps and lists be nested, less the item's own level.
const MAX_DEPTH: usize = 31;
/// The most digits of a number.
const MAX_DIGITS: usize = 38;

/// The attribute that names those which are JSON as text.
const TEXTS: &str = "jsonText";

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A JSON object as an item. `None` if it is not one, or names something twice.
pub(super) fn item_of_json(text: &str) -> Option<Item> {
    let fields: Fields = serde_json::from_str(text).ok()?;
    let (mut item, mut texts) = (Item::new(), Vec::new());
    for (key, value) in fields.0 {
        let attribute = exactly(value.text(), 1).unwrap_or_else(|| {
            texts.push(key.clone());
            AttributeValue::S(value.text().to_owned())
        });
        item.insert(key, attribute);
    }
    if !texts.is_empty() {
        item.insert(TEXTS.to_owned(), AttributeValue::Ss(texts));
    }
    Some(item)
}

/// JSON text as an attribute; `None` if it would not come back the same.
fn exactly(text: &str, depth: usize) -> Option<AttributeValue> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match text.as_bytes().first()? {
        b'{' => {
            let fields: Fields = serde_json::from_str(text).ok()?;
            let mut map = HashMap::with_capacity(fields.0.len());
            for (key, value) in fields.0 {
                map.insert(key, exactly(value.text(), depth + 1)?);
            }
            AttributeValue::M(map)
        }
        b'[' => {
            let values: Vec<Json> = serde_json::from_str(text).ok()?;
            AttributeValue::L(values.iter().map(|value| exactly(value.text(), depth + 1)).collect::<Option<_>>()?)
        }
        b'"' => AttributeValue::S(serde_json::from_str(text).ok()?),
        b't' => AttributeValue::Bool(true),
        b'f' => AttributeValue::Bool(false),
        b'n' => AttributeValue::Null(true),
        _ => AttributeValue::N(canonical(text)?.to_owned()),
    })
}

/// The number, if DynamoDB gives it back digit by digit: plain, without an exponent, a zero too many, or a sign before zero.
fn canonical(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = plain(whole)
        && fraction.is_none_or(|fraction| plain(fraction) && !fraction.ends_with('0'))
        && digits.len() <= MAX_DIGITS
        // Minus zero loses its sign.
        && number != "-0";
    fits.then_some(number)
}

/// An item as a JSON object, its attributes in the order of their names.
pub(super) fn item_to_json(item: &Item) -> String {
    let texts: &[String] = item.get(TEXTS).and_then(|names| names.as_ss().ok()).map_or(&[], Vec::as_slice);
    let mut out = String::new();
    object(item, texts, &mut out);
    out
}

/// `texts` are the attributes whose text is JSON.
fn object(map: &Item, texts: &[String], out: &mut String) {
    let mut keys: Vec<&String> = map.keys().filter(|key| texts.is_empty() || *key != TEXTS).collect();
    keys.sort();
    out.push('{');
    for (n, key) in keys.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        quoted(key, out);
        out.push(':');
        match &map[key] {
            AttributeValue::S(text) if texts.contains(key) => out.push_str(text),
            value => write(value, out),
        }
    }
    out.push('}');
}

fn list<T>(values: &[T], mut one: impl FnMut(&T, &mut String), out: &mut String) {
    out.push('[');
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        one(value, out);
    }
    out.push(']');
}

fn write(value: &AttributeValue, out: &mut String) {
    match value {
        AttributeValue::S(text) => quoted(text, out),
        AttributeValue::N(number) => out.push_str(number),
        AttributeValue::Bool(truth) => _ = write!(out, "{truth}"),
        AttributeValue::M(map) => object(map, &[], out),
        AttributeValue::L(values) => list(values, write, out),
        AttributeValue::Ss(texts) => list(texts, |text, out| quoted(text, out), out),
        AttributeValue::Ns(numbers) => list(numbers, |number, out| out.push_str(number), out),
        // Bytes, and what DynamoDB may come to have, are nothing that an event is made of.
        _ => out.push_str("null"),
    }
}

fn quoted(text: &str, out: &mut String) {
    // Strings have no way to fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn back(text: &str) -> String {
        item_to_json(&item_of_json(&format!(r#"{{"p":{text}}}"#)).expect("an item"))
    }

    fn is_text(text: &str) -> bool {
        matches!(
            item_of_json(&format!(r#"{{"p":{text}}}"#)).expect("an item")["p"],
            AttributeValue::S(_)
        )
    }

    #[test]
    fn numbers_that_would_be_rewritten_are_kept_as_text() {
        for kept in [
            "0",
            "1",
            "-7",
            "1.5",
            "0.001",
            "1790000002395",
            "99999999999999999999999999999999999999",
        ] {
            assert!(!is_text(&format!(r#"{{"n":{kept}}}"#)), "{kept}");
        }
        for rewritten in ["1.0", "1e3", "-0", "1.50", "100000000000000000000000000000000000000.5", "-0.0"] {
            let text = format!(r#"{{"n":{rewritten}}}"#);
            assert!(is_text(&text), "{text}");
            assert_eq!(back(&text), format!(r#"{{"p":{text}}}"#));
        }
        let twice = r#"{"a":1,"a":2}"#;
        assert!(is_text(twice));
        let deep = format!("{}{}", r#"{"a":"#.repeat(40), "1".to_owned() + &"}".repeat(40));
        assert!(is_text(&deep));
        assert!(item_of_json("7").is_none() && item_of_json(twice).is_none());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..6).prop_map(Value::from_iter),
            ]
        });
        prop::collection::hash_map(".*", tree, 0..6).prop_map(Value::from_iter)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(value in json()) {
            let text = value.to_string();
            let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            prop_assert_eq!(&read(&back(&text))["p"], &read(&text));
        }
    }
}
