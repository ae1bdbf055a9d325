//! The Lambda functions' one binary. `CUTOVER_CONSUMER` says which consumer a function is; the runtime is `provided.al2023`,
//! which starts it as `bootstrap`.

use std::process::ExitCode;
use std::sync::Arc;

use aws_lambda_events::sqs::SqsBatchResponse;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use pipeline::aws::consume::Function;
use pipeline::aws::transactions::DynamoTransactions;
use pipeline::aws::{Connection, Names, connect};
use pipeline::consumers::{Analytics, Audit, Categorization, Consumer, Notification};
use pipeline::courier::{Channel, Log, Webhook};
use pipeline::time::Timestamp;
use pipeline::trigger::TriggerMaps;
use serde_json::value::RawValue;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function can't run");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)] // how CloudWatch gets its metrics
async fn run() -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let names = Names::from_environment(variable)?;
    let channel = channel(variable("CUTOVER_NOTIFICATIONS__WEBHOOK").as_deref())?;
    let name = variable("CUTOVER_CONSUMER").ok_or("CUTOVER_CONSUMER is missing: which consumer this function is")?;
    // Region, endpoint and credentials are in the function's environment.
    let connection = connect(None, None).await;
    let consumer = consumer(&name, &connection, &names)?;
    let function = Function::new(consumer, channel, &connection, &names);
    lambda_runtime::run(service_fn(
        async |event: LambdaEvent<Box<RawValue>>| -> Result<SqsBatchResponse, Diagnostic> {
            let (outcome, measured) = function.handle(event.payload.get()).await;
            for line in measured.lines(&names.prefix, &name, Timestamp::now()) {
                println!("{line}");
            }
            // What Lambda shows of it, and writes to a dead-letter queue.
            outcome.map_err(|error| Diagnostic {
                error_message: error.to_string(),
                error_type: error.code,
            })
        },
    ))
    .await
}

fn consumer(name: &str, connection: &Connection, names: &Names) -> Result<Arc<dyn Consumer>, String> {
    Ok(match name {
        "analytics" => Arc::new(Analytics::new(TriggerMaps::default().event)),
        "categorization" => Arc::new(Categorization::new(Arc::new(DynamoTransactions::of(connection, names)))),
        "notification" => Arc::new(Notification),
        "audit" => Arc::new(Audit),
        other => {
            return Err(format!(
                "CUTOVER_CONSUMER is {other}: analytics, categorization, notification or audit is needed"
            ));
        }
    })
}

/// Where notifications go: the web hook, or, without one, the log.
fn channel(webhook: Option<&str>) -> Result<Arc<dyn Channel>, Error> {
    let Some(webhook) = webhook else { return Ok(Arc::new(Log)) };
    let url = webhook
        .parse()
        .map_err(|e| format!("CUTOVER_NOTIFICATIONS__WEBHOOK is no address: {e}"))?;
    Ok(Arc::new(Webhook::new(url).map_err(|e| e.without_url())?))
}
