//! What the dashboard may not do. Each write is tried under a condition that never holds: a service that allows it says that the
//! condition fails, and nothing is changed.

use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::types::InvocationType;
use futures::future::join_all;

use super::Clients;
use super::asking::{Call, is_denied};
use crate::aws::Names;
use crate::aws::record::{number, text};
use crate::aws::schema::{OWN_TABLES, Schema};
use crate::finding::Finding;
use crate::finding::Severity::Note;

/// The tables that the dashboard writes, with what doesn't work without that.
const WRITTEN: [(&str, &str); 6] = [
    ("letters", "letters can be neither taken over nor redriven"),
    ("operations", "nothing can be redriven or discarded"),
    ("operation-items", "nothing can be redriven or discarded"),
    ("flags", "flags can't be changed"),
    ("activity", "nothing can be changed, since what people do goes on the record"),
    ("ledger", "redriven events can't be followed"),
];

/// The findings of calls that are denied. Where all are, it is one finding: the dashboard can look, and that may be meant.
pub(super) async fn look(clients: &Clients, names: &Names) -> Vec<Finding> {
    let queues = names.dead_letter_queues();
    let (tables, queues, functions, flags) = tokio::join!(
        join_all(WRITTEN.iter().map(|(suffix, breaks)| table(clients, names, suffix, breaks))),
        join_all(queues.iter().map(|(queue, _)| delete(clients, queue))),
        join_all(names.consumers.iter().map(|consumer| invoke(clients, &consumer.function))),
        join_all(names.flag_functions.iter().map(|name| configure(clients, &name.function))),
    );
    let tried: Vec<Option<Finding>> = tables.into_iter().chain(queues).chain(functions).chain(flags).collect();
    let all = tried.len();
    let denied: Vec<Finding> = tried.into_iter().flatten().collect();
    if denied.len() == all && all > 0 {
        return vec![Finding::new(
            Note,
            "permission.viewer",
            "dashboard",
            "This dashboard can look, and change nothing.",
            format!("All {all} kinds of writes that were tried are denied; nothing would have been changed by them."),
            "Attach the operator's policy of deploy/cutover.yaml to its role, if people are to redrive and to change flags here.",
        )];
    }
    denied
}

/// The finding, if a call was denied. That it fails is meant; and where its object isn't there, another finding says so.
fn denial<T, E, R>(call: Call<'_>, answer: Result<T, SdkError<E, R>>) -> Option<Finding>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    answer.err().filter(is_denied).map(|error| call.failed(&error))
}

async fn table(clients: &Clients, names: &Names, suffix: &str, breaks: &str) -> Option<Finding> {
    let schema: &Schema = OWN_TABLES.iter().find(|schema| schema.suffix == suffix)?;
    let name = schema.name(names);
    let of = |attribute: crate::aws::schema::Attribute| if attribute.is_number { number(-1) } else { text("cutover-check") };
    let mut update = clients
        .dynamodb
        .update_item()
        .table_name(&name)
        .key(schema.key.partition.name, of(schema.key.partition))
        .update_expression("SET #checked = :now")
        .condition_expression("attribute_exists(#checked)")
        .expression_attribute_names("#checked", "cutoverCheck")
        .expression_attribute_values(":now", number(0));
    if let Some(sort) = schema.key.sort {
        update = update.key(sort.name, of(sort));
    }
    let call = Call {
        action: "dynamodb:UpdateItem",
        of: &name,
        breaks,
    };
    denial(call, update.send().await)
}

/// A receipt that never was. A queue that isn't there is another finding's.
async fn delete(clients: &Clients, queue: &str) -> Option<Finding> {
    let call = Call {
        action: "sqs:DeleteMessage",
        of: queue,
        breaks: "what arrives there can't be taken over",
    };
    let url = clients.sqs.get_queue_url().queue_name(queue).send().await.ok()?.queue_url?;
    let tried = clients.sqs.delete_message().queue_url(url).receipt_handle("cutover-check");
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
