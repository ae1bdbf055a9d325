//! Calls with several entries, of which some fail and others are done.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A call without its first entry, or nothing, if it has no other; and that entry.
///
/// # Panics
/// It is not a call with entries.
pub(super) fn split(operation: &str, body: &[u8]) -> (Option<Bytes>, Value) {
    let mut call: Value = serde_json::from_slice(body).expect("a call in JSON");
    let (entries, table) = match operation {
        "PutEvents" | "SendMessageBatch" | "DeleteMessageBatch" => (&mut call["Entries"], None),
        "BatchWriteItem" | "BatchGetItem" => {
            let tables = call["RequestItems"].as_object_mut().expect("tables");
            let (table, entries) = tables.iter_mut().next().expect("a table");
            let entries = if operation == "BatchGetItem" {
                &mut entries["Keys"]
            } else {
                entries
            };
            (entries, Some(table.clone()))
        }
        other => panic!("{other} has no entries"),
    };
    let entries = entries.as_array_mut().expect("entries");
    let first = entries.remove(0);
    let others = (!entries.is_empty()).then(|| Bytes::from(call.to_string()));
    (others, json!({ "entry": first, "table": table }))
}

/// The answer to a call without entries.
pub(super) fn nothing() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (StatusCode::OK, headers, json!({}).to_string()).into_response()
}

/// An answer in which the entry that was taken out has failed.
pub(super) async fn join(operation: &str, answer: Response, failed: Value) -> Response {
    let (mut head, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut answer: Value = serde_json::from_slice(&body).expect("an answer in JSON");
    let (entry, table) = (&failed["entry"], failed["table"].as_str().unwrap_or_default());
    let first = |list: &mut Value, entry: Value| {
        let mut all = list.as_array().cloned().unwrap_or_default();
        all.insert(0, entry);
        *list = Value::Array(all);
    };
    match operation {
        "PutEvents" => {
            let why = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "as the test wants it" });
            first(&mut answer["Entries"], why);
            answer["FailedEntryCount"] = json!(answer["FailedEntryCount"].as_u64().unwrap_or(0) + 1);
        }
        "SendMessageBatch" | "DeleteMessageBatch" => {
            let why = json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false });
            first(&mut answer["Failed"], why);
            if answer["Successful"].is_null() {
                answer["Successful"] = json!([]);
            }
        }
        "BatchWriteItem" => first(&mut answer["UnprocessedItems"][table], entry.clone()),
        _ => {
            first(&mut answer["UnprocessedKeys"][table]["Keys"], entry.clone());
            if answer["Responses"].is_null() {
                answer["Responses"] = json!({ table: [] });
            }
        }
    }
    head.headers.remove(header::CONTENT_LENGTH);
    // A checksum of what it said before.
    head.headers.remove("x-amz-crc32");
    Response::from_parts(head, Body::from(answer.to_string()))
}
