//! Whether anything of a deployment can be looked at: with whose credentials, and who answers.

use aws_sdk_dynamodb::config::{ProvideCredentials, SharedCredentialsProvider};

use super::Clients;
use super::asking::Call;
use crate::aws::Names;
use crate::aws::error::with_causes;
use crate::finding::Finding;
use crate::finding::Severity::Error;

/// Why all calls fail, if they do; one finding then says what fifty would.
pub(super) async fn look(credentials: Option<&SharedCredentialsProvider>, clients: &Clients, names: &Names) -> Option<Finding> {
    if let Some(fault) = without(credentials).await {
        return Some(Finding::new(
            Error,
            "access.credentials",
            "credentials",
            "There are no AWS credentials: nothing of the deployment can be read.",
            fault,
            "Name a profile in AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. A container or an instance is given a role.",
        ));
    }
    // Two services: one alone may be down, and the rest is worth a look.
    let (table, bus) = tokio::join!(
        clients.dynamodb.describe_table().table_name(&names.event_store_table).send(),
        clients.events.describe_event_bus().name(&names.event_bus).send()
    );
    let (table, bus) = (table.err()?, bus.err()?);
    let call = |action, of| Call {
        action,
        of,
        breaks: "nothing of the deployment can be read",
    };
    call("events:DescribeEventBus", &names.event_bus).unreachable(&bus)?;
    call("dynamodb:DescribeTable", &names.event_store_table).unreachable(&table)
}

/// Why there are no credentials.
async fn without(credentials: Option<&SharedCredentialsProvider>) -> Option<String> {
    let Some(provider) = credentials else {
        return Some("No source of credentials is configured.".to_owned());
    };
    let error = provider.provide_credentials().await.err()?;
    Some(with_causes(&error))
}
