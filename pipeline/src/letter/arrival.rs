//! What arrives in a dead-letter queue on AWS, in the shapes that EventBridge, Lambda and SQS give it.
//!
//! | shape | body | attributes |
//! |---|---|---|
//! | EventBridge could not reach a target | the delivered event | `RULE_ARN`, `TARGET_ARN`, `ERROR_CODE`, `ERROR_MESSAGE`, `RETRY_ATTEMPTS` |
//! | an asynchronous invocation gave up | the delivered event | `RequestID`, `ErrorCode`, `ErrorMessage` |
//! | a function's destination for failures | `requestContext`, `requestPayload`, `responsePayload` | none |
//! | a function or a publisher of ours gave up | the delivered event, or whatever it was | those of [`own`] |
//! | a queue's redrive policy: the function that it feeds gave up | the delivered event | none |
//!
//! Anything else is unreadable: it is kept as it is, and never dropped. The shapes are those of
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::event::{Event, Json, envelope};

/// The attributes of what our functions and publishers give up.
pub mod own {
    /// Who gave up.
    pub const CONSUMER: &str = "Cutover.Consumer";
    /// A short name of the kind of error.
    pub const ERROR_CODE: &str = "Cutover.ErrorCode";
    /// What went wrong.
    pub const ERROR_MESSAGE: &str = "Cutover.ErrorMessage";
    /// `true` if trying again can't help.
    pub const PERMANENT: &str = "Cutover.Permanent";
    /// How often it was tried.
    pub const ATTEMPTS: &str = "Cutover.Attempts";
}

/// Which of the shapes a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// EventBridge could not deliver to a target.
    EventBridgeTarget,
    /// A function was invoked asynchronously and failed too often.
    LambdaAsync,
    /// What a function's on-failure destination was sent.
    LambdaDestination,
    /// What a function or a publisher of ours gave up.
    Own,
    /// What a queue moved away, after its consumer had failed as often as it may.
    QueueRedrive,
    /// None of them.
    Unreadable,
}

/// A message of a dead-letter queue, as far as it can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its shape.
    pub shape: Shape,
    /// The event, unless the shape is [`Shape::Unreadable`].
    pub event: Option<Event>,
    /// The name of the function that gave up, where the message says it.
    pub function: Option<String>,
    /// The consumer, or `publisher`, that gave up, where the message says it.
    pub consumer: Option<String>,
    /// Whether trying the same again can't help, as far as the message says.
    pub permanent: bool,
    /// A short name of the kind of error.
    pub error_code: String,
    /// What went wrong.
    pub error_message: String,
    /// How often it was attempted, where the message says it.
    pub attempts: Option<u32>,
}

impl Arrival {
    /// Reads a message by its body and the texts of its attributes.
    #[must_use]
    pub fn read(body: &str, attributes: &BTreeMap<String, String>) -> Self {
        let read = if attributes.contains_key(own::CONSUMER) {
            Ok(ours(body, attributes))
        } else if attributes.contains_key("TARGET_ARN") || attributes.contains_key("RULE_ARN") {
            event_bridge(body, attributes)
        } else if attributes.contains_key("ErrorMessage") || attributes.contains_key("RequestID") {
            lambda_async(body, attributes)
        } else {
            destination(body).or_else(|reason| moved(body).ok_or(reason))
        };
        read.unwrap_or_else(|reason| Self {
            shape: Shape::Unreadable,
            event: None,
            function: attributes.get("TARGET_ARN").and_then(|arn| function(arn)),
            consumer: None,
            permanent: false,
            error_code: "Unreadable".to_owned(),
            error_message: reason,
            attempts: None,
        })
    }
}

/// Ours says what it is of; the event may be one that nobody can read, which is why it was given up.
fn ours(body: &str, attributes: &BTreeMap<String, String>) -> Arrival {
    let text = |name: &str| attributes.get(name).cloned();
    Arrival {
        shape: Shape::Own,
        event: one_event(body).ok(),
        function: None,
        consumer: text(own::CONSUMER),
        permanent: text(own::PERMANENT).is_some_and(|word| word == "true"),
        error_code: text(own::ERROR_CODE).unwrap_or_else(|| "Unknown".to_owned()),
        error_message: text(own::ERROR_MESSAGE).unwrap_or_else(|| "no reason was given".to_owned()),
        attempts: text(own::ATTEMPTS).and_then(|n| n.parse().ok()),
    }
}

fn event_bridge(body: &str, attributes: &BTreeMap<String, String>) -> Result<Arrival, String> {
    let text = |name: &str| attributes.get(name).cloned();
    Ok(Arrival {
        shape: Shape::EventBridgeTarget,
        event: Some(one_event(body)?),
        function: text("TARGET_ARN").and_then(|arn| function(&arn)),
        consumer: None,
        permanent: false,
        error_code: text("ERROR_CODE").unwrap_or_else(|| "Unknown".to_owned()),
        error_message: text("ERROR_MESSAGE")
            .or_else(|| text("EXHAUSTED_RETRY_CONDITION"))
            .unwrap_or_else(|| "EventBridge gave no reason".to_owned()),
        // The first attempt is not among its retries.
        attempts: text("RETRY_ATTEMPTS").and_then(|n| n.parse::<u32>().ok()).map(|n| n + 1),
    })
}

fn lambda_async(body: &str, attributes: &BTreeMap<String, String>) -> Result<Arrival, String> {
    let text = |name: &str| attributes.get(name).cloned();
    let message = text("ErrorMessage").unwrap_or_else(|| "the function gave no reason".to_owned());
    // The code is an HTTP status, 200 for a function that failed by itself; the message begins with the error's type.
    let named = message
        .split_once(": ")
        .map(|(kind, _)| kind)
        .filter(|kind| !kind.contains(char::is_whitespace));
    Ok(Arrival {
        shape: Shape::LambdaAsync,
        event: Some(one_event(body)?),
        function: None,
        consumer: None,
        permanent: false,
        error_code: named
            .map(ToOwned::to_owned)
            .or_else(|| text("ErrorCode"))
            .unwrap_or_else(|| "Unknown".to_owned()),
        error_message: message,
        attempts: None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    request_context: RequestContext,
    request_payload: Json,
    #[serde(default)]
    response_payload: Option<ResponsePayload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    function_arn: Option<String>,
    #[serde(default)]
    condition: Option<String>,
    #[serde(default)]
    approximate_invoke_count: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponsePayload {
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default)]
    error_type: Option<String>,
}

fn destination(body: &str) -> Result<Arrival, String> {
    let record: Destination = serde_json::from_str(body).map_err(|e| format!("none of the known shapes: {e}"))?;
    let (context, response) = (record.request_context, record.response_payload.unwrap_or_default());
    let condition = context.condition.unwrap_or_else(|| "Unknown".to_owned());
    Ok(Arrival {
        shape: Shape::LambdaDestination,
        event: Some(one_event(record.request_payload.text())?),
        function: context.function_arn.as_deref().and_then(function),
        consumer: None,
        permanent: false,
        error_code: response.error_type.unwrap_or_else(|| condition.clone()),
        error_message: response.error_message.unwrap_or(condition),
        attempts: context.approximate_invoke_count,
    })
}

/// What the consumer was handed, of a letter's body: the body itself, or what a function's destination was told of.
#[must_use]
pub fn payload_of(body: &str) -> String {
    serde_json::from_str::<Destination>(body).map_or_else(|_| body.to_owned(), |told| told.request_payload.text().to_owned())
}

/// A queue says nothing of the reason; the function's log does.
fn moved(body: &str) -> Option<Arrival> {
    Some(Arrival {
        shape: Shape::QueueRedrive,
        event: Some(one_event(body).ok()?),
        function: None,
        consumer: None,
        permanent: false,
        error_code: "GaveUp".to_owned(),
        error_message: "the consumer failed as often as its queue lets it; its log has the errors".to_owned(),
        attempts: None,
    })
}

fn one_event(body: &str) -> Result<Event, String> {
    let mut events = envelope::parse(body).map_err(|fault| fault.to_string())?;
    match (events.pop(), events.is_empty()) {
        (Some(event), true) => Ok(event),
        _ => Err("not exactly one event".to_owned()),
    }
}

/// The function's name in its ARN, without version or alias.
fn function(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once(":function:")?;
    rest.split(':').next().filter(|name| !name.is_empty()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_without_their_version() {
        let arn = "arn:aws:lambda:eu-west-2:123456789012:function:housef3-dev-analytics-consumer";
        for arn in [arn.to_owned(), format!("{arn}:$LATEST")] {
            assert_eq!(function(&arn).as_deref(), Some("housef3-dev-analytics-consumer"));
        }
        assert_eq!(function("arn:aws:sqs:eu-west-2:123456789012:queue"), None);
    }

    #[test]
    fn whatever_else_arrives_is_unreadable_with_a_reason() {
        for body in ["", "null", "{}", "[1,2]", "{\"requestContext\":{},\"requestPayload\":{}}", "\u{0}"] {
            let arrival = Arrival::read(body, &BTreeMap::new());
            assert_eq!((arrival.shape, arrival.event), (Shape::Unreadable, None), "{body:?}");
            assert!(!arrival.error_message.is_empty());
        }
    }
}
