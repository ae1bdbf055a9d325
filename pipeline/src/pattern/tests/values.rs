//! What a field may hold: each comparison, with what it takes and what it does not.

use super::*;

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
