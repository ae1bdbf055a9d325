//! Which consumers take an event, worked out from the design's table, apart from the product's own rules.

use serde_json::Value;

/// The consumers that `event` goes to, in order of name.
#[must_use]
pub fn consumers(event: &Value) -> Vec<&'static str> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, source, data) = (text(&event["eventType"]), text(&event["source"]), &event["data"]);
    let (processed, status) = (kind == "file.processed", text(&data["processingStatus"]));
    let recomputes = matches!(
        kind.as_str(),
        "transactions.created" | "transaction.updated" | "transactions.deleted" | "account.created" | "account.updated" | "account.deleted"
    );
    let analytics = matches!(source.as_str(), "transaction.service" | "account.service") && (recomputes || processed && status != "failed");
    let categorization = processed && status == "success" && data["transactionCount"].as_u64() > Some(0)
        || kind == "transactions.created"
        || kind == "category.rule_created" && data["autoApply"] == true;
    let notification =
        processed && status == "failed" || kind == "transactions.deleted" && data["deletionType"] == "bulk" || kind == "account.deleted";
    let all = [
        (analytics, "analytics"),
        (true, "audit"),
        (categorization, "categorization"),
        (notification, "notification"),
    ];
    all.into_iter().filter_map(|(takes, name)| takes.then_some(name)).collect()
}
