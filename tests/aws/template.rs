//! `deploy/cutover.yaml`, as AWS's own linter sees it.

use std::process::Stdio;

use pipeline::rule::Rules;
use serde_json::{Value, json};
use tests::deployment::{Account, TEMPLATE};
use tests::sdk::python;
use tests::server::Setup;
use tests::wait::eventually;
use tokio::process::Command;

#[tokio::test]
async fn the_linter_finds_nothing() {
    let output = Command::new(python().with_file_name("cfn-lint"))
        .arg(TEMPLATE)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("cfn-lint, which scripts/setup.sh test installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The rules that are deployed are the pipeline's own, as EventBridge writes them.
#[tokio::test]
async fn the_rules_are_the_pipelines() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let consumers = eventually("the consumers are listed", async || {
        let reply = server.site.get("/api/v1/consumers").await;
        if reply.status == 200 { Ok(reply.json()) } else { Err(reply.text()) }
    })
    .await;
    for consumer in consumers["items"].as_array().expect("consumers") {
        let name = consumer["name"].as_str().expect("a name");
        let deployed: Value = serde_json::from_str(consumer["rules"][0][1].as_str().expect("a rule")).expect("JSON");
        let rules = Rules::default();
        let own = rules.all().iter().find(|rule| rule.consumer == name).expect("a rule");
        let own: Value = serde_json::from_str(&own.pattern.to_string()).expect("JSON");
        // Any source at all: EventBridge has several ways to say it.
        let everything =
            |pattern: &Value| *pattern == json!({ "source": [{ "exists": true }] }) || *pattern == json!({ "source": [{ "prefix": "" }] });
        assert!(
            deployed == own || everything(&deployed) && everything(&own),
            "{name}: {deployed} is not {own}"
        );
    }
}
