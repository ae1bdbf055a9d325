//! Cases worked out from AWS's user guide (`eb-create-pattern-operators`, `eb-event-patterns-null-values`,
//! `eb-event-patterns-arrays`) and from event-ruler's description of arrays; then laws, over generated input.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn pattern(source: &Value) -> Pattern {
    Pattern::from_value(source).unwrap_or_else(|e| panic!("{source} is a pattern, but: {e}"))
}

fn takes(source: &Value, event: &Value) -> bool {
    pattern(source).matches_value(event)
}

/// Each row: what is accepted in the field `f`; values of `f` that are taken; values that aren't.
fn check_values(rows: &[(Value, Vec<Value>, Vec<Value>)]) {
    for (accepted, taken, refused) in rows {
        let source = json!({ "detail": { "f": accepted } });
        for value in taken {
            assert!(takes(&source, &json!({ "detail": { "f": value } })), "{accepted} takes {value}");
        }
        for value in refused {
            assert!(
                !takes(&source, &json!({ "detail": { "f": value } })),
                "{accepted} doesn't take {value}"
            );
        }
    }
}

#[test]
fn plain_values() {
    check_values(&[
        (
            json!(["Alice"]),
            vec![json!("Alice")],
            vec![json!("alice"), json!("Alice "), json!(""), json!(null)],
        ),
        (
            json!(["Credit", "Debit"]),
            vec![json!("Debit"), json!("Credit")],
            vec![json!("CreditDebit")],
        ),
        (json!([100]), vec![json!(100)], vec![json!(101), json!("100"), json!(true)]),
        (json!([true]), vec![json!(true)], vec![json!(false), json!("true"), json!(1)]),
        (
            json!([false]),
            vec![json!(false)],
            vec![json!(true), json!(null), json!(0), json!("")],
        ),
        (
            json!([null]),
            vec![json!(null)],
            vec![json!(""), json!("null"), json!([]), json!({}), json!(0)],
        ),
        (json!([""]), vec![json!("")], vec![json!(null), json!([]), json!(" ")]),
        // No character means anything in a plain value.
        (json!(["*"]), vec![json!("*")], vec![json!("a")]),
        (json!(["\\"]), vec![json!("\\")], vec![json!("\\\\")]),
    ]);
}

#[test]
fn numbers_are_compared_by_value() {
    for written in ["300", "300.0", "3.0e2", "3E+2", "0.3e3"] {
        for read in ["300", "300.0", "3.0e2"] {
            let pattern = Pattern::parse(&format!(r#"{{"f":[{written}]}}"#)).expect("pattern");
            let event: Value = serde_json::from_str(&format!(r#"{{"f":{read}}}"#)).expect("event");
            assert!(pattern.matches_value(&event), "[{written}] takes {read}");
        }
    }
    check_values(&[
        (json!([0]), vec![json!(-0.0), json!(0.0)], vec![json!(0.000_000_1)]),
        (json!([-0.0]), vec![json!(0.0), json!(0)], vec![json!(-0.5)]),
        // Neighbours that are one and the same as floating point.
        (
            json!([9_007_199_254_740_993_u64]),
            vec![],
            vec![json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_992.0)],
        ),
        (
            json!([u64::MAX]),
            vec![json!(u64::MAX)],
            vec![json!(u64::MAX - 1), json!(18_446_744_073_709_551_616.0)],
        ),
        (
            json!([i64::MIN]),
            vec![json!(i64::MIN), json!(-9_223_372_036_854_775_808.0)],
            vec![json!(i64::MIN + 1)],
        ),
        (
            json!([{ "numeric": [">", u64::MAX] }]),
            vec![json!(1e300), json!(1e20)],
            vec![json!(u64::MAX), json!(-1e300)],
        ),
    ]);
}

#[test]
fn prefix_and_suffix() {
    check_values(&[
        (
            json!([{ "prefix": "us-" }]),
            vec![json!("us-east-1"), json!("us-")],
            vec![json!("eu-us-"), json!("US-"), json!(5), json!(null)],
        ),
        (
            json!([{ "prefix": "" }]),
            vec![json!(""), json!("a")],
            vec![json!(null), json!(1), json!([]), json!({})],
        ),
        (
            json!([{ "suffix": ".png" }]),
            vec![json!("a.png"), json!(".png")],
            vec![json!("a.png "), json!("a.PNG"), json!(".pn")],
        ),
        (json!([{ "suffix": "" }]), vec![json!("")], vec![json!(false)]),
        (
            json!([{ "prefix": { "equals-ignore-case": "EventB" } }]),
            vec![json!("eventb"), json!("EVENTBRIDGE"), json!("eVentBus")],
            vec![json!("event"), json!("an eventb")],
        ),
        (
            json!([{ "suffix": { "equals-ignore-case": "tBridge" } }]),
            vec![json!("EVENTBRIDGE"), json!("tbridge")],
            vec![json!("bridge"), json!("eventbridge!")],
        ),
        (
            json!([{ "prefix": { "equals-ignore-case": "É" } }]),
            vec![json!("éa"), json!("Éa")],
            vec![json!("ea")],
        ),
        (
            json!([{ "suffix": { "equals-ignore-case": "É" } }]),
            vec![json!("aé"), json!("aÉ")],
            vec![json!("ae")],
        ),
    ]);
}

#[test]
fn equals_ignore_case() {
    check_values(&[
        (
            json!([{ "equals-ignore-case": "alice" }]),
            vec![json!("Alice"), json!("ALICE"), json!("alice")],
            vec![json!("alic"), json!("alicea"), json!(""), json!(null), json!(1)],
        ),
        (
            json!([{ "equals-ignore-case": "" }]),
            vec![json!("")],
            vec![json!("a"), json!(null)],
        ),
        (json!([{ "equals-ignore-case": "ÀÇ" }]), vec![json!("àç")], vec![json!("ac")]),
    ]);
}

#[test]
fn wildcard() {
    check_values(&[
        (
            json!([{ "wildcard": "dir/*.png" }]),
            vec![json!("dir/a.png"), json!("dir/.png"), json!("dir/a/b.png.png")],
            vec![
                json!("dir/a.jpg"),
                json!("adir/a.png"),
                json!("dir/a.png "),
                json!("dir.png"),
                json!(1),
            ],
        ),
        (
            json!([{ "wildcard": "*" }]),
            vec![json!(""), json!("*"), json!("a\nb")],
            vec![json!(null), json!(1)],
        ),
        (json!([{ "wildcard": "" }]), vec![json!("")], vec![json!("a")]),
        (json!([{ "wildcard": "ab" }]), vec![json!("ab")], vec![json!("abc"), json!("a")]),
        // Head and tail may not share characters.
        (
            json!([{ "wildcard": "ab*ba" }]),
            vec![json!("abba"), json!("ab-ba")],
            vec![json!("aba"), json!("ab")],
        ),
        (
            json!([{ "wildcard": "a*b*b" }]),
            vec![json!("abb"), json!("axbxb")],
            vec![json!("ab")],
        ),
        (
            json!([{ "wildcard": "*a*b*" }]),
            vec![json!("ab"), json!("-a-b-")],
            vec![json!("ba")],
        ),
        (
            json!([{ "wildcard": "a\\**" }]),
            vec![json!("a*"), json!("a*b")],
            vec![json!("ab"), json!("a")],
        ),
        (
            json!([{ "wildcard": "a\\\\*" }]),
            vec![json!("a\\"), json!("a\\b")],
            vec![json!("a*"), json!("ab")],
        ),
        (
            json!([{ "wildcard": "*:*:*:*:*:event-bus/*" }]),
            vec![json!("arn:aws:events:r:1:event-bus/a")],
            vec![json!("arn:event-bus/a")],
        ),
    ]);
}

#[test]
fn a_wildcard_takes_linear_time() {
    let wildcard = format!("{}b", "*a".repeat(1000));
    let text = "a".repeat(200_000);
    assert!(!takes(&json!({ "f": [{ "wildcard": wildcard }] }), &json!({ "f": text })));
    assert!(takes(
        &json!({ "f": [{ "wildcard": wildcard }] }),
        &json!({ "f": format!("{text}b") })
    ));
}

#[test]
fn anything_but() {
    let none_or_empty = || vec![json!([]), json!({}), json!({ "a": 1 }), json!([{}])];
    let with = |mut values: Vec<Value>| {
        values.extend(none_or_empty());
        values
    };
    check_values(&[
        (
            json!([{ "anything-but": "initializing" }]),
            vec![json!("running"), json!(""), json!(null), json!(5), json!(false)],
            with(vec![json!("initializing")]),
        ),
        (
            json!([{ "anything-but": 123 }]),
            vec![json!(124), json!("123"), json!(null)],
            with(vec![json!(123), json!(123.0)]),
        ),
        (json!([{ "anything-but": 0 }]), vec![json!(789)], with(vec![json!(0), json!(-0.0)])),
        (
            json!([{ "anything-but": "" }]),
            vec![json!("a"), json!(null)],
            with(vec![json!("")]),
        ),
        (
            json!([{ "anything-but": ["stopped", "overloaded"] }]),
            vec![json!("running"), json!(null), json!(["stopped", "running"])],
            with(vec![json!("stopped"), json!("overloaded"), json!(["stopped", "overloaded"])]),
        ),
        (
            json!([{ "anything-but": [100, 200] }]),
            vec![json!(150), json!("100")],
            with(vec![json!(100), json!(2e2)]),
        ),
        (
            json!([{ "anything-but": { "prefix": "us-" } }]),
            vec![json!("eu-"), json!(12), json!(null)],
            with(vec![json!("us-east-1")]),
        ),
        (
            json!([{ "anything-but": { "prefix": ["a", "b"] } }]),
            vec![json!("c"), json!(12)],
            with(vec![json!("ax"), json!("bx")]),
        ),
        (
            json!([{ "anything-but": { "suffix": ".png" } }]),
            vec![json!("a.jpg"), json!(null)],
            with(vec![json!("a.png")]),
        ),
        (
            json!([{ "anything-but": { "suffix": [".png", ".gif"] } }]),
            vec![json!("a.jpg")],
            with(vec![json!("a.png"), json!("a.gif")]),
        ),
        (
            json!([{ "anything-but": { "equals-ignore-case": "initializing" } }]),
            vec![json!("x"), json!(null)],
            with(vec![json!("INITIALIZING"), json!("initializing")]),
        ),
        (
            json!([{ "anything-but": { "equals-ignore-case": ["a", "b"] } }]),
            vec![json!("c")],
            with(vec![json!("A"), json!("B")]),
        ),
        (
            json!([{ "anything-but": { "wildcard": "*/lib/*" } }]),
            vec![json!("/bin/a"), json!(1)],
            with(vec![json!("/usr/lib/a")]),
        ),
        (
            json!([{ "anything-but": { "wildcard": ["a*", "*z"] } }]),
            vec![json!("m")],
            with(vec![json!("am"), json!("mz")]),
        ),
        (
            json!([{ "anything-but": { "wildcard": "" } }]),
            vec![json!("a")],
            with(vec![json!("")]),
        ),
    ]);
    assert!(
        !takes(&json!({ "f": [{ "anything-but": "a" }] }), &json!({ "g": "b" })),
        "the field must be there"
    );
}

#[test]
fn numeric() {
    check_values(&[
        (
            json!([{ "numeric": ["=", 3.018e2] }]),
            vec![json!(301.8)],
            vec![json!(301), json!("301.8"), json!(null)],
        ),
        (
            json!([{ "numeric": ["<", 10] }]),
            vec![json!(9), json!(9.999_999), json!(-1e9)],
            vec![json!(10), json!("9"), json!(null), json!(true)],
        ),
        (
            json!([{ "numeric": ["<=", 10] }]),
            vec![json!(10), json!(10.0)],
            vec![json!(10.000_001)],
        ),
        (json!([{ "numeric": [">", 0] }]), vec![json!(0.000_001)], vec![json!(0), json!(-1)]),
        (json!([{ "numeric": [">=", 0] }]), vec![json!(0)], vec![json!(-0.5)]),
        (
            json!([{ "numeric": [">", 10, "<=", 20] }]),
            vec![json!(11), json!(20)],
            vec![json!(10), json!(20.5), json!(21)],
        ),
        (
            json!([{ "numeric": [">=", -2, "<", 2] }]),
            vec![json!(-2), json!(0)],
            vec![json!(2), json!(-3)],
        ),
        (
            json!([{ "numeric": [">", 1_790_000_000_000_i64] }]),
            vec![json!(1_790_000_000_001_i64)],
            vec![json!(1_790_000_000_000_i64)],
        ),
    ]);
}

#[test]
fn cidr() {
    check_values(&[
        (
            json!([{ "cidr": "10.0.0.0/24" }]),
            vec![json!("10.0.0.0"), json!("10.0.0.255")],
            vec![
                json!("10.0.1.0"),
                json!("9.255.255.255"),
                json!("10.0.0.256"),
                json!("10.0.0"),
                json!("xx"),
                json!(10),
                json!("::a00:0"),
            ],
        ),
        (
            json!([{ "cidr": "10.0.0.77/25" }]),
            vec![json!("10.0.0.1")],
            vec![json!("10.0.0.128")],
        ),
        (json!([{ "cidr": "0.0.0.0/0" }]), vec![json!("255.1.2.3")], vec![json!("::1")]),
        (json!([{ "cidr": "10.1.2.3/32" }]), vec![json!("10.1.2.3")], vec![json!("10.1.2.2")]),
        (
            json!([{ "cidr": "2001:db8::/32" }]),
            vec![json!("2001:db8::1"), json!("2001:0DB8:ffff::")],
            vec![json!("2001:db9::1"), json!("10.0.0.1")],
        ),
        (json!([{ "cidr": "::/0" }]), vec![json!("ffff::")], vec![json!("1.2.3.4")]),
        (json!([{ "cidr": "::1/128" }]), vec![json!("::1")], vec![json!("::2")]),
    ]);
}

#[test]
fn exists() {
    check_values(&[
        (
            json!([{ "exists": true }]),
            vec![json!("a"), json!(""), json!(null), json!(false), json!([1]), json!([[], [null]])],
            vec![json!([]), json!({}), json!({ "c": 100 }), json!([{ "c": 100 }]), json!([[]])],
        ),
        (
            json!([{ "exists": false }]),
            vec![json!([]), json!({}), json!({ "c": 100 }), json!([{ "c": 100 }])],
            vec![json!("a"), json!(""), json!(null), json!([1])],
        ),
        (
            json!([{ "exists": false }, "none"]),
            vec![json!("none"), json!([])],
            vec![json!("one"), json!(null)],
        ),
    ]);
    let absent = json!({ "detail": { "f": [{ "exists": false }] } });
    for event in [
        json!({}),
        json!({ "detail": {} }),
        json!({ "detail": 5 }),
        json!({ "detail": { "g": 1 } }),
        json!({ "detail": [] }),
    ] {
        assert!(takes(&absent, &event), "{event} has no detail.f");
        assert!(
            !takes(&json!({ "detail": { "f": [{ "exists": true }] } }), &event),
            "{event} has no detail.f"
        );
        assert!(
            !takes(&json!({ "detail": { "f": [null] } }), &event),
            "a missing field isn't null: {event}"
        );
        assert!(
            !takes(&json!({ "detail": { "f": [""] } }), &event),
            "a missing field isn't empty: {event}"
        );
    }
}

#[test]
fn every_field_must_hold_at_its_own_depth() {
    let source = json!({
        "source": ["aws.ec2"],
        "detail": { "state": ["terminated"], "tags": { "team": [{ "prefix": "a" }], "cost": [{ "numeric": ["<", 5] }] } },
    });
    let event = json!({
        "source": "aws.ec2",
        "region": "us-west-1",
        "detail": { "state": "terminated", "tags": { "team": "abc", "cost": 4, "more": [] } },
    });
    assert!(takes(&source, &event));
    for (pointer, value) in [
        ("/source", json!("aws.ec3")),
        ("/detail/state", json!("running")),
        ("/detail/tags/team", json!("b")),
        ("/detail/tags/cost", json!(5)),
        ("/detail/tags", json!("abc")),
        ("/detail", json!({ "state": "terminated", "team": "abc", "cost": 4 })),
    ] {
        let mut other = event.clone();
        *other.pointer_mut(pointer).expect("pointer") = value;
        assert!(!takes(&source, &other), "{other}");
    }
    assert!(
        !takes(&json!({ "detail": ["x"] }), &json!({ "detail": { "detail": "x" } })),
        "an object isn't a value"
    );
    assert!(
        !takes(&json!({ "Source": ["a"] }), &json!({ "source": "a" })),
        "names are case-sensitive"
    );
    assert!(
        !takes(&json!({ "a.b": [1] }), &json!({ "a": { "b": 1 } })),
        "a dot in a name is just that"
    );
    assert!(takes(&json!({ "a.b": [1] }), &json!({ "a.b": 1 })));
    for event in [json!(null), json!([]), json!([{ "a": 1 }]), json!("a")] {
        assert!(!takes(&json!({ "a": [{ "exists": false }] }), &event), "{event} is no event");
    }
}

#[test]
fn any_element_of_an_array_is_enough() {
    check_values(&[
        (
            json!(["b"]),
            vec![json!(["a", "b"]), json!([["a"], [["b"]]]), json!([{ "x": 1 }, "b"])],
            vec![json!(["a"]), json!([]), json!([{ "f": "b" }])],
        ),
        (json!(["a", "z"]), vec![json!(["y", "z"])], vec![json!(["y"])]),
        (
            json!([{ "anything-but": "a" }]),
            vec![json!(["a", "b"])],
            vec![json!(["a", "a"]), json!([])],
        ),
        (
            json!([{ "prefix": "arn:aws:ec2" }]),
            vec![json!(["x", "arn:aws:ec2:1"])],
            vec![json!([])],
        ),
    ]);
}

#[test]
fn one_element_satisfies_all_that_is_asked_of_an_array_of_objects() {
    let employees = json!({ "employees": [
        { "first": "John", "last": "Doe" },
        [{ "first": "Anna", "last": "Smith", "cards": [{ "kind": "a", "valid": false }, { "kind": "b", "valid": true }] }],
        { "first": "Peter", "last": "Jones" },
    ] });
    let of = |inner: Value| takes(&json!({ "employees": inner }), &employees);
    assert!(of(json!({ "first": ["Anna"] })));
    assert!(of(json!({ "first": ["Anna"], "last": ["Smith"] })));
    assert!(!of(json!({ "first": ["Anna"], "last": ["Jones"] })));
    assert!(of(json!({ "last": ["Smith"], "cards": { "kind": ["b"], "valid": [true] } })));
    assert!(!of(json!({ "last": ["Smith"], "cards": { "kind": ["a"], "valid": [true] } })));
    assert!(!of(json!({ "last": ["Doe"], "cards": { "kind": ["b"] } })));
    // Absence: of the element that something else chose, else of all.
    assert!(of(json!({ "last": ["Doe"], "cards": { "kind": [{ "exists": false }] } })));
    assert!(!of(json!({ "last": ["Smith"], "cards": { "kind": [{ "exists": false }] } })));
    assert!(!of(json!({ "cards": { "kind": [{ "exists": false }] } })));
    assert!(of(json!({ "cards": { "number": [{ "exists": false }] } })));
    // The two conditions on the array come from $or and from beside it.
    let source = json!({ "employees": { "first": ["Anna"] }, "$or": [{ "employees": { "last": ["Jones"] } }, { "x": [1] }] });
    assert!(!takes(&source, &employees));
}

#[test]
fn or() {
    let source = json!({
        "source": ["aws.cloudwatch"],
        "$or": [
            { "metricName": ["CPUUtilization", "ReadLatency"] },
            { "metricType": ["MetricType"], "namespace": ["AWS/EC2"], "$or": [{ "metricId": [1234] }, { "spaceId": [1000] }] },
            { "scope": [{ "exists": false }], "detail": { "$or": [{ "a": [1] }, { "b": [2] }] } },
        ],
    });
    for (event, expected) in [
        (json!({ "source": "aws.cloudwatch", "metricName": "ReadLatency", "scope": 1 }), true),
        (json!({ "source": "other", "metricName": "ReadLatency" }), false),
        (
            json!({ "source": "aws.cloudwatch", "scope": 1, "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1000 }),
            true,
        ),
        (
            json!({ "source": "aws.cloudwatch", "scope": 1, "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1001 }),
            false,
        ),
        (
            json!({ "source": "aws.cloudwatch", "scope": 1, "metricType": "MetricType", "spaceId": 1000 }),
            false,
        ),
        (json!({ "source": "aws.cloudwatch", "detail": { "b": 2 } }), true),
        (json!({ "source": "aws.cloudwatch", "scope": 1, "detail": { "b": 2 } }), false),
        (json!({ "source": "aws.cloudwatch", "detail": { "a": 2, "b": 1 } }), false),
        (json!({ "source": "aws.cloudwatch" }), false),
    ] {
        assert_eq!(takes(&source, &event), expected, "{event}");
    }
    let numbers = json!({ "$or": [{ "c": [{ "numeric": [">", 0, "<=", 5] }] }, { "d": [{ "numeric": ["<", 10] }] }, { "x": [3.018e2] }] });
    assert!(takes(&numbers, &json!({ "c": 9, "d": 9 })));
    assert!(!takes(&numbers, &json!({ "c": 9, "d": 10, "x": 300 })));
}

#[test]
fn or_may_be_the_name_of_a_field() {
    let object = json!({ "$or": { "a": ["x"] } });
    assert!(takes(&object, &json!({ "$or": { "a": "x" } })));
    assert!(!takes(&object, &json!({ "a": "x" })));
    for list in [
        json!(["ab"]),
        json!([{ "prefix": "a" }, { "suffix": "b" }]),
        json!([{ "prefix": "a" }]),
    ] {
        let source = json!({ "$or": list });
        assert!(takes(&source, &json!({ "$or": "ab" })), "{source}");
        assert!(!takes(&source, &json!({ "$or": "xy" })), "{source}");
    }
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let pattern = Pattern::parse(r#"{"f":["a"],"f":["b"]}"#).expect("pattern");
    assert!(pattern.matches_value(&json!({ "f": "b" })));
    assert!(!pattern.matches_value(&json!({ "f": "a" })));
}

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

// Laws.

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
