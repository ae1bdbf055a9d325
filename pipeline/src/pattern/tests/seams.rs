//! What an event is asked for, and how a pattern is written.

use std::cell::Cell;

use super::*;

/// An envelope that counts how often its detail is asked for.
struct Envelope {
    source: &'static str,
    detail: Value,
    asked: Cell<usize>,
}

impl Fields for Envelope {
    fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "source" => Some(Field::Text(self.source)),
            "detail" => {
                self.asked.set(self.asked.get() + 1);
                Some(Field::Json(&self.detail))
            }
            _ => None,
        }
    }
}

#[test]
fn detail_is_asked_for_last_and_only_if_it_decides() {
    let source = pattern(&json!({ "detail": { "a": [1] }, "source": [{ "prefix": "or" }], "time": [{ "exists": false }] }));
    let envelope = |source, detail| Envelope {
        source,
        detail,
        asked: Cell::new(0),
    };
    let other = envelope("payments", json!({ "a": 1 }));
    assert!(!source.matches(&other));
    assert_eq!(other.asked.get(), 0);
    let taken = envelope("orders", json!({ "a": 1 }));
    assert!(source.matches(&taken));
    assert!(taken.asked.get() > 0);
    assert!(!source.matches(&envelope("orders", json!({ "a": 2 }))));
    assert!(
        !pattern(&json!({ "source": { "a": [1] } })).matches(&taken),
        "a string has no fields"
    );
}

#[test]
fn it_says_which_fields_it_looks_at() {
    let source = json!({ "time": [1], "source": ["a"], "$or": [{ "detail": { "x": [1] } }, { "source.b": ["c"], "region": ["d"] }] });
    assert_eq!(
        pattern(&source).top_level_keys().collect::<Vec<_>>(),
        ["detail", "region", "source", "source.b", "time"]
    );
    assert!(pattern(&source).needs_detail());
    assert!(pattern(&json!({ "detail": [{ "exists": false }] })).needs_detail());
    assert!(!pattern(&json!({ "source": ["detail"], "x": { "detail": [1] } })).needs_detail());
}

#[test]
fn on_the_wire_it_is_its_own_json() {
    let text = r#"{"detail":{"amount":[{"numeric":[">",1.5]}]},"source":["a",null]}"#;
    let pattern: Pattern = text.parse().expect("pattern");
    assert_eq!(pattern.to_string(), text);
    assert_eq!(serde_json::to_string(&pattern).expect("JSON"), text);
    assert_eq!(serde_json::from_str::<Pattern>(text).expect("pattern"), pattern);
    assert_eq!(format!("{pattern:?}"), format!("Pattern({text})"));
    assert_ne!(pattern, Pattern::parse(r#"{"source":["a",null]}"#).expect("pattern"));
    let error = serde_json::from_str::<Pattern>(r#"{"source":["a",{"numeric":[1]}]}"#).expect_err("no pattern");
    assert!(error.to_string().contains("source[1].numeric[0]"), "{error}");
}
