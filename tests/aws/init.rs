//! `cutover aws init`: Cutover's own tables, made without the template.

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::deployment::{Account, CREDENTIALS, PREFIX, REGION};
use tests::server::{Ended, Setup, command, run};

const TABLES: [&str; 10] = [
    "activity",
    "facets",
    "flags",
    "ledger",
    "letters",
    "notifications",
    "operation-items",
    "operations",
    "totals",
    "triggers",
];

async fn init(account: &Account, prefix: &str, arguments: &[&str]) -> Ended {
    let directory = TempDir::new().expect("a directory");
    let mut init = command(directory.path(), ["aws", "init"].iter().chain(arguments));
    init.envs(CREDENTIALS).envs([
        ("CUTOVER_AWS__ENDPOINT", account.endpoint()),
        ("CUTOVER_AWS__REGION", REGION),
        ("CUTOVER_AWS__PREFIX", prefix),
    ]);
    run(init).await
}

/// What a table is like, whatever it is called and whenever it was made; of lists, the order aside.
async fn described(account: &Account, prefix: &str, name: &str) -> Value {
    let table = json!({ "TableName": format!("{prefix}-cutover-{name}") });
    let description = account.call("dynamodb", "describe_table", &table).await["Table"].clone();
    let sorted = |value: &Value| {
        let mut all = value.as_array().cloned().unwrap_or_default();
        all.sort_by_key(Value::to_string);
        all
    };
    let index = |index: &Value| json!([index["IndexName"], index["KeySchema"], index["Projection"]]);
    let indexes: Vec<Value> = sorted(&description["GlobalSecondaryIndexes"]).iter().map(index).collect();
    json!({
        "key": description["KeySchema"],
        "attributes": sorted(&description["AttributeDefinitions"]),
        "indexes": indexes,
        "billing": description["BillingModeSummary"]["BillingMode"],
    })
}

#[tokio::test]
async fn init_makes_what_the_template_makes_and_only_what_is_missing() {
    let account = Account::deployed().await;
    // It says what it will do, and does nothing unless it is told to.
    let asked = init(&account, "other", &[]).await;
    assert_eq!((asked.code, asked.first_line().contains("--yes")), (Some(1), true), "{asked:?}");
    for name in TABLES {
        assert!(
            asked.stdout.contains(&format!("create the table other-cutover-{name},")),
            "{name}: {asked:?}"
        );
    }
    assert!(asked.stdout.contains("there is no event store other-event-store"), "{asked:?}");
    let listed = account.call("dynamodb", "list_tables", &json!({})).await.to_string();
    assert!(!listed.contains("other-"), "{listed}");

    let made = init(&account, "other", &["--yes"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    for name in TABLES {
        assert_eq!(
            described(&account, "other", name).await,
            described(&account, PREFIX, name).await,
            "{name}"
        );
    }
    let ttl = account
        .call(
            "dynamodb",
            "describe_time_to_live",
            &json!({ "TableName": "other-cutover-triggers" }),
        )
        .await;
    assert_eq!(ttl["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED", "{ttl}");
    let backups = account
        .call(
            "dynamodb",
            "describe_continuous_backups",
            &json!({ "TableName": "other-cutover-letters" }),
        )
        .await;
    let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"];
    assert_eq!(recovery, "ENABLED", "{backups}");
    let again = init(&account, "other", &["--yes"]).await;
    assert_eq!((again.code, again.stdout.contains("nothing to do")), (Some(0), true), "{again:?}");

    // What one table lacks is added to it; the others stay.
    let without = json!({
        "TableName": "third-cutover-letters",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    account.call("dynamodb", "create_table", &without).await;
    let mended = init(&account, "third", &["--yes"]).await;
    assert_eq!(mended.code, Some(0), "{mended:?}");
    assert!(
        mended
            .stdout
            .contains("done: add the index StatusFailedAtIndex to third-cutover-letters"),
        "{mended:?}"
    );
    assert!(!mended.stdout.contains("create the table third-cutover-letters"), "{mended:?}");
    assert_eq!(
        described(&account, "third", "letters").await,
        described(&account, PREFIX, "letters").await
    );

    // Somebody else's table is left alone.
    let foreign = json!({
        "TableName": "fourth-cutover-flags",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "whatever", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "whatever", "KeyType": "HASH" }],
    });
    account.call("dynamodb", "create_table", &foreign).await;
    let refused = init(&account, "fourth", &["--yes"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("fourth-cutover-flags") && refused.stderr.contains("aws.own_tables"),
        "{refused:?}"
    );
    let listed = account.call("dynamodb", "list_tables", &json!({})).await.to_string();
    assert!(!listed.contains("fourth-cutover-letters"), "{listed}");

    // The dashboard works with what was made.
    let check = Setup::new()
        .over(&account)
        .env("CUTOVER_AWS__OWN_TABLES", "other-cutover")
        .check()
        .await;
    assert_eq!(check.code, Some(0), "{check:?}");
}
