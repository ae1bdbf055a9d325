//! The Lambda functions' one binary. `CUTOVER_CONSUMER` says which consumer a function is; the runtime is `provided.al2023`,
//! which starts it as `bootstrap`.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use pipeline::aws::consume::{Answer, Function};
use pipeline::aws::{Names, connect};
use pipeline::consumers::{Audit, Consumer};
use pipeline::time::Timestamp;
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
    let consumer = consumer(variable("CUTOVER_CONSUMER").as_deref())?;
    let (name, deployment) = (consumer.name().to_owned(), variable("CUTOVER_AWS__PREFIX").unwrap_or_default());
    let names = Names::from_environment(variable)?;
    // Region, endpoint and credentials are in the function's environment.
    let connection = connect(None, None).await;
    let function = Function::new(consumer, &connection, &names);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| -> Result<Answer, Error> {
        let (outcome, measured) = function.handle(event.payload.get()).await;
        for line in measured.lines(&deployment, &name, Timestamp::now()) {
            println!("{line}");
        }
        Ok(outcome?)
    }))
    .await
}

fn consumer(name: Option<&str>) -> Result<Arc<dyn Consumer>, String> {
    match name {
        Some("audit") => Ok(Arc::new(Audit)),
        Some(other) => Err(format!("CUTOVER_CONSUMER is {other}; this version has audit")),
        None => Err("CUTOVER_CONSUMER is missing: which consumer this function is".to_owned()),
    }
}
