//! A Terraform module, as the instances of its resources with given variables.
//!
//! What refers to a resource gets a text in CloudFormation's words: `aws_sqs_queue.queue["audit"].arn` is `${AuditQueue.Arn}`.

use std::collections::BTreeMap;

use hcl::eval::{Context, Evaluate};
use hcl::{Block, Body, Expression, Map, Value, value};

use super::function;

/// A resource, once for each of its keys.
#[derive(Debug)]
pub(super) struct Instance {
    /// Such as `aws_sqs_queue`.
    pub(super) kind: String,
    /// As CloudFormation's template calls it.
    pub(super) id: String,
    /// Its attributes, and its blocks as lists.
    pub(super) attributes: serde_json::Map<String, serde_json::Value>,
}

/// A module.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) instances: Vec<Instance>,
    pub(super) outputs: serde_json::Map<String, serde_json::Value>,
    /// The variables, each with its default.
    pub(super) variables: serde_json::Map<String, serde_json::Value>,
}

/// What says how a resource is made, and nothing of the resource. A name's beginning is chosen where CloudFormation chooses the name.
const NOT_OF_THE_RESOURCE: [&str; 4] = ["count", "depends_on", "for_each", "name_prefix"];

/// The module in `files`, with `given` variables.
///
/// # Panics
/// It is no module, or uses something that isn't understood here.
pub(super) fn module(files: &[String], given: &[(&str, &str)]) -> Module {
    let bodies = files.iter().map(|file| hcl::parse(file).expect("HCL"));
    let whole: Vec<Block> = bodies.flat_map(Body::into_blocks).collect();
    let mut variables = Map::new();
    for block in of_kind(&whole, "variable") {
        variables.insert(label(block, 0).to_owned(), evaluated(attribute(block, "default"), &Context::new()));
    }
    let mut scope = Scope::new(variables.iter().map(|(name, default)| {
        let value = given.iter().find(|(given, _)| given == name);
        (name.clone(), value.map_or_else(|| default.clone(), |(_, text)| like(default, text)))
    }));
    for block in of_kind(&whole, "data") {
        scope.look_up(block);
    }
    scope.declare(&whole);
    let context = scope.context();
    let outputs = of_kind(&whole, "output").map(|block| {
        let value = evaluated(attribute(block, "value"), &context);
        (label(block, 0).to_owned(), json(value))
    });
    let outputs = outputs.collect();
    let instances = of_kind(&whole, "resource").flat_map(|block| scope.instances(block)).collect();
    let variables = variables.into_iter().map(|(name, value)| (name, json(value)));
    Module {
        instances,
        outputs,
        variables: variables.collect(),
    }
}

/// `audit` as `Audit`, `event_store` as `EventStore`, `logDriver` as `LogDriver`.
pub(super) fn pascal(name: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

fn of_kind<'a>(blocks: &'a [Block], kind: &'a str) -> impl Iterator<Item = &'a Block> {
    blocks.iter().filter(move |block| block.identifier() == kind)
}

fn label(block: &Block, n: usize) -> &str {
    block.labels()[n].as_str()
}

fn attribute<'a>(block: &'a Block, name: &str) -> &'a Expression {
    let found = block.body().attributes().find(|attribute| attribute.key() == name);
    found.unwrap_or_else(|| panic!("{block:?} has no {name}")).expr()
}

fn evaluated(expression: &Expression, context: &Context<'_>) -> Value {
    expression
        .evaluate(context)
        .unwrap_or_else(|fault| panic!("{expression:?}: {fault}"))
}

fn json(value: Value) -> serde_json::Value {
    serde_json::to_value(value).expect("JSON")
}

/// A parameter's text as a variable of the default's type.
fn like(default: &Value, text: &str) -> Value {
    match default {
        Value::Bool(_) => (text == "yes").into(),
        Value::Array(_) => text.split(',').collect(),
        _ => text.into(),
    }
}

/// The keys of a resource's instances; one that has no key has an empty one.
#[derive(Clone, Debug)]
enum Keys {
    One,
    Counted(u64),
    Each(Map<String, Value>),
}

/// What is known by name.
struct Scope {
    /// `var`, `local`, `data`, and each kind of resource.
    known: Map<String, Value>,
    keys: BTreeMap<(String, String), Keys>,
}

impl Scope {
    fn new(variables: impl Iterator<Item = (String, Value)>) -> Self {
        let mut known = Map::new();
        known.insert("var".to_owned(), Value::Object(variables.collect()));
        for empty in ["local", "data"] {
            known.insert(empty.to_owned(), Value::Object(Map::new()));
        }
        let keys = BTreeMap::new();
        Self { known, keys }
    }

    fn context(&self) -> Context<'static> {
        let mut context = Context::new();
        for (name, value) in &self.known {
            context.declare_var(name.as_str(), value.clone());
        }
        function::declare(&mut context);
        context
    }

    fn set(&mut self, path: &[&str], value: Value) {
        let mut at = &mut self.known;
        for name in &path[..path.len() - 1] {
            let next = at.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            at = next.as_object_mut().expect("an object");
        }
        at.insert(path[path.len() - 1].to_owned(), value);
    }

    /// What AWS is asked, as CloudFormation says it.
    fn look_up(&mut self, block: &Block) {
        let (kind, name) = (label(block, 0), label(block, 1));
        let found = match kind {
            "aws_partition" => value!({ partition = "${AWS::Partition}" }),
            "aws_region" => value!({ id = "${AWS::Region}" }),
            "aws_caller_identity" => value!({ account_id = "${AWS::AccountId}" }),
            "aws_secretsmanager_secret_version" => {
                let id = evaluated(attribute(block, "secret_id"), &self.context());
                let secret = format!("{{{{resolve:secretsmanager:{}}}}}", id.as_str().expect("a name"));
                Value::Array(vec![value!({ secret_string = secret })])
            }
            other => panic!("{other} is not understood"),
        };
        self.set(&["data", kind, name], found);
    }

    /// Evaluates the locals, and finds the resources' instances, each when what it needs is known.
    fn declare(&mut self, whole: &[Block]) {
        let locals = of_kind(whole, "locals").flat_map(|block| block.body().attributes());
        let mut locals: Vec<_> = locals.collect();
        let mut resources: Vec<_> = of_kind(whole, "resource").collect();
        while !locals.is_empty() || !resources.is_empty() {
            let before = locals.len() + resources.len();
            let mut faults = Vec::new();
            locals.retain(|local| match local.expr().evaluate(&self.context()) {
                Ok(value) => {
                    self.set(&["local", local.key()], value);
                    false
                }
                Err(fault) => {
                    faults.push(format!("local.{}: {fault}", local.key()));
                    true
                }
            });
            resources.retain(|block| match keys(block, &self.context()) {
                Ok(keys) => {
                    self.declare_resource(block, keys);
                    false
                }
                Err(fault) => {
                    faults.push(fault);
                    true
                }
            });
            assert!(locals.len() + resources.len() < before, "{faults:#?}");
        }
    }

    fn declare_resource(&mut self, block: &Block, keys: Keys) {
        let (kind, name) = (label(block, 0), label(block, 1));
        let what = match &keys {
            Keys::One => reference(&id(name, "")),
            Keys::Counted(count) => (0..*count).map(|_| reference(&id(name, ""))).collect(),
            Keys::Each(each) => {
                let all = each.keys().map(|key| (key.clone(), reference(&id(name, key))));
                Value::Object(all.collect())
            }
        };
        self.set(&[kind, name], what);
        self.keys.insert((kind.to_owned(), name.to_owned()), keys);
    }

    fn instances(&self, block: &Block) -> Vec<Instance> {
        let (kind, name) = (label(block, 0), label(block, 1));
        let made = |key: &str, each: Option<Value>| {
            let mut context = self.context();
            if let Some(value) = each {
                context.declare_var("each", value!({ key = key, value = value }));
            }
            Instance {
                kind: kind.to_owned(),
                id: id(name, key),
                attributes: match json(Value::Object(contents(block.body(), &context))) {
                    serde_json::Value::Object(attributes) => attributes,
                    other => unreachable!("{other} was an object"),
                },
            }
        };
        match &self.keys[&(kind.to_owned(), name.to_owned())] {
            Keys::One => vec![made("", None)],
            Keys::Counted(count) => (0..*count).map(|_| made("", None)).collect(),
            Keys::Each(each) => each.iter().map(|(key, value)| made(key, Some(value.clone()))).collect(),
        }
    }
}

/// `dead_letters` with the key `audit` is `AuditDeadLetters`; `this` adds nothing.
fn id(name: &str, key: &str) -> String {
    let own = if name == "this" { String::new() } else { pascal(name) };
    pascal(key) + &own
}

/// What others may ask of a resource.
fn reference(id: &str) -> Value {
    let attribute = |name: &str| format!("${{{id}{name}}}");
    let mut all: Map<String, Value> = ["id", "name", "function_name"]
        .into_iter()
        .map(|own| (own.to_owned(), attribute("").into()))
        .collect();
    all.insert("arn".to_owned(), attribute(".Arn").into());
    all.insert("dns_name".to_owned(), attribute(".DNSName").into());
    Value::Object(all)
}

fn keys(block: &Block, context: &Context<'_>) -> Result<Keys, String> {
    let of = |name: &str| block.body().attributes().find(|attribute| attribute.key() == name);
    let value = |expression: &Expression| {
        expression
            .evaluate(context)
            .map_err(|fault| format!("{:?}: {fault}", block.labels()))
    };
    if let Some(count) = of("count") {
        let count = value(count.expr())?.as_u64().ok_or("count is no number")?;
        return Ok(Keys::Counted(count));
    }
    let Some(each) = of("for_each") else { return Ok(Keys::One) };
    Ok(Keys::Each(match value(each.expr())? {
        Value::Object(each) => each,
        // A set: its members are keys and values.
        Value::Array(each) => {
            let text = |member: Value| member.as_str().map(|key| (key.to_owned(), member.clone()));
            each.into_iter().filter_map(text).collect()
        }
        other => return Err(format!("for_each is {other:?}")),
    }))
}

/// The attributes of a body, and its blocks: those of one kind as a list.
fn contents(body: &Body, context: &Context<'_>) -> Map<String, Value> {
    let attributes = body
        .attributes()
        .filter(|attribute| !NOT_OF_THE_RESOURCE.contains(&attribute.key()));
    let mut all: Map<String, Value> = attributes
        .map(|attribute| (attribute.key().to_owned(), evaluated(attribute.expr(), context)))
        .collect();
    for block in body.blocks() {
        let (name, blocks) = if block.identifier() == "dynamic" {
            (label(block, 0), expanded(block, context))
        } else {
            (block.identifier(), vec![Value::Object(contents(block.body(), context))])
        };
        if blocks.is_empty() {
            continue;
        }
        let list = all.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().expect("a list of blocks").extend(blocks);
    }
    all
}

/// The blocks that a dynamic one makes.
fn expanded(block: &Block, context: &Context<'_>) -> Vec<Value> {
    let content = of_kind_in(block.body(), "content");
    let pairs: Vec<(Value, Value)> = match evaluated(attribute(block, "for_each"), context) {
        Value::Object(each) => each.into_iter().map(|(key, value)| (key.into(), value)).collect(),
        Value::Array(each) => each.into_iter().enumerate().map(|(n, value)| (n.into(), value)).collect(),
        other => panic!("for_each is {other:?}"),
    };
    let made = pairs.into_iter().map(|(key, value)| {
        let mut context = context.clone();
        context.declare_var(label(block, 0), value!({ key = key, value = value }));
        Value::Object(contents(content.body(), &context))
    });
    made.collect()
}

fn of_kind_in<'a>(body: &'a Body, kind: &str) -> &'a Block {
    let found = body.blocks().find(|block| block.identifier() == kind);
    found.unwrap_or_else(|| panic!("no {kind}"))
}
