//! `deploy/`: the template, as AWS's own linter sees it, and the Terraform module, which makes the same.

mod formation;
mod function;
mod image;
mod kind;
mod permitted;
mod resource;
mod terraform;
mod translation;

use std::collections::BTreeMap;
use std::process::Stdio;

use pipeline::aws::Names;
use pipeline::aws::schema::{Attribute, Key, OWN_TABLES};
use pipeline::rule::Rules;
use serde_json::{Value, json};
use tests::deployment::{Account, TEMPLATE};
use tests::sdk::python;
use tests::server::Setup;
use tokio::process::Command;

use image::Image;
pub(crate) use permitted::Permitted;
use resource::Made;

/// The module.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/terraform");
/// What a dashboard needs.
const DASHBOARD: [(&str, &str); 12] = [
    ("Image", "registry/cutover:1"),
    ("Host", "cutover.example.com"),
    ("Certificate", "arn:certificate"),
    ("Vpc", "vpc-1"),
    ("Subnets", "subnet-1,subnet-2"),
    ("AllowedCidr", "10.0.0.0/8"),
    ("OidcIssuer", "https://id.example.com"),
    ("OidcAuthorizationEndpoint", "https://id.example.com/authorize"),
    ("OidcTokenEndpoint", "https://id.example.com/token"),
    ("OidcUserInfoEndpoint", "https://id.example.com/userinfo"),
    ("OidcClientId", "cutover"),
    ("OidcClientSecret", "cutover-oidc"),
];

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

/// A longer one would have to be put into a bucket first.
#[test]
fn the_template_fits_into_a_call() {
    let size = template().len();
    assert!(size <= 51_200, "{size} bytes");
}

/// The rules that are deployed are the pipeline's own, as EventBridge writes them.
#[tokio::test]
async fn the_rules_are_the_pipelines() {
    let account = Account::deployed().await;
    let server = Setup::new().over(&account).start().await;
    let consumers = server.site.json("/api/v1/consumers").await;
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

/// The template and the module make the same, whatever they are asked for.
#[test]
fn terraform_makes_what_cloudformation_makes() {
    let others: [&[(&str, &str)]; 4] = [
        &[],
        &[("Pipeline", "no"), ("Prefix", "t-1")],
        &[
            ("Role", "operator"),
            ("AlarmTopic", "arn:topic"),
            ("Webhook", "https://example.org/hook"),
            ("FlagFunctions", "arn:one,arn:two"),
        ],
        &[("Pipeline", "no"), ("Role", "operator"), ("Scheme", "internet-facing")],
    ];
    for other in others {
        for dashboard in [&[][..], &DASHBOARD] {
            let given = [other, dashboard].concat();
            let (formation, terraform) = (formation::made(&template(), &given), planned(&module(), &given));
            assert!(formation.resources.len() > 15, "{given:?}: {:?}", formation.resources.keys());
            let differences = formation.differences(&terraform);
            assert!(differences.is_empty(), "with {given:?}:\n{}", differences.join("\n"));
        }
    }
}

/// What the task relies on is what the container file makes: nothing here can build it.
#[test]
fn the_image_is_what_the_task_runs() {
    let image = Image::read(include_str!("../../deploy/Containerfile"));
    let given = [&DASHBOARD[..], &[("Role", "operator")]].concat();
    let made = formation::made(&template(), &given);
    let task = &made.resources["Task"].properties["ContainerDefinitions"][0];

    assert_eq!(
        (image.only("FROM"), image.only("ENTRYPOINT"), image.only("CMD")),
        ("scratch", r#"["/cutover"]"#, r#"["serve"]"#)
    );
    let user = image.only("USER").split(':').next();
    assert_eq!(user, task["User"].as_str());
    assert_eq!(image.only("EXPOSE"), task["PortMappings"][0]["ContainerPort"].to_string());
    let volume = image.only("VOLUME");
    assert_eq!(Some(volume), task["MountPoints"][0]["ContainerPath"].as_str());
    // All that is written is in the volume: the rest is read-only.
    let environment = image.environment();
    assert_eq!(
        environment.keys().copied().collect::<Vec<_>>(),
        ["CUTOVER_EMBEDDED__DATA", "SQLITE_TMPDIR"]
    );
    assert!(environment.values().all(|path| *path == volume), "{environment:?}");

    // The binary and its certificates come from what was made before, and the binary is built as `make dist` builds it.
    for (from, to) in image.copies() {
        assert!(from.starts_with("/image/") && image.build.contains(from), "{from} is not made");
        assert!(["/cutover", "/data", "/etc"].contains(&to), "{to}");
    }
    let makefile = include_str!("../../Makefile");
    let target = makefile
        .lines()
        .find_map(|line| line.strip_prefix("STATIC := "))
        .expect("the target");
    for part in [
        &format!("--target {target}"),
        "--locked --release --package server",
        "make site",
        "musl-tools",
    ] {
        assert!(image.build.contains(part), "{part}: {}", image.build);
    }
}

/// That nobody tells how the criteria stand is told by what is missing, where a dashboard of the stack's should.
#[test]
fn silence_is_heard() {
    let made = |role| {
        formation::made(
            &template(),
            &[&DASHBOARD[..], &[("Role", role), ("AlarmTopic", "arn:topic")]].concat(),
        )
    };
    let operator = made("operator");
    let alarm = &operator.resources["CriteriaUntoldAlarm"].properties;
    let said = ["Namespace", "MetricName", "Statistic", "ComparisonOperator", "TreatMissingData"]
        .map(|name| alarm[name].as_str().unwrap_or_default());
    assert_eq!(said, ["Cutover", "CriteriaTold", "SampleCount", "LessThanThreshold", "breaching"]);
    assert_eq!(alarm["AlarmActions"], json!(["arn:topic"]));
    // Longer than the minute between two times that it is told.
    let seconds = |name: &str| alarm[name].to_string().parse::<u64>().expect("a number");
    assert!(seconds("Period") * seconds("EvaluationPeriods") >= 180);
    assert!(
        !made("viewer").resources.contains_key("CriteriaUntoldAlarm"),
        "one that only looks tells nothing"
    );
}

/// The tables that `cutover aws init` makes, and that a look at a deployment compares, are the template's.
#[test]
fn cutovers_own_tables_are_the_templates() {
    let made = formation::made(&template(), &[("Pipeline", "no")]);
    let tables = made.resources.values().filter(|resource| resource.kind == "AWS::DynamoDB::Table");
    let mut tables: BTreeMap<String, Value> = tables
        .map(|table| {
            let name = table.properties["TableName"].as_str().expect("a name").to_owned();
            (name, Value::Object(table.properties.clone()))
        })
        .collect();
    let key = |key: &Key| {
        let element = |attribute: Attribute, kind: &str| json!({ "AttributeName": attribute.name, "KeyType": kind });
        let partition = element(key.partition, "HASH");
        json!(
            std::iter::once(partition)
                .chain(key.sort.map(|sort| element(sort, "RANGE")))
                .collect::<Vec<_>>()
        )
    };
    for schema in &OWN_TABLES {
        let name = schema.name(&Names::of("housef3-dev"));
        let table = tables.remove(&name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(table["KeySchema"], key(&schema.key), "{name}");
        let indexes = table["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
        assert_eq!(indexes.len(), schema.indexes.len(), "{name}");
        for (index, over) in schema.indexes {
            let deployed = indexes.iter().find(|deployed| deployed["IndexName"] == *index).expect(index);
            assert_eq!(
                (&deployed["KeySchema"], &deployed["Projection"]["ProjectionType"]),
                (&key(over), &json!("ALL")),
                "{name}"
            );
        }
        let defined = table["AttributeDefinitions"].as_array().expect("attributes");
        let attributes = std::iter::once(&schema.key).chain(schema.indexes.iter().map(|(_, key)| key));
        for attribute in attributes.flat_map(|key| std::iter::once(key.partition).chain(key.sort)) {
            let kind = if attribute.is_number { "N" } else { "S" };
            assert!(
                defined.contains(&json!({ "AttributeName": attribute.name, "AttributeType": kind })),
                "{name}: {defined:?}"
            );
        }
        assert_eq!(table["TimeToLiveSpecification"]["Enabled"] == json!(true), schema.expires, "{name}");
        let protected = &table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        assert_eq!(*protected != json!(true), schema.disposable, "{name}");
    }
    assert!(tables.is_empty(), "{:?}", tables.keys());
}

/// And it would be seen if they didn't.
#[test]
fn a_difference_is_found_and_named() {
    let terraform = planned(&module(), &DASHBOARD);
    for (from, to, wanted) in [
        (
            "Count: 5",
            "Count: 4",
            r#"AnalyticsQueue.RedrivePolicy.maxReceiveCount: "4" and "5""#,
        ),
        (
            "ttl, Enabled: true",
            "ttl, Enabled: false",
            "EventStore.TimeToLiveSpecification.Enabled: ",
        ),
        (
            "      MessageRetentionPeriod: 345600\n",
            "",
            r#"AnalyticsQueue.MessageRetentionPeriod: null and "345600""#,
        ),
        (
            "deletionType: [bulk]",
            "deletionType: [each]",
            "NotificationRule.EventPattern.$or: ",
        ),
        (
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "OperatorPolicy.PolicyDocument.Statement: ",
        ),
        (
            "cloudwatch:namespace",
            "cloudwatch:name",
            "OperatorPolicy.PolicyDocument.Statement: ",
        ),
        ("Value: data_loss", "Value: loss", "DataLossCriterionAlarm.Dimensions: "),
        (r#"User: "65532""#, r#"User: "0""#, "Task.ContainerDefinitions: "),
        ("Type: authenticate-oidc", "Type: fixed-response", "Listener.DefaultActions: "),
        (
            "CidrIp: !Ref AllowedCidr",
            "CidrIp: 0.0.0.0/0",
            "BalancerGroup.SecurityGroupIngress: ",
        ),
        (
            "    DeletionPolicy: RetainExceptOnCreate\n",
            "",
            r#"EventStore.Kept: null and "true""#,
        ),
        (
            "    Value: !Ref OperatorPolicy",
            "    Value: !Ref ViewerPolicy",
            "Outputs.OperatorPolicy: ",
        ),
        ("Default: cutover-consumer.zip", "Default: consumer.zip", "Parameters.CodeKey: "),
    ] {
        let given = [&DASHBOARD[..], &[("CodeKey", "cutover-consumer.zip")]].concat();
        let differences = formation::made(&template().replacen(from, to, 1), &given).differences(&terraform);
        let [only] = differences.as_slice() else {
            panic!("{from}: {differences:#?}")
        };
        assert!(only.starts_with(wanted), "{only} is not {wanted}");
    }
    let mut formation = formation::made(&template(), &DASHBOARD);
    formation.resources.remove("Facets");
    assert_eq!(formation.differences(&terraform), ["Facets: only in the second"]);
    assert_eq!(terraform.differences(&formation), ["Facets: only in the first"]);
}

fn template() -> String {
    std::fs::read_to_string(TEMPLATE).expect("the template")
}

fn module() -> Vec<String> {
    let files = std::fs::read_dir(MODULE)
        .expect("the module")
        .map(|file| file.expect("a file").path());
    let files = files.filter(|file| file.extension().is_some_and(|kind| kind == "tf"));
    files.map(|file| std::fs::read_to_string(file).expect("a file")).collect()
}

fn planned(module: &[String], given: &[(&str, &str)]) -> Made {
    let given: Vec<(String, &str)> = given.iter().map(|(name, value)| (snake(name), *value)).collect();
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    translation::made(terraform::module(module, &given))
}

/// `AllowedCidr` as `allowed_cidr`.
fn snake(name: &str) -> String {
    let letters = name.char_indices().map(|(n, letter)| match letter {
        'A'..='Z' if n > 0 => format!("_{}", letter.to_ascii_lowercase()),
        _ => letter.to_ascii_lowercase().to_string(),
    });
    letters.collect()
}
