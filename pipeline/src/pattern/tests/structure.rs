//! How fields, arrays and alternatives hold together.

use super::*;

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
