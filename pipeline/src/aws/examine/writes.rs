//! What the dashboard may not do. Each write is tried as one that changes nothing, wherever it ends up: under a condition that never
//! holds, of nothing at all, or with a value that no service takes. A service that looks at the value before the permission leaves a
//! denial unfound.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_lambda::types::{InvocationType, ScalingConfig};
use futures::future::{BoxFuture, FutureExt, join_all};

use super::Clients;
use super::asking::{Call, NOBODYS, denial, nobodys};
use crate::aws::measured::NAMESPACE;
use crate::aws::record::number;
use crate::aws::schema::OWN_TABLES;
use crate::aws::{DashboardConfig, Names};
use crate::finding::Finding;
use crate::finding::Severity::Note;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Put,
    Update,
    Batch,
}

/// The tables that the dashboard writes, how, and what doesn't work without that.
const WRITTEN: [(&str, &[Write], &str); 7] = [
    (
        "letters",
        &[Write::Put, Write::Update],
        "letters can be neither taken over nor redriven",
    ),
    ("operations", &[Write::Put, Write::Update], "nothing can be redriven or discarded"),
    (
        "operation-items",
        &[Write::Batch, Write::Update],
        "nothing can be redriven or discarded",
    ),
    ("flags", &[Write::Put], "flags can't be changed"),
    (
        "activity",
        &[Write::Put],
        "nothing can be changed, since what people do goes on the record",
    ),
    ("ledger", &[Write::Put], "redriven events can't be followed"),
    ("totals", &[Write::Update], "redriven events can't be followed"),
];
/// What no item has.
const CHECKED: &str = "cutoverCheck";
/// One more than EventBridge takes.
const TOO_MANY: usize = 11;

/// The findings of calls that are denied. Where no table of its own may be written it is one finding: the dashboard can look, and that
/// may be meant. Of one that is configured to look nothing is tried.
pub(super) async fn look(clients: &Clients, names: &Names, config: DashboardConfig) -> Vec<Finding> {
    if config.read_only {
        return Vec::new();
    }
    let tables = WRITTEN
        .into_iter()
        .flat_map(|(suffix, ways, breaks)| ways.iter().map(move |way| (suffix, *way, breaks)));
    let tables = tables.map(|(suffix, way, breaks)| table(clients, names, suffix, way, breaks));
    let mut others: Vec<BoxFuture<'_, Option<Finding>>> = vec![publish(clients, &names.event_bus).boxed()];
    if config.taken_over {
        for (queue, _) in names.dead_letter_queues() {
            others.push(receive(clients, queue.clone()).boxed());
            others.push(delete(clients, queue).boxed());
        }
    }
    for consumer in &names.consumers {
        others.push(send(clients, &consumer.queue).boxed());
        others.push(invoke(clients, &consumer.function).boxed());
        others.push(pause(clients, &consumer.function).boxed());
    }
    others.extend(names.flag_functions.iter().map(|name| configure(clients, &name.function).boxed()));
    if config.tells_alarms {
        others.push(tell(clients).boxed());
    }
    let (tables, others) = tokio::join!(join_all(tables), join_all(others));
    if tables.iter().all(Option::is_some) {
        return vec![Finding::new(
            Note,
            "permission.viewer",
            "dashboard",
            "This dashboard can look, and change nothing.",
            format!(
                "All {} ways of writing its tables that were tried are denied; nothing would have been changed by them.",
                tables.len()
            ),
            "Attach the operator's policy of deploy/cutover.yaml to its role, if people are to redrive and to change flags here.",
        )];
    }
    tables.into_iter().chain(others).flatten().collect()
}

async fn table(clients: &Clients, names: &Names, suffix: &str, way: Write, breaks: &str) -> Option<Finding> {
    let schema = OWN_TABLES.iter().find(|schema| schema.suffix == suffix)?;
    let name = schema.name(names);
    let key = nobodys(&schema.key);
    let call = |action| Call { action, of: &name, breaks };
    let never = format!("attribute_exists({CHECKED})");
    let client = &clients.dynamodb;
    match way {
        Write::Put => {
            let put = client.put_item().table_name(&name).set_item(Some(key)).condition_expression(never);
            denial(call("dynamodb:PutItem"), put.send().await)
        }
        Write::Update => {
            let update = client
                .update_item()
                .table_name(&name)
                .set_key(Some(key))
                .update_expression(format!("SET {CHECKED} = :now"))
                .condition_expression(never)
                .expression_attribute_values(":now", number(0));
            denial(call("dynamodb:UpdateItem"), update.send().await)
        }
        Write::Batch => {
            let delete = DeleteRequest::builder().set_key(Some(key)).build().ok()?;
            let request = WriteRequest::builder().delete_request(delete).build();
            let batch = client.batch_write_item().request_items(&name, vec![request]);
            denial(call("dynamodb:BatchWriteItem"), batch.send().await)
        }
    }
}

/// More entries than a call may have.
async fn publish(clients: &Clients, bus: &str) -> Option<Finding> {
    let call = Call {
        action: "events:PutEvents",
        of: bus,
        breaks: "what was never published, or by whom it was given up is not said, can't be redriven",
    };
    let entry = PutEventsRequestEntry::builder().event_bus_name(bus).build();
    let tried = clients.events.put_events().set_entries(Some(vec![entry; TOO_MANY]));
    denial(call, tried.send().await)
}

/// A queue's address. One that isn't there is another finding's.
async fn url(clients: &Clients, queue: &str) -> Option<String> {
    clients.sqs.get_queue_url().queue_name(queue).send().await.ok()?.queue_url
}

/// No messages at all.
async fn receive(clients: &Clients, queue: String) -> Option<Finding> {
    let call = Call {
        action: "sqs:ReceiveMessage",
        of: &queue,
        breaks: "what arrives there can't be taken over",
    };
    let tried = clients
        .sqs
        .receive_message()
        .queue_url(url(clients, &queue).await?)
        .max_number_of_messages(0);
    denial(call, tried.send().await)
}

/// A receipt that never was.
async fn delete(clients: &Clients, queue: String) -> Option<Finding> {
    let call = Call {
        action: "sqs:DeleteMessage",
        of: &queue,
        breaks: "what arrives there can't be taken over",
    };
    let tried = clients
        .sqs
        .delete_message()
        .queue_url(url(clients, &queue).await?)
        .receipt_handle(NOBODYS);
    denial(call, tried.send().await)
}

/// A batch of nothing.
async fn send(clients: &Clients, queue: &str) -> Option<Finding> {
    let call = Call {
        action: "sqs:SendMessage",
        of: queue,
        breaks: "its consumer's letters can't be redriven",
    };
    let tried = clients
        .sqs
        .send_message_batch()
        .queue_url(url(clients, queue).await?)
        .set_entries(Some(Vec::new()));
    denial(call, tried.send().await)
}

/// To run one message at a time: Lambda takes two or more.
async fn pause(clients: &Clients, function: &str) -> Option<Finding> {
    let call = Call {
        action: "lambda:UpdateEventSourceMapping",
        of: function,
        breaks: "it can't be stopped and started",
    };
    let fed = clients
        .lambda
        .list_event_source_mappings()
        .function_name(function)
        .send()
        .await
        .ok()?;
    let id = fed.event_source_mappings().first()?.uuid()?;
    let none = ScalingConfig::builder().maximum_concurrency(1).build();
    let tried = clients.lambda.update_event_source_mapping().uuid(id).scaling_config(none);
    denial(call, tried.send().await)
}

/// No measurement at all, in the namespace that a policy may be limited to.
async fn tell(clients: &Clients) -> Option<Finding> {
    let call = Call {
        action: "cloudwatch:PutMetricData",
        of: NAMESPACE,
        breaks: "the criteria's alarms hear nothing",
    };
    let tried = clients
        .cloudwatch
        .put_metric_data()
        .namespace(NAMESPACE)
        .set_metric_data(Some(Vec::new()));
    denial(call, tried.send().await)
}

/// Lambda has a way to ask.
async fn invoke(clients: &Clients, function: &str) -> Option<Finding> {
    let call = Call {
        action: "lambda:InvokeFunction",
        of: function,
        breaks: "its letters can't be redriven where no queue feeds it",
    };
    let tried = clients
        .lambda
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::DryRun);
    denial(call, tried.send().await)
}

/// A revision that never was.
async fn configure(clients: &Clients, function: &str) -> Option<Finding> {
    let call = Call {
        action: "lambda:UpdateFunctionConfiguration",
        of: function,
        breaks: "the flags can't be written to its environment",
    };
    let tried = clients.lambda.update_function_configuration().function_name(function);
    denial(call, tried.revision_id("00000000-0000-0000-0000-000000000000").send().await)
}
