//! IAM, as far as the template's policies need it: emulators let everybody do everything.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tests::between::{Call, Fate};

use super::resource::{Made, Resource};
use super::{formation, template};

/// What some policies of the template allow, what of it was done, and what was asked for beyond it.
pub(crate) struct Permitted {
    statements: Vec<Statement>,
    used: Mutex<BTreeSet<String>>,
    denied: Mutex<BTreeSet<String>>,
}

/// Actions on resources; conditions are not looked at, except that there may be some.
struct Statement {
    actions: Vec<String>,
    /// Without what stands before the resource's own kind and name; `*` is anything.
    resources: Vec<String>,
}

/// An action, and the resource that it is of: what `call` needs.
type Need = (String, String);

impl Permitted {
    /// What managed policies and roles allow, with `given` parameters; a role with the managed policies that it names.
    pub(crate) fn by(ids: &[&str], given: &[(&str, &str)]) -> Self {
        let made = formation::made(&template(), given);
        let statements = ids.iter().flat_map(|id| of(&made, id)).collect();
        Self {
            statements,
            used: Mutex::default(),
            denied: Mutex::default(),
        }
    }

    /// Answers what is allowed, and refuses the rest.
    pub(crate) fn judge(&self, call: &Call, body: &str) -> Fate {
        let needs = needs(call, body);
        let allowed = |(action, resource): &Need| {
            self.statements
                .iter()
                .any(|statement| statement.actions.contains(action) && statement.resources.iter().any(|pattern| fits(pattern, resource)))
        };
        let denied: Vec<&Need> = needs.iter().filter(|need| !allowed(need)).collect();
        if denied.is_empty() {
            let actions = needs.into_iter().map(|(action, _)| action);
            self.used.lock().unwrap_or_else(PoisonError::into_inner).extend(actions);
            return Fate::Answered;
        }
        let denied = denied.into_iter().map(|(action, resource)| format!("{action} of {resource}"));
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).extend(denied);
        Fate::Refused(400, "AccessDeniedException")
    }

    /// What was refused.
    pub(crate) fn denied(&self) -> BTreeSet<String> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The actions that are allowed and that nobody needed.
    pub(crate) fn unused(&self) -> BTreeSet<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.statements.iter().flat_map(|statement| &statement.actions);
        all.filter(|action| !used.contains(*action)).cloned().collect()
    }
}

fn of(made: &Made, id: &str) -> Vec<Statement> {
    let properties = &made.resources.get(id).unwrap_or_else(|| panic!("no {id}")).properties;
    let named = properties.get("ManagedPolicyArns").and_then(Value::as_array).into_iter().flatten();
    let named = named.map(|policy| {
        policy
            .as_str()
            .expect("a policy")
            .trim_start_matches("${")
            .trim_end_matches(".Arn}")
    });
    let own = properties.get("Policies").and_then(Value::as_array).into_iter().flatten();
    let documents = properties
        .get("PolicyDocument")
        .into_iter()
        .chain(own.map(|policy| &policy["PolicyDocument"]));
    let statements = documents.flat_map(|document| document["Statement"].as_array().expect("statements"));
    let statements = statements.filter(|statement| !statement.is_null()).map(|statement| {
        assert_eq!(statement["Effect"], "Allow");
        Statement {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]).iter().map(|arn| own_part(made, arn)).collect(),
        }
    });
    statements.chain(named.flat_map(|id| of(made, id))).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.as_str().unwrap_or_else(|| panic!("{other} is no text")).to_owned()],
    }
}

/// What an ARN says after the account.
fn own_part(made: &Made, arn: &str) -> String {
    if let Some((id, rest)) = arn.strip_prefix("${").and_then(|arn| arn.split_once(".Arn}")) {
        let Resource { kind, properties } = &made.resources[id];
        let name = |property: &str| properties[property].as_str().expect(property).to_owned();
        return match kind.as_str() {
            "AWS::DynamoDB::Table" => format!("table/{}{rest}", name("TableName")),
            "AWS::SQS::Queue" => name("QueueName"),
            "AWS::Events::EventBus" => format!("event-bus/{}", name("Name")),
            "AWS::Logs::LogGroup" => format!("log-group:{}{rest}", name("LogGroupName")),
            other => panic!("the ARN of a {other} is not understood"),
        };
    }
    let plain = ["Partition", "Region", "AccountId"]
        .iter()
        .fold(arn.to_owned(), |arn, name| arn.replace(&format!("${{AWS::{name}}}"), "x"));
    plain.splitn(6, ':').nth(5).unwrap_or(&plain).to_owned()
}

/// `*` is anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))),
    }
}

/// What a call needs, as IAM writes it.
fn needs(call: &Call, body: &str) -> Vec<Need> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let operation = call.operation.as_str();
    let one = |action: &str, resource: String| vec![(action.to_owned(), resource)];
    match call.service.as_str() {
        "dynamodb" => tables(operation, &body),
        "sqs" => {
            let named = body["QueueName"].as_str().or_else(|| body["QueueUrl"].as_str()?.rsplit('/').next());
            let action = operation.strip_suffix("Batch").unwrap_or(operation);
            one(&format!("sqs:{action}"), named.unwrap_or_default().to_owned())
        }
        "events" => {
            let bus = |named: &Value| format!("event-bus/{}", named.as_str().unwrap_or("default"));
            match operation {
                "PutEvents" => {
                    let entries = body["Entries"].as_array().into_iter().flatten();
                    entries
                        .map(|entry| ("events:PutEvents".to_owned(), bus(&entry["EventBusName"])))
                        .collect()
                }
                "DescribeEventBus" => one("events:DescribeEventBus", bus(&body["Name"])),
                "ListTargetsByRule" => {
                    let text = |key: &str| body[key].as_str().unwrap_or_default();
                    one(
                        "events:ListTargetsByRule",
                        format!("rule/{}/{}", text("EventBusName"), text("Rule")),
                    )
                }
                other => one(&format!("events:{other}"), "any".to_owned()),
            }
        }
        "lambda" => function(operation),
        "monitoring" => one(&format!("cloudwatch:{operation}"), "any".to_owned()),
        other => one(&format!("{other}:{operation}"), "any".to_owned()),
    }
}

/// Each item of a transaction needs what it would need alone; several at once need an action of their own.
fn tables(operation: &str, body: &Value) -> Vec<Need> {
    let table = |of: &Value| format!("table/{}", of["TableName"].as_str().unwrap_or_default());
    let action = |name: &str| format!("dynamodb:{name}");
    match operation {
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let items = items.flat_map(|item| item.as_object().into_iter().flatten());
            let name = |kind: &str| {
                if kind == "ConditionCheck" {
                    action("ConditionCheckItem")
                } else {
                    action(&format!("{kind}Item"))
                }
            };
            items.map(|(kind, of)| (name(kind), table(of))).collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(name, _)| (action(operation), format!("table/{name}"))).collect()
        }
        _ => {
            let index = body["IndexName"].as_str().map(|name| format!("/index/{name}")).unwrap_or_default();
            vec![(action(operation), table(body) + &index)]
        }
    }
}

/// By method and path, for Lambda's calls have no names on the wire.
fn function(operation: &str) -> Vec<Need> {
    let (method, path) = operation.split_once(' ').unwrap_or_default();
    let mut parts = path.trim_matches('/').split('/').skip(1);
    let (kind, name, what) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    // A function is called by its name, or by its ARN.
    let plain = name.replace("%3A", ":");
    let plain = plain.rsplit_once(":function:").map_or(plain.as_str(), |(_, name)| name);
    let of = |action: &str| vec![(format!("lambda:{action}"), format!("function:{plain}"))];
    match (method, kind, what) {
        ("POST", Some("functions"), Some("invocations")) => of("InvokeFunction"),
        ("GET", Some("functions"), Some("configuration")) => of("GetFunctionConfiguration"),
        ("GET", Some("functions"), Some("event-invoke-config")) => of("GetFunctionEventInvokeConfig"),
        ("PUT", Some("functions"), Some("configuration")) => of("UpdateFunctionConfiguration"),
        ("GET", Some("event-source-mappings"), _) => vec![("lambda:ListEventSourceMappings".to_owned(), "any".to_owned())],
        ("PUT", Some("event-source-mappings"), _) => {
            vec![("lambda:UpdateEventSourceMapping".to_owned(), format!("event-source-mapping:{name}"))]
        }
        _ => vec![(operation.to_owned(), "any".to_owned())],
    }
}

#[test]
fn what_is_not_allowed_is_refused_and_named() {
    let viewer = Permitted::by(&["ViewerPolicy"], &[("Prefix", "t-1")]);
    let call = |service: &str, operation: &str| Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
    };
    let read = r#"{ "TableName": "t-1-event-store", "IndexName": "UserIdTimestampIndex" }"#;
    assert_eq!(viewer.judge(&call("dynamodb", "Query"), read), Fate::Answered);
    let write = r#"{ "TransactItems": [{ "Put": { "TableName": "t-1-cutover-flags" } }] }"#;
    assert_eq!(
        viewer.judge(&call("dynamodb", "TransactWriteItems"), write),
        Fate::Refused(400, "AccessDeniedException")
    );
    let other = r#"{ "QueueUrl": "http://q/0/t-2-audit" }"#;
    assert_ne!(viewer.judge(&call("sqs", "GetQueueAttributes"), other), Fate::Answered);
    assert_eq!(
        viewer.denied().into_iter().collect::<Vec<_>>(),
        ["dynamodb:PutItem of table/t-1-cutover-flags", "sqs:GetQueueAttributes of t-2-audit"]
    );
    assert!(viewer.unused().contains("cloudwatch:ListMetrics") && !viewer.unused().contains("dynamodb:Query"));
}
