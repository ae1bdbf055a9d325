//! What holds of all patterns and events.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), text_or_number(),]
}

fn text_or_number() -> impl Strategy<Value = Value> {
    prop_oneof![string(), small_number()]
}

fn string() -> impl Strategy<Value = Value> {
    "[abA\u{e9}]{0,2}".prop_map(Value::from)
}

/// A number that floating point holds exactly, so that plain `f64` arithmetic can say what is right.
fn small_number() -> impl Strategy<Value = Value> {
    (-16_i32..16).prop_flat_map(|n| prop_oneof![Just(json!(n)), Just(json!(f64::from(n) / 4.0))])
}

fn key() -> impl Strategy<Value = String> {
    "[ab]"
}

fn json_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(key(), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn event() -> impl Strategy<Value = Value> {
    btree_map(key(), json_value(), 0..3).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// JSON with the language's own words in it, so that generated patterns get past the first check.
fn pattern_like() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 16] = [
        "a",
        "$or",
        "prefix",
        "suffix",
        "anything-but",
        "numeric",
        "exists",
        "cidr",
        "wildcard",
        "equals-ignore-case",
        "=",
        ">",
        "<=",
        "10.0.0.0/8",
        "a*\\",
        "**",
    ];
    let word = || proptest::sample::select(WORDS.as_slice());
    prop_oneof![scalar(), word().prop_map(Value::from)].prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(word().prop_map(str::to_owned), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A pattern for values over [`key`] and small numbers, `$or` aside.
fn accepted() -> impl Strategy<Value = Value> {
    let matcher = prop_oneof![
        4 => (0..3).prop_map(Value::from),
        1 => Just(json!({ "exists": true })),
        2 => Just(json!({ "exists": false })),
        1 => (0..3).prop_map(|n| json!({ "anything-but": n })),
    ];
    vec(matcher, 1..3).prop_map(Value::from)
}

fn object_pattern(keys: &'static str) -> impl Strategy<Value = Value> {
    let object = move |inner: BoxedStrategy<Value>| btree_map(keys, inner, 1..3).prop_map(|map| Value::Object(map.into_iter().collect()));
    let field = accepted().prop_recursive(2, 8, 2, move |inner| object(inner.boxed()));
    object(field.boxed())
}

/// Events that [`object_pattern`]s have a fair chance with: few values, many arrays.
fn dense_event(keys: &'static str) -> impl Strategy<Value = Value> {
    let value = (0..3).prop_map(Value::from).prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(keys, inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    btree_map(keys, value, 0..3).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// `*`s and literal characters to a wildcard's text.
fn wildcard_text(tokens: &[Option<char>]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            None => "*".to_owned(),
            Some(c @ ('*' | '\\')) => format!("\\{c}"),
            Some(c) => c.to_string(),
        })
        .collect()
}

fn wildcard_oracle(tokens: &[Option<char>], text: &[char]) -> bool {
    match (tokens, text) {
        ([], text) => text.is_empty(),
        ([None, rest @ ..], text) => (0..=text.len()).any(|skip| wildcard_oracle(rest, &text[skip..])),
        ([Some(c), rest @ ..], [first, text @ ..]) => c == first && wildcard_oracle(rest, text),
        ([Some(_), ..], []) => false,
    }
}

/// A pattern of what `value` itself holds; from an array, of one element. `None` if it holds nothing.
fn pattern_of(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let fields: Map<_, _> = object
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), pattern_of(value)?)))
                .collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(elements) => elements.iter().rev().find_map(pattern_of),
        scalar => Some(json!([scalar])),
    }
}

/// Event-ruler's own way to see arrays: every leaf of the event with its path and, for every array of objects
/// around it, the element that it is in. A pattern holds if leaves can be chosen for its fields that agree on elements.
mod by_membership {
    use super::*;

    type Elements = BTreeMap<usize, usize>;

    struct EventLeaf {
        path: Vec<String>,
        value: Value,
        elements: Elements,
    }

    struct Asked {
        path: Vec<String>,
        accepted: Vec<Value>,
    }

    #[derive(Default)]
    struct Flattening {
        leaves: Vec<EventLeaf>,
        arrays: usize,
        path: Vec<String>,
        elements: Elements,
    }

    impl Flattening {
        fn visit(&mut self, value: &Value) {
            match value {
                Value::Object(object) => {
                    for (key, value) in object {
                        self.path.push(key.clone());
                        self.visit(value);
                        self.path.pop();
                    }
                }
                Value::Array(list) => {
                    let array = self.arrays;
                    self.arrays += 1;
                    for (i, value) in list.iter().enumerate() {
                        let is_leaf = !value.is_array() && !value.is_object();
                        if !is_leaf {
                            self.elements.insert(array, i);
                        }
                        self.visit(value);
                        self.elements.remove(&array);
                    }
                }
                leaf => self.leaves.push(EventLeaf {
                    path: self.path.clone(),
                    value: leaf.clone(),
                    elements: self.elements.clone(),
                }),
            }
        }
    }

    fn asked(pattern: &Value, path: &mut Vec<String>, all: &mut Vec<Asked>) {
        match pattern {
            Value::Object(object) => {
                for (key, value) in object {
                    path.push(key.clone());
                    asked(value, path, all);
                    path.pop();
                }
            }
            Value::Array(accepted) => all.push(Asked {
                path: path.clone(),
                accepted: accepted.clone(),
            }),
            other => panic!("{other} in a pattern"),
        }
    }

    fn accepts(matcher: &Value, value: &Value) -> bool {
        match matcher.as_object() {
            None => matcher == value,
            Some(operator) if operator.contains_key("anything-but") => operator["anything-but"] != *value,
            Some(operator) => operator["exists"] == true,
        }
    }

    fn agree(a: &Elements, b: &Elements) -> bool {
        a.iter().all(|(array, i)| b.get(array).is_none_or(|j| i == j))
    }

    fn search<'a>(asked: &'a [Asked], event: &[EventLeaf], elements: &Elements, absent: &mut Vec<&'a [String]>) -> bool {
        let Some((first, rest)) = asked.split_first() else {
            return absent
                .iter()
                .all(|path| !event.iter().any(|leaf| leaf.path == *path && agree(elements, &leaf.elements)));
        };
        let by_leaf = event.iter().any(|leaf| {
            let fits = leaf.path == first.path && agree(elements, &leaf.elements);
            fits && first.accepted.iter().any(|matcher| accepts(matcher, &leaf.value)) && {
                let mut chosen = elements.clone();
                chosen.extend(&leaf.elements);
                search(rest, event, &chosen, absent)
            }
        });
        by_leaf
            || first.accepted.contains(&json!({ "exists": false })) && {
                absent.push(&first.path);
                let found = search(rest, event, elements, absent);
                absent.pop();
                found
            }
    }

    pub(super) fn takes(pattern: &Value, event: &Value) -> bool {
        let mut flattening = Flattening::default();
        flattening.visit(event);
        let mut all = Vec::new();
        asked(pattern, &mut Vec::new(), &mut all);
        search(&all, &flattening.leaves, &Elements::new(), &mut Vec::new())
    }
}

/// One object with the fields of both.
fn union(a: &Value, b: &Value) -> Value {
    let fields = [a, b].into_iter().flat_map(|object| object.as_object().expect("object").clone());
    Value::Object(fields.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn anything_but_is_the_complement_of_exact(
        values in prop_oneof![vec(string(), 1..4), vec(small_number(), 1..4)],
        value in scalar(),
    ) {
        let (exact, but) = (json!({ "f": values }), json!({ "f": [{ "anything-but": values }] }));
        let event = json!({ "f": value });
        prop_assert_ne!(takes(&exact, &event), takes(&but, &event));
        let missing = json!({ "g": value });
        prop_assert!(!takes(&but, &missing));
        let single = json!({ "f": [{ "anything-but": values[0] }] });
        prop_assert_ne!(takes(&json!({ "f": [values[0]] }), &event), takes(&single, &event));
    }

    #[test]
    fn numeric_agrees_with_arithmetic(lower in small_number(), upper in small_number(), value in small_number(), strict in any::<[bool; 2]>()) {
        let float = |value: &Value| value.as_f64().expect("number");
        let (l, u, v) = (float(&lower), float(&upper), float(&value));
        let (above, above_symbol) = if strict[0] { (v > l, ">") } else { (v >= l, ">=") };
        let (below, below_symbol) = if strict[1] { (v < u, "<") } else { (v <= u, "<=") };
        let takes = |terms: Value| takes(&json!({ "f": [{ "numeric": terms }] }), &json!({ "f": value }));
        prop_assert_eq!(takes(json!([above_symbol, lower])), above);
        prop_assert_eq!(takes(json!([below_symbol, upper])), below);
        prop_assert_eq!(takes(json!(["=", lower])), v == l);
        let range = json!([above_symbol, lower, below_symbol, upper]);
        if l < u {
            prop_assert_eq!(takes(range), above && below);
        } else {
            let source = json!({ "f": [{ "numeric": range }] });
            prop_assert!(Pattern::from_value(&source).is_err());
        }
    }

    #[test]
    fn an_event_is_taken_by_the_pattern_of_its_own_leaves(event in event()) {
        if let Some(source) = pattern_of(&event) {
            prop_assert!(takes(&source, &event), "{} {}", source, event);
            let other = union(&source, &json!({ "another": ["field"] }));
            prop_assert!(!takes(&other, &event), "{} {}", other, event);
        }
    }

    #[test]
    fn nothing_makes_it_panic_and_patterns_round_trip(source in pattern_like(), event in json_value(), text in any::<String>()) {
        let _ = Pattern::parse(&text);
        for source in [source.clone(), json!({ "a": source }), json!({ "a": [source] })] {
            if let Ok(pattern) = Pattern::from_value(&source) {
                let _ = pattern.matches_value(&event);
                prop_assert_eq!(pattern.as_json(), &source);
                let again = Pattern::parse(&pattern.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&pattern));
                prop_assert_eq!(again.expect("pattern").matches_value(&event), pattern.matches_value(&event));
            }
        }
    }

    #[test]
    fn or_is_the_disjunction_of_its_alternatives(
        base in object_pattern("[ab]"),
        alternatives in vec(object_pattern("[cd]"), 2..4),
        event in dense_event("[abcd]"),
    ) {
        for wrap in [|inner: Value| inner, |inner: Value| json!({ "a": inner }), |inner: Value| json!({ "a": { "b": inner } })] {
            let together = takes(&wrap(union(&base, &json!({ "$or": alternatives }))), &event);
            let apart = alternatives.iter().any(|alternative| takes(&wrap(union(&base, alternative)), &event));
            prop_assert_eq!(together, apart);
            let alone = takes(&wrap(json!({ "$or": alternatives })), &event);
            prop_assert_eq!(alone, alternatives.iter().any(|alternative| takes(&wrap(alternative.clone()), &event)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn wildcards_agree_with_the_obvious_recursion(
        tokens in vec(proptest::option::weighted(0.55, prop_oneof![Just('a'), Just('b'), Just('*'), Just('\\'), Just('é')]), 0..8),
        text in vec(prop_oneof![4 => Just('a'), 4 => Just('b'), 1 => Just('*'), 1 => Just('\\'), 1 => Just('é')], 0..9),
    ) {
        let mut tokens = tokens;
        tokens.dedup_by(|a, b| a.is_none() && b.is_none());
        let source = json!({ "f": [{ "wildcard": wildcard_text(&tokens) }] });
        let event = json!({ "f": text.iter().collect::<String>() });
        prop_assert_eq!(takes(&source, &event), wildcard_oracle(&tokens, &text), "{} {}", source, event);
    }

    #[test]
    fn arrays_agree_with_event_rulers_membership(source in object_pattern("[ab]"), event in dense_event("[ab]")) {
        prop_assert_eq!(takes(&source, &event), by_membership::takes(&source, &event), "{} {}", source, event);
    }
}
