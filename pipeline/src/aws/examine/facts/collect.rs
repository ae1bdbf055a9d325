//! Asking the services for them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_dynamodb::types::{IndexStatus, KeySchemaElement, KeyType, ProjectionType, TableDescription};
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_lambda::types::FunctionResponseType;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::join_all;
use serde_json::Value;

use super::{Alarm, Feed, Function, Index, Known, Queue, Rule, Table, Target};
use crate::aws::Names;
use crate::aws::arn::name_of;
use crate::aws::examine::Clients;
use crate::aws::examine::asking::Call;
use crate::aws::examine::clock::Clock;
use crate::aws::metrics::CRITERION_FAILING;
use crate::finding::Finding;

pub(super) async fn rules(clients: &Clients, names: &Names, place: &str) -> Known<Vec<Rule>> {
    let bus = &names.event_bus;
    let call = Call {
        action: "events:ListRules",
        of: bus,
        breaks: "consumers are shown without their rules",
    };
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let answer = clients.events.list_rules().event_bus_name(bus).set_next_token(next).send().await;
        let answer = answer.map_err(|e| {
            let mut finding = call.failed(&e);
            if e.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) {
                finding.kind = "bus.missing".to_owned();
                finding.what = format!("There is no bus {bus} in {place}.");
                finding.remedy = "See aws.region, aws.prefix and aws.event_bus in the configuration.".to_owned();
            }
            vec![finding]
        })?;
        all.extend(answer.rules.unwrap_or_default());
        next = answer.next_token;
        if next.is_none() {
            break;
        }
    }
    let rules = join_all(all.into_iter().map(async |rule| {
        let name = rule.name.unwrap_or_default();
        let call = Call {
            action: "events:ListTargetsByRule",
            of: &name,
            breaks: "it isn't known where its events go",
        };
        let answer = clients.events.list_targets_by_rule().event_bus_name(bus).rule(&name).send().await;
        let targets = answer.map_err(|e| vec![call.failed(&e)])?.targets.unwrap_or_default();
        Ok::<_, Vec<Finding>>(Rule {
            arn: rule.arn.unwrap_or_default(),
            enabled: rule.state != Some(RuleState::Disabled),
            pattern: rule.event_pattern.unwrap_or_default(),
            targets: targets
                .into_iter()
                .map(|target| Target {
                    arn: target.arn,
                    dead_letters: target.dead_letter_config.and_then(|config| config.arn),
                })
                .collect(),
            name,
        })
    }))
    .await;
    rules.into_iter().collect()
}

pub(super) async fn look_at(clients: &Clients, names: BTreeSet<String>) -> BTreeMap<String, Known<Option<Queue>>> {
    let all = join_all(names.into_iter().map(async |name| {
        let queue = queue(clients, &name).await;
        (name, queue)
    }));
    all.await.into_iter().collect()
}

async fn queue(clients: &Clients, name: &str) -> Known<Option<Queue>> {
    let call = |action| Call {
        action,
        of: name,
        breaks: "its depth and its letters can't be seen",
    };
    let url = match clients.sqs.get_queue_url().queue_name(name).send().await {
        Ok(answer) => answer.queue_url.unwrap_or_default(),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_does_not_exist()) => return Ok(None),
        Err(error) => return Err(vec![call("sqs:GetQueueUrl").failed(&error)]),
    };
    let answer = clients
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await;
    let attributes = match answer {
        Ok(answer) => answer.attributes.unwrap_or_default(),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_queue_does_not_exist()) => return Ok(None),
        Err(error) => return Err(vec![call("sqs:GetQueueAttributes").failed(&error)]),
    };
    let text = |name: QueueAttributeName| attributes.get(&name).map(String::as_str);
    let number = |name| text(name).and_then(|value| value.parse().ok()).unwrap_or(0);
    let json = |name| text(name).and_then(|value| serde_json::from_str::<Value>(value).ok());
    Ok(Some(Queue {
        policy: json(QueueAttributeName::Policy),
        redrive: json(QueueAttributeName::RedrivePolicy).and_then(|policy| {
            let most = &policy["maxReceiveCount"];
            let most = most.as_u64().or_else(|| most.as_str()?.parse().ok()).unwrap_or(0);
            Some((policy["deadLetterTargetArn"].as_str()?.to_owned(), most))
        }),
        visibility: number(QueueAttributeName::VisibilityTimeout),
        retention: number(QueueAttributeName::MessageRetentionPeriod),
        messages: number(QueueAttributeName::ApproximateNumberOfMessages)
            + number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
    }))
}

pub(super) async fn function(clients: &Clients, name: &str) -> Known<Option<Function>> {
    let call = |action, breaks| Call { action, of: name, breaks };
    let configuration = match clients.lambda.get_function_configuration().function_name(name).send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => return Ok(None),
        Err(error) => {
            let call = call(
                "lambda:GetFunctionConfiguration",
                "it isn't known what becomes of events that it gives up on",
            );
            return Err(vec![call.failed(&error)]);
        }
    };
    let invoked = match clients.lambda.get_function_event_invoke_config().function_name(name).send().await {
        Ok(answer) => Some(answer),
        // It has none of its own: Lambda's defaults hold.
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => None,
        Err(error) => {
            let call = call(
                "lambda:GetFunctionEventInvokeConfig",
                "it isn't known what becomes of events that it gives up on",
            );
            return Err(vec![call.failed(&error)]);
        }
    };
    let feeds = match clients.lambda.list_event_source_mappings().function_name(name).send().await {
        Ok(answer) => answer.event_source_mappings.unwrap_or_default(),
        Err(error) => {
            let call = call(
                "lambda:ListEventSourceMappings",
                "it isn't known what feeds it, and it can't be stopped",
            );
            return Err(vec![call.failed(&error)]);
        }
    };
    let destination = invoked
        .as_ref()
        .and_then(|config| config.destination_config.as_ref()?.on_failure.as_ref()?.destination.clone());
    let dead_letters = configuration.dead_letter_config.and_then(|config| config.target_arn);
    let filled = |arn: Option<String>| arn.is_some_and(|arn| !arn.is_empty());
    Ok(Some(Function {
        timeout: configuration.timeout.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3),
        keeps: filled(destination) || filled(dead_letters),
        retries: invoked
            .and_then(|config| u64::try_from(config.maximum_retry_attempts?).ok())
            .unwrap_or(2),
        feeds: feeds
            .into_iter()
            .map(|feed| Feed {
                queue: name_of(feed.event_source_arn().unwrap_or_default()).to_owned(),
                alone: feed
                    .function_response_types()
                    .contains(&FunctionResponseType::ReportBatchItemFailures),
            })
            .collect(),
    }))
}

pub(super) async fn alarms(clients: &Clients, prefix: &str) -> Known<Vec<Alarm>> {
    let call = Call {
        action: "cloudwatch:DescribeAlarms",
        of: prefix,
        breaks: "it isn't known whether anything watches the deployment while nobody looks",
    };
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let answer = clients
            .cloudwatch
            .describe_alarms()
            .alarm_name_prefix(prefix)
            .set_next_token(next)
            .send()
            .await;
        let answer = answer.map_err(|e| vec![call.failed(&e)])?;
        all.extend(answer.metric_alarms.unwrap_or_default().into_iter().map(|alarm| Alarm {
            name: alarm.alarm_name.unwrap_or_default(),
            on: alarm.actions_enabled.unwrap_or(true),
            told:
                (alarm.metric_name.as_deref() == Some(CRITERION_FAILING)).then(|| alarm.state_value != Some(StateValue::InsufficientData)),
            heard: alarm.alarm_actions.is_some_and(|actions| !actions.is_empty()),
        }));
        next = answer.next_token;
        if next.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn table(clients: &Clients, name: &str, clock: &Clock) -> Known<Option<Table>> {
    let call = Call {
        action: "dynamodb:DescribeTable",
        of: name,
        breaks: "it isn't known whether it has the indexes that pages are read by",
    };
    let asked = clients
        .dynamodb
        .describe_table()
        .table_name(name)
        .customize()
        .interceptor(clock.clone());
    match asked.send().await {
        Ok(answer) => Ok(answer.table.map(described)),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
        Err(error) => Err(vec![call.failed(&error)]),
    }
}

fn described(table: TableDescription) -> Table {
    let part = |schema: &[KeySchemaElement], kind: &KeyType| {
        let element = schema.iter().find(|element| element.key_type() == kind);
        element.map(|element| element.attribute_name().to_owned())
    };
    let key = |schema: &[KeySchemaElement]| (part(schema, &KeyType::Hash).unwrap_or_default(), part(schema, &KeyType::Range));
    Table {
        key: key(table.key_schema()),
        indexes: table
            .global_secondary_indexes()
            .iter()
            .map(|index| Index {
                name: index.index_name().unwrap_or_default().to_owned(),
                key: key(index.key_schema()),
                whole: index.projection().and_then(|p| p.projection_type()) == Some(&ProjectionType::All),
                ready: !matches!(index.index_status(), Some(IndexStatus::Creating | IndexStatus::Deleting)),
            })
            .collect(),
    }
}
