//! A CloudFormation template, as what it makes with given parameters.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::resource::{Made, Resource};

/// What `Ref` says of these is their ARN.
const KNOWN_BY_ARN: [&str; 5] = [
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::ManagedPolicy",
];

/// What `template` makes with `given` parameters.
///
/// # Panics
/// It is no template, or uses something that isn't understood here.
pub(super) fn made(template: &str, given: &[(&str, &str)]) -> Made {
    let documents = Yaml::load_from_str(template).expect("YAML");
    let [document] = documents.as_slice() else {
        panic!("{} documents", documents.len());
    };
    let template = plain(document);
    let reader = Reader {
        template: &template,
        given,
    };
    let mut made = Made {
        parameters: map(&template["Parameters"])
            .map(|(name, of)| (name.clone(), of.get("Default").cloned().unwrap_or_default()))
            .collect(),
        outputs: map(&template["Outputs"])
            .filter(|(_, of)| reader.wanted(of))
            .map(|(name, of)| (name.clone(), reader.resolved(&of["Value"])))
            .collect(),
        ..Made::default()
    };
    let mut policies = Vec::new();
    for (id, of) in map(&template["Resources"]).filter(|(_, of)| reader.wanted(of)) {
        let Value::Object(mut properties) = reader.resolved(&of["Properties"]) else {
            panic!("{id} has no properties");
        };
        let kind = of["Type"].as_str().expect("a type").to_owned();
        if kind == "AWS::SQS::QueuePolicy" {
            policies.push(properties);
            continue;
        }
        let kept = |policy: &str| of[policy].as_str().is_some_and(|policy| policy.starts_with("Retain"));
        if kept("DeletionPolicy") && kept("UpdateReplacePolicy") {
            properties.insert("Kept".to_owned(), true.into());
        }
        made.resources.insert(id.clone(), Resource { kind, properties });
    }
    // A policy is of each of its queues.
    for policy in policies {
        for queue in policy["Queues"].as_array().expect("queues") {
            let id = queue.as_str().expect("a queue").trim_matches(['$', '{', '}']);
            let queue = made.resources.get_mut(id).expect("a queue that is made");
            queue.properties.insert("Policy".to_owned(), policy["PolicyDocument"].clone());
        }
    }
    made
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// YAML as JSON, with CloudFormation's short functions written out.
fn plain(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(value)) => value.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(fields) => {
            let fields = fields.iter().map(|(key, value)| match plain(key) {
                Value::String(key) => (key, plain(value)),
                other => panic!("{other} as a key"),
            });
            Value::Object(fields.collect())
        }
        Yaml::Tagged(tag, of) => match (tag.suffix.as_str(), plain(of)) {
            ("Ref", of) => json!({ "Ref": of }),
            ("GetAtt", Value::String(of)) => {
                let (id, attribute) = of.split_once('.').expect("an attribute");
                json!({ "Fn::GetAtt": [id, attribute] })
            }
            (function, of) => json!({ format!("Fn::{function}"): of }),
        },
        other => panic!("{other:?} is not understood"),
    }
}

struct Reader<'a> {
    template: &'a Value,
    given: &'a [(&'a str, &'a str)],
}

impl Reader<'_> {
    /// Whether the condition of a resource, or an output, holds.
    fn wanted(&self, of: &Value) -> bool {
        of["Condition"].as_str().is_none_or(|name| self.holds(name))
    }

    fn holds(&self, condition: &str) -> bool {
        let condition = &self.template["Conditions"][condition];
        assert!(!condition.is_null(), "no such condition");
        self.resolved(condition) == Value::Bool(true)
    }

    fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolved(item)).collect(),
            Value::Object(fields) => match fields.iter().next() {
                Some((function, of)) if fields.len() == 1 && (function == "Ref" || function.starts_with("Fn::")) => {
                    self.called(function.trim_start_matches("Fn::"), of)
                }
                _ => {
                    let fields = fields.iter().map(|(key, value)| (key.clone(), self.resolved(value)));
                    Value::Object(fields.collect::<Map<_, _>>())
                }
            },
            other => other.clone(),
        }
    }

    fn called(&self, function: &str, of: &Value) -> Value {
        let argument = |n: usize| self.resolved(&of[n]);
        match function {
            "Ref" => self.referred(of.as_str().expect("a name")),
            "GetAtt" => self.attribute(of[0].as_str().expect("an id"), of[1].as_str().expect("an attribute")),
            "Sub" => match of {
                Value::Array(_) => {
                    let values = map(&of[1]).map(|(name, value)| (name, self.resolved(value)));
                    let text = values.fold(of[0].as_str().expect("a text").to_owned(), |text, (name, value)| {
                        text.replace(&format!("${{{name}}}"), value.as_str().expect("a text"))
                    });
                    self.substituted(&text).into()
                }
                text => self.substituted(text.as_str().expect("a text")).into(),
            },
            "Join" => {
                let (by, parts) = (argument(0), argument(1));
                let parts = parts.as_array().expect("parts").iter().map(|part| part.as_str().expect("a text"));
                parts.collect::<Vec<_>>().join(by.as_str().expect("a separator")).into()
            }
            "If" => argument(if self.holds(of[0].as_str().expect("a condition")) { 1 } else { 2 }),
            "Equals" => (argument(0) == argument(1)).into(),
            "Not" => (argument(0) == Value::Bool(false)).into(),
            "And" => {
                let named = |of: &Value| self.holds(of["Condition"].as_str().expect("a condition"));
                of.as_array().expect("conditions").iter().all(named).into()
            }
            "Split" => {
                let (by, text) = (argument(0), argument(1));
                let parts = text.as_str().expect("a text").split(by.as_str().expect("a separator"));
                parts.map(Value::from).collect()
            }
            other => panic!("Fn::{other} is not understood"),
        }
    }

    fn referred(&self, name: &str) -> Value {
        let parameter = &self.template["Parameters"][name];
        if name == "AWS::NoValue" {
            Value::Null
        } else if name.starts_with("AWS::") {
            format!("${{{name}}}").into()
        } else if parameter.is_null() {
            let kind = self.kind(name);
            let attribute = if KNOWN_BY_ARN.contains(&kind) { ".Arn" } else { "" };
            format!("${{{name}{attribute}}}").into()
        } else {
            let given = self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
            let value = given.or_else(|| parameter["Default"].as_str()).expect("a value");
            match parameter["Type"].as_str() {
                Some("CommaDelimitedList") => value.split(',').map(Value::from).collect(),
                _ => value.into(),
            }
        }
    }

    fn attribute(&self, id: &str, attribute: &str) -> Value {
        match (self.kind(id), attribute) {
            // Of the streams in it.
            ("AWS::Logs::LogGroup", "Arn") => format!("${{{id}.Arn}}:*").into(),
            ("AWS::EC2::SecurityGroup", "GroupId") => format!("${{{id}}}").into(),
            ("AWS::SQS::Queue", "QueueName") => self.resolved(&self.template["Resources"][id]["Properties"]["QueueName"]),
            _ => format!("${{{id}.{attribute}}}").into(),
        }
    }

    fn kind(&self, id: &str) -> &str {
        let kind = &self.template["Resources"][id]["Type"];
        kind.as_str()
            .unwrap_or_else(|| panic!("{id} is neither a parameter nor a resource"))
    }

    fn substituted(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("an end");
            let value = match name.split_once('.') {
                Some((id, attribute)) => self.attribute(id, attribute),
                None => self.referred(name),
            };
            whole.push_str(value.as_str().expect("a text"));
            whole.push_str(rest);
        }
        whole
    }
}
