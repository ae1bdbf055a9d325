//! What a Terraform module makes, in CloudFormation's words. What isn't translated keeps its own name, and differs.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::resource::{Made, Resource};
use super::terraform::{Instance, Module, pascal};

type Attributes = Map<String, Value>;

/// Attributes that are JSON in a text.
const DOCUMENTS: [&str; 5] = [
    "assume_role_policy",
    "container_definitions",
    "event_pattern",
    "policy",
    "redrive_policy",
];

/// What `module` makes.
///
/// # Panics
/// Something in it isn't understood here.
pub(super) fn made(module: Module) -> Made {
    let named = |all: Attributes| all.into_iter().map(|(name, value)| (pascal(&name), value));
    let mut made = Made {
        outputs: named(module.outputs).collect(),
        parameters: named(module.variables).map(|(name, default)| (name, parameter(default))).collect(),
        ..Made::default()
    };
    let mut parts = Vec::new();
    for instance in module.instances {
        match Kind::of(&instance.kind) {
            None => parts.push(instance),
            Some(kind) => {
                let twice = made.resources.insert(instance.id.clone(), resource(kind, instance.attributes));
                assert!(twice.is_none(), "{} is there twice", instance.id);
            }
        }
    }
    for part in parts {
        add(part, &mut made);
    }
    made
}

/// A default, as CloudFormation has it.
fn parameter(default: Value) -> Value {
    match default {
        Value::Bool(_) => word(&default, "yes", "no"),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",").into(),
        other => other,
    }
}

fn resource(kind: Kind, mut attributes: Attributes) -> Resource {
    let mut properties = Attributes::new();
    if kind.terraform == "aws_dynamodb_table" {
        properties.insert("KeySchema".to_owned(), key(&mut attributes));
    }
    for (name, value) in flat(kind, read(attributes)) {
        let path = kind.property(&name).map_or_else(|| pascal(&name), ToOwned::to_owned);
        let value = translated(kind, &name, value);
        let mut at = &mut properties;
        let (outer, last) = path.rsplit_once('.').unwrap_or(("", &path));
        for step in outer.split('.').filter(|step| !step.is_empty()) {
            at = at.entry(step).or_insert_with(|| json!({})).as_object_mut().expect("an object");
        }
        at.insert(last.to_owned(), value);
    }
    Resource {
        kind: kind.formation.to_owned(),
        properties,
    }
}

/// With documents read.
fn read(attributes: Attributes) -> Attributes {
    let all = attributes.into_iter().map(|(name, value)| match value.as_str() {
        Some(text) if DOCUMENTS.contains(&name.as_str()) => {
            let document = serde_json::from_str(text).expect("JSON");
            (name, document)
        }
        _ => (name, value),
    });
    all.collect()
}

/// Blocks that occur once, by the paths of what is in them; others as they are.
fn flat(kind: Kind, attributes: Attributes) -> Attributes {
    let mut all = Attributes::new();
    for (name, value) in attributes {
        match value {
            Value::Array(mut blocks) if kind.has_once(&name) => {
                assert_eq!(blocks.len(), 1, "{name} of {}", kind.terraform);
                let Some(Value::Object(block)) = blocks.pop() else {
                    panic!("{name} is no block")
                };
                all.extend(block.into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)));
            }
            value => {
                all.insert(name, value);
            }
        }
    }
    all
}

/// A value that CloudFormation has in another shape.
fn translated(kind: Kind, name: &str, value: Value) -> Value {
    let each = |of: fn(&mut Attributes)| match value.clone() {
        Value::Array(mut blocks) => {
            blocks.iter_mut().filter_map(Value::as_object_mut).for_each(of);
            renamed(Value::Array(blocks))
        }
        other => panic!("{other} is no list of blocks"),
    };
    match (kind.terraform, name) {
        ("aws_dynamodb_table", "attribute") => each(|attribute| {
            rename(attribute, "name", "attribute_name");
            rename(attribute, "type", "attribute_type");
        }),
        ("aws_dynamodb_table", "global_secondary_index") => each(|index| {
            rename(index, "name", "index_name");
            let projection = index.remove("projection_type");
            index.insert("projection".to_owned(), json!({ "projection_type": projection }));
            let key = key(index);
            index.insert("key_schema".to_owned(), key);
        }),
        ("aws_security_group", "ingress" | "egress") => each(|rule| {
            rename(rule, "protocol", "ip_protocol");
            for (many, one) in [("cidr_blocks", "cidr_ip"), ("security_groups", "source_security_group_id")] {
                if let Some(Value::Array(all)) = rule.remove(many) {
                    let [only] = all.as_slice() else { panic!("{all:?} in a rule") };
                    rule.insert(one.to_owned(), only.clone());
                }
            }
        }),
        ("aws_lb_listener", "default_action") => each(|action| {
            if let Some(Value::Array(mut blocks)) = action.remove("authenticate_oidc") {
                action.insert("authenticate_oidc_config".to_owned(), blocks.pop().unwrap_or_default());
            }
        }),
        ("aws_lb_listener", "certificate_arn") => json!([{ "CertificateArn": value }]),
        ("aws_lb_target_group", "deregistration_delay") => json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": value }]),
        ("aws_lb", "drop_invalid_header_fields") => json!([{ "Key": "routing.http.drop_invalid_header_fields.enabled", "Value": value }]),
        ("aws_lb", "internal") => word(&value, "internal", "internet-facing"),
        ("aws_ecs_service", "network_configuration.assign_public_ip") => word(&value, "ENABLED", "DISABLED"),
        ("aws_ecs_service", "load_balancer") | ("aws_ecs_task_definition", "container_definitions" | "volume") => renamed(value),
        ("aws_cloudwatch_metric_alarm", "dimensions") => {
            let pairs = value.as_object().expect("dimensions").iter();
            pairs.map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
        }
        _ => value,
    }
}

/// A yes or no, as the word that says it.
fn word(value: &Value, yes: &str, no: &str) -> Value {
    if *value == Value::Bool(true) { yes } else { no }.into()
}

fn rename(map: &mut Attributes, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.to_owned(), value);
    }
}

/// With CloudFormation's keys all the way down, but for what the options of a log are called.
fn renamed(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(renamed).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| match key.as_str() {
                "options" => (pascal(&key), value),
                _ => (pascal(&key), renamed(value)),
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}

/// A table's key, or an index's.
fn key(of: &mut Attributes) -> Value {
    let parts = [("hash_key", "HASH"), ("range_key", "RANGE")].map(|(name, kind)| {
        let attribute = of.remove(name).filter(|name| !name.is_null())?;
        Some(json!({ "AttributeName": attribute, "KeyType": kind }))
    });
    parts.into_iter().flatten().collect()
}

/// Adds what is a resource in Terraform, and a part of another in CloudFormation.
fn add(part: Instance, made: &mut Made) {
    let mut of = read(part.attributes);
    let mut take = |name: &str| of.remove(name).unwrap_or_else(|| panic!("{} has no {name}", part.id));
    let (whole, list, value) = match part.kind.as_str() {
        "aws_cloudwatch_event_target" => {
            let dead_letters = json!({ "Arn": take("dead_letter_config")[0]["arn"] });
            let target = json!({ "Id": take("target_id"), "Arn": take("arn"), "DeadLetterConfig": dead_letters });
            assert_eq!(take("event_bus_name"), "${Bus}", "{}", part.id);
            (take("rule"), Some("Targets"), target)
        }
        "aws_iam_role_policy" => {
            let policy = json!({ "PolicyName": take("name"), "PolicyDocument": take("policy") });
            (take("role"), Some("Policies"), policy)
        }
        "aws_iam_role_policy_attachment" => (take("role"), Some("ManagedPolicyArns"), take("policy_arn")),
        "aws_sqs_queue_policy" => (take("queue_url"), None, take("policy")),
        other => panic!("{other} is not understood"),
    };
    assert!(of.is_empty(), "{}: {of:?} is not understood", part.id);
    let id = whole.as_str().expect("a reference").trim_matches(['$', '{', '}']);
    let whole = made.resources.get_mut(id).unwrap_or_else(|| panic!("no {id}"));
    match list {
        None => whole.properties.insert("Policy".to_owned(), value),
        Some(list) => {
            let list = whole.properties.entry(list).or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(value);
            None
        }
    };
}
