//! What is refused, where the fault is said to be, and what is bounded.

use super::*;

#[test]
fn faults_name_the_place_and_the_remedy() {
    for (source, path, hint) in [
        // Shape.
        (json!([]), "$", "names fields"),
        (json!("a"), "$", "names fields"),
        (json!({}), "$", "empty object"),
        (json!({ "detail": {} }), "detail", "empty object"),
        (json!({ "source": [] }), "source", "empty list"),
        (json!({ "source": "orders" }), "source", "[\"orders\"]"),
        (json!({ "detail": { "amount": 12 } }), "detail.amount", "[12]"),
        (json!({ "detail": { "paid": true } }), "detail.paid", "[true]"),
        (json!({ "detail": null }), "detail", "[null]"),
        (json!({ "source": "a".repeat(100) }), "source", "[…]"),
        (json!({ "source": ["a", ["b"]] }), "source[1]", "is a list"),
        (json!({ "source": [{}] }), "source[0]", "prefix, suffix"),
        (
            json!({ "source": ["x", { "prefix": "a", "suffix": "b" }] }),
            "source[1]",
            "both prefix and suffix",
        ),
        (
            json!({ "source": [{ "Prefix": "a" }] }),
            "source[0].Prefix",
            "prefix, suffix, equals-ignore-case",
        ),
        (json!({ "detail": [{ "state": ["a"] }] }), "detail[0].state", "without the list"),
        // Strings.
        (json!({ "f": [{ "prefix": 1 }] }), "f[0].prefix", "a string is needed"),
        (json!({ "f": [{ "prefix": ["a"] }] }), "f[0].prefix", "is a list"),
        (json!({ "f": [{ "prefix": {} }] }), "f[0].prefix", "empty object"),
        (
            json!({ "f": [{ "prefix": { "wildcard": "a" } }] }),
            "f[0].prefix.wildcard",
            "equals-ignore-case",
        ),
        (
            json!({ "f": [{ "prefix": { "equals-ignore-case": 1 } }] }),
            "f[0].prefix.equals-ignore-case",
            "a string",
        ),
        (json!({ "f": [{ "suffix": null }] }), "f[0].suffix", "is null"),
        (
            json!({ "f": [{ "suffix": { "prefix": "a" } }] }),
            "f[0].suffix.prefix",
            "equals-ignore-case",
        ),
        (
            json!({ "f": [{ "equals-ignore-case": ["a"] }] }),
            "f[0].equals-ignore-case",
            "is a list",
        ),
        (json!({ "f": [{ "equals-ignore-case": 5 }] }), "f[0].equals-ignore-case", "a number"),
        (json!({ "f": [{ "wildcard": 5 }] }), "f[0].wildcard", "a string is needed"),
        (json!({ "f": [{ "wildcard": ["a*"] }] }), "f[0].wildcard", "a string is needed"),
        (json!({ "f": [{ "wildcard": "a**b" }] }), "f[0].wildcard", "**"),
        (json!({ "f": [{ "wildcard": "a\\b" }] }), "f[0].wildcard", "\\"),
        (json!({ "f": [{ "wildcard": "a\\" }] }), "f[0].wildcard", "\\"),
        // anything-but.
        (json!({ "f": [{ "anything-but": null }] }), "f[0].anything-but", "is null"),
        (json!({ "f": [{ "anything-but": true }] }), "f[0].anything-but", "is true"),
        (json!({ "f": [{ "anything-but": [] }] }), "f[0].anything-but", "not empty"),
        (
            json!({ "f": [{ "anything-but": ["a", 1] }] }),
            "f[0].anything-but",
            "one or the other",
        ),
        (
            json!({ "f": [{ "anything-but": ["a", null] }] }),
            "f[0].anything-but",
            "one or the other",
        ),
        (json!({ "f": [{ "anything-but": {} }] }), "f[0].anything-but", "empty object"),
        (
            json!({ "f": [{ "anything-but": { "prefix": "a", "suffix": "b" } }] }),
            "f[0].anything-but",
            "both",
        ),
        (
            json!({ "f": [{ "anything-but": { "numeric": ["=", 1] } }] }),
            "f[0].anything-but.numeric",
            "wildcard",
        ),
        (
            json!({ "f": [{ "anything-but": { "prefix": "" } }] }),
            "f[0].anything-but.prefix",
            "at least one character",
        ),
        (
            json!({ "f": [{ "anything-but": { "suffix": ["a", ""] } }] }),
            "f[0].anything-but.suffix[1]",
            "at least one",
        ),
        (
            json!({ "f": [{ "anything-but": { "prefix": [] } }] }),
            "f[0].anything-but.prefix",
            "empty list",
        ),
        (
            json!({ "f": [{ "anything-but": { "prefix": 1 } }] }),
            "f[0].anything-but.prefix",
            "a string",
        ),
        (
            json!({ "f": [{ "anything-but": { "prefix": { "equals-ignore-case": "a" } } }] }),
            "f[0].anything-but.prefix",
            "a string",
        ),
        (
            json!({ "f": [{ "anything-but": { "suffix": [1] } }] }),
            "f[0].anything-but.suffix[0]",
            "a string",
        ),
        (
            json!({ "f": [{ "anything-but": { "equals-ignore-case": 1 } }] }),
            "f[0].anything-but.equals-ignore-case",
            "a string",
        ),
        (
            json!({ "f": [{ "anything-but": { "wildcard": ["a", "b**"] } }] }),
            "f[0].anything-but.wildcard[1]",
            "**",
        ),
        // numeric.
        (
            json!({ "detail": { "amount": [{ "numeric": 5 }] } }),
            "detail.amount[0].numeric",
            "[\">\", 0, \"<=\", 5]",
        ),
        (json!({ "f": [{ "numeric": [] }] }), "f[0].numeric", "lower bound"),
        (json!({ "f": [{ "numeric": [">"] }] }), "f[0].numeric[1]", "a number is needed"),
        (json!({ "f": [{ "numeric": [5] }] }), "f[0].numeric[0]", "\"<=\""),
        (json!({ "f": [{ "numeric": [">", "5"] }] }), "f[0].numeric[1]", "without quotes"),
        (json!({ "f": [{ "numeric": ["==", 5] }] }), "f[0].numeric[0]", "\"=\""),
        (json!({ "f": [{ "numeric": ["!=", 5] }] }), "f[0].numeric[0]", "anything-but"),
        (
            json!({ "f": [{ "numeric": [">", 0, "<"] }] }),
            "f[0].numeric[3]",
            "a number is needed",
        ),
        (
            json!({ "f": [{ "numeric": [">", 0, ">", 0] }] }),
            "f[0].numeric",
            "a lower bound and then an upper one",
        ),
        (
            json!({ "f": [{ "numeric": ["<", 5, ">", 0] }] }),
            "f[0].numeric",
            "a lower bound and then an upper one",
        ),
        (json!({ "f": [{ "numeric": ["=", 5, "<", 6] }] }), "f[0].numeric", "one comparison"),
        (
            json!({ "f": [{ "numeric": [">", 0, "<", 5, "<", 4] }] }),
            "f[0].numeric",
            "one comparison",
        ),
        (json!({ "f": [{ "numeric": [">", 5, "<", 5] }] }), "f[0].numeric", "below"),
        (json!({ "f": [{ "numeric": [">=", 5, "<=", 5.0] }] }), "f[0].numeric", "below"),
        (json!({ "f": [{ "numeric": [">", 5, "<", -5] }] }), "f[0].numeric", "below"),
        // exists and cidr.
        (json!({ "f": [{ "exists": "true" }] }), "f[0].exists", "true or false"),
        (json!({ "f": [{ "exists": null }] }), "f[0].exists", "true or false"),
        (json!({ "f": [{ "cidr": 10 }] }), "f[0].cidr", "a string is needed"),
        (json!({ "f": [{ "cidr": "10.0.0.0" }] }), "f[0].cidr", "10.0.0.0/24"),
        (json!({ "f": [{ "cidr": "bad/24" }] }), "f[0].cidr", "address"),
        (json!({ "f": [{ "cidr": "10.0.0.0/x" }] }), "f[0].cidr", "bits"),
        (json!({ "f": [{ "cidr": "10.0.0.0/33" }] }), "f[0].cidr", "32"),
        (json!({ "f": [{ "cidr": "::/129" }] }), "f[0].cidr", "128"),
        (json!({ "f": [{ "cidr": "10.0.0.0/-1" }] }), "f[0].cidr", "bits"),
        // $or.
        (json!({ "$or": [] }), "$or", "empty list"),
        (json!({ "$or": [{ "a": [1] }] }), "$or", "two or more"),
        (json!({ "$or": [{ "a": [1] }, "b"] }), "$or", "two or more objects"),
        (json!({ "$or": [{ "a": [1] }, { "prefix": ["b"] }] }), "$or", "operator"),
        (json!({ "$or": [{ "a": [1] }, { "b": [1] }, "c"] }), "$or", "two or more objects"),
        (
            json!({ "$or": [{ "a": [1] }, { "b": [1] }, { "suffix": ["c"] }] }),
            "$or",
            "operator",
        ),
        (json!({ "$or": [{}, { "a": [1] }] }), "$or[0]", "empty object"),
        (
            json!({ "detail": { "$or": [{ "a": [1] }, { "b": [{ "numeric": [] }] }] } }),
            "detail.$or[1].b[0].numeric",
            "lower bound",
        ),
        (
            json!({ "$or": [{ "source": ["a"] }, { "b": [1] }], "source": ["c"] }),
            "source",
            "inside $or and outside",
        ),
        (
            json!({ "$or": [{ "detail": { "x": [1] } }, { "b": [1] }], "detail": { "x": [2] } }),
            "detail.x",
            "inside $or",
        ),
    ] {
        let error = Pattern::from_value(&source).expect_err(&format!("{source} is no pattern"));
        assert_eq!(error.path, path, "{source}: {error}");
        assert!(error.reason.contains(hint), "{source}: {error} should say {hint}");
        assert_eq!(error.to_string(), format!("{}: {}", error.path, error.reason));
    }
}

#[test]
fn syntax_errors_name_line_and_column() {
    let error = Pattern::parse("{\n  \"source\": [orders]\n}").expect_err("no JSON");
    assert_eq!(error.path, "$");
    assert!(error.reason.contains("line 2 column 14"), "{error}");
    assert!(Pattern::parse("").expect_err("no JSON").reason.contains("line 1 column 0"));
    assert!(
        Pattern::parse("{\"a\":[1]} x")
            .expect_err("more than JSON")
            .reason
            .contains("line 1 column 11")
    );
}

#[test]
fn depth_is_bounded() {
    // Not json!, which copies what it nests, recursively.
    let object = |inner: Value| Value::Object(Map::from_iter([("a".to_owned(), inner)]));
    let array = |inner: Value| Value::Array(vec![inner]);
    let nested = |depth: usize| (0..depth).fold(json!([1]), |inner, _| object(inner));
    assert!(takes(&nested(100), &(0..100).fold(json!(1), |inner, _| object(array(inner)))));
    let error = Pattern::from_value(&nested(1000)).expect_err("too deep");
    assert!(error.reason.contains("100 levels"), "{error}");
    assert_eq!(error.path.matches('a').count(), 101);
    let or = (0..60).fold(json!({ "a": [1] }), |inner, i| json!({ "$or": [inner, { format!("b{i}"): [1] }] }));
    assert!(Pattern::from_value(&or).expect_err("too deep").reason.contains("100 levels"));
    assert!(Pattern::parse(&"[".repeat(100_000)).expect_err("no JSON").reason.contains("line 1"));
    // An event's arrays are walked, not recursed into.
    assert!(takes(
        &json!({ "a": [1] }),
        &object((0..1000).fold(json!(1), |inner, _| array(inner)))
    ));
}

#[test]
fn combinations_are_bounded() {
    let choose = |groups: usize| {
        let group = |i: usize| (format!("g{i}"), json!({ "$or": [{ "a": [1] }, { "b": [1] }] }));
        Value::Object((0..groups).map(group).collect())
    };
    assert!(Pattern::from_value(&choose(9)).is_ok(), "512 combinations");
    let error = Pattern::from_value(&choose(10)).expect_err("1024 combinations");
    assert!(error.reason.contains("1024 combinations"), "{error}");
    assert!(
        Pattern::from_value(&choose(500)).is_err(),
        "2^500 combinations, and no time to count them"
    );
    let mut wide = choose(8);
    let fields = wide.as_object_mut().expect("object");
    fields.extend((0..1000).map(|i| (format!("f{i}"), json!([1]))));
    assert!(
        Pattern::from_value(&wide)
            .expect_err("256 × 1008 lists")
            .reason
            .contains("lists of values")
    );
    let list = (0..1001).map(|i| json!({ format!("f{i}"): [1] })).collect::<Vec<_>>();
    assert_eq!(
        Pattern::from_value(&json!({ "$or": list })).expect_err("1001 alternatives").path,
        "$or"
    );
}
