//! Measurements, from what the functions log to the charts and criteria, and what reading them costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::browser::Browser;
use tests::data::{PUT_EVENTS, sent};
use tests::deployment::{Account, PREFIX};
use tests::endpoint::Endpoint;
use tests::server::Setup;
use tests::wait::{PATIENCE, eventually, within};

/// A consumer as the API has it; its counts are null while the measurements are being read for the first time.
async fn consumer(site: &Endpoint, name: &str) -> Value {
    let all = site.json("/api/v1/consumers").await;
    let items = all["items"].as_array().expect("items");
    items.iter().find(|item| item["name"] == name).expect("the consumer").clone()
}

/// A metric with a value for each of the last minutes, the newest two minutes ago.
fn metric(namespace: &str, dimensions: &Value, name: &str, values: &[&[f64]]) -> String {
    let points: Vec<Value> = values.iter().enumerate().map(|(n, values)| json!([120 + 60 * n, values])).collect();
    json!({ "namespace": namespace, "dimensions": dimensions, "name": name, "points": points }).to_string() + "\n"
}

#[tokio::test]
async fn what_the_functions_measure_reaches_the_criteria_and_the_charts() {
    let account = Account::deployed().await;
    assert_eq!(account.put_events(PUT_EVENTS).await.failed, 0);
    let events = sent().len() as u64;
    account.measure("audit", sent().len()).await;
    let server = Setup::new().over(&account).start().await;
    eventually("all attempts are counted", async || {
        let audit = consumer(&server.site, "audit").await;
        let counted = audit["processed"].as_u64().unwrap_or(0) + audit["failed"].as_u64().unwrap_or(0);
        if counted == events {
            Ok(())
        } else {
            Err(format!("{counted} of {events}"))
        }
    })
    .await;
    let audit = consumer(&server.site, "audit").await;
    assert_eq!((&audit["health"], &audit["in_flight"]), (&json!("healthy"), &json!(0)), "{audit}");
    assert_eq!(audit["retrying"], 0, "the ledger of our own functions knows");
    let p99 = audit["p99"].as_f64().expect("a percentile, as soon as one was measured");
    assert!(p99 > 0.0 && p99 < 30.0, "{p99} s");
    let rules = audit["rules"].as_array().expect("rules");
    assert_eq!(rules[0][0], format!("{PREFIX}-audit"), "the rule as it is deployed");

    // Percentiles over a day are asked for after the minutes.
    eventually("the criteria are known", async || {
        let overview = server.site.json("/api/v1/overview").await;
        let criterion = |id: &str| {
            let all = overview["criteria"].as_array().expect("criteria").iter();
            all.clone().find(|c| c["id"] == id).expect("the criterion")
        };
        let known = ["error_rate", "latency", "audit"].map(|id| criterion(id)["status"] == "passing");
        if known == [true; 3] && criterion("error_rate")["value"] == 0.0 && criterion("data_loss")["samples"] == events {
            Ok(())
        } else {
            Err(overview.to_string())
        }
    })
    .await;

    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    browser.says("main .source", "Measured by CloudWatch").await;
    browser.says("main .source", "at most $2.00").await;
    browser.says("main table.consumers", "healthy").await;
    browser.open_path("/consumers/audit").await;
    browser.says("main", "Latency").await;
    browser.close().await;
}

#[tokio::test]
async fn a_consumer_that_does_not_count_itself_is_known_by_its_functions_runs() {
    let account = Account::deployed().await;
    let function = json!({ "FunctionName": format!("{PREFIX}-analytics-consumer") });
    let rule = json!({ "EventBusName": format!("{PREFIX}-events"), "RuleName": format!("{PREFIX}-analytics-events") });
    let runs = [
        metric("AWS/Lambda", &function, "Invocations", &[&[50.0], &[40.0], &[10.0]]),
        metric("AWS/Lambda", &function, "Errors", &[&[5.0], &[0.0], &[0.0]]),
        metric("AWS/Lambda", &function, "AsyncEventAge", &[&[61_000.0], &[2_000.0], &[2_000.0]]),
        metric("AWS/Events", &rule, "MatchedEvents", &[&[50.0], &[40.0], &[10.0]]),
    ];
    account.put_metrics(&runs.concat()).await;
    let server = Setup::new().over(&account).start().await;
    eventually("the runs are read", async || {
        let analytics = consumer(&server.site, "analytics").await;
        if analytics["processed"] == 95 && analytics["failed"] == 5 {
            Ok(())
        } else {
            Err(analytics.to_string())
        }
    })
    .await;
    let analytics = consumer(&server.site, "analytics").await;
    assert_eq!(
        (&analytics["health"], &analytics["p99"]),
        (&json!("failing"), &Value::Null),
        "published to processed is not known"
    );
    assert_eq!(
        analytics["retrying"],
        Value::Null,
        "a function that is not ours writes nothing down"
    );
    let audit = consumer(&server.site, "audit").await;
    assert_eq!((&audit["health"], &audit["processed"]), (&json!("idle"), &json!(0)));

    let browser = Browser::open(&server.site).await;
    browser.visit("/consumers/analytics?range=1h").await;
    for (measure, overall) in [("Invocations", "100"), ("Age at Lambda", "61 s"), ("Given up", "0")] {
        eventually("the measure is shown", async || {
            let rows = browser.texts("main table.platform tbody tr").await;
            if rows.iter().any(|row| row.contains(measure) && row.contains(overall)) {
                Ok(())
            } else {
                Err(format!("{measure} {overall} in {rows:?}"))
            }
        })
        .await;
    }
    browser.close().await;
}

#[tokio::test]
async fn while_cloudwatch_is_away_what_was_read_stays_and_is_said_to_be_old() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let own = json!({ "Deployment": PREFIX, "Consumer": "audit" });
    let counts = [
        metric("Cutover", &own, "Processed", &[&[70.0], &[30.0]]),
        metric("Cutover", &own, "Failed", &[&[0.0], &[0.0]]),
        metric("Cutover", &own, "Latency", &[&[120.0, 180.0], &[90.0]]),
    ];
    account.put_metrics(&counts.concat()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let read = async |site: &Endpoint| {
        let audit = consumer(site, "audit").await;
        if audit["processed"] == 100 {
            Ok(())
        } else {
            Err(audit.to_string())
        }
    };
    eventually("the counts are read", async || read(&server.site).await).await;
    let data = server.terminate().await.data;

    // After a restart without CloudWatch: the cache knows.
    between.set(|call| match call.service.as_str() {
        "monitoring" => Fate::Refused(400, "ThrottlingException"),
        _ => Fate::Answered,
    });
    let server = Setup::new().at(between.endpoint()).on(data).start().await;
    eventually("what was read is there", async || read(&server.site).await).await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    browser.says("main .stale.measured", "CloudWatch can't be read").await;
    browser.says("main .stale.measured", "ThrottlingException").await;
    browser.says("main table.consumers", "healthy").await;
    between.heal();
    within(PATIENCE * 2, "it recovers by itself", async || {
        browser.texts("main .stale").await.is_empty()
    })
    .await;
    browser.close().await;
}

#[tokio::test]
async fn viewers_cost_nothing_and_the_ceiling_is_kept() {
    let account = Account::deployed().await;
    let between = Between::of(account.endpoint()).await;
    let own = json!({ "Deployment": PREFIX, "Consumer": "audit" });
    account.put_metrics(&metric("Cutover", &own, "Processed", &[&[70.0]])).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    eventually("everything was read once", async || {
        let audit = consumer(&server.site, "audit").await;
        if audit["processed"] == 70 && between.asked("GetMetricData") >= 5 {
            Ok(())
        } else {
            Err(format!("{} calls, {audit}", between.calls("GetMetricData")))
        }
    })
    .await;
    let (began, before) = (Instant::now(), between.asked("GetMetricData"));
    for _ in 0..50 {
        server.site.json("/api/v1/overview").await;
    }
    // A round is at most two calls, and there is one a minute, whoever looks; how long this took is the machine's.
    let rounds = 1 + usize::try_from(began.elapsed().as_secs() / 60).expect("minutes");
    let more = between.asked("GetMetricData") - before;
    assert!(more <= 2 * (rounds + 1), "{more} in {:?}", began.elapsed());
    drop(server);

    // A cent for two hundred days, and for fifty: what is asked for stays within it, call by call, a listing not begun included.
    // What CloudWatch is too slow to answer is paid for as well.
    let late = Fate::Late(Duration::from_secs(4));
    for (dollars, calls, fate) in [
        ("0.00005", 5, Fate::Answered),
        ("0.00018", 18, Fate::Answered),
        ("0.00018", 18, late),
    ] {
        let paid = Arc::new([const { AtomicUsize::new(0) }; 2]);
        let seen = Arc::clone(&paid);
        between.set_by_body(move |call, body| {
            match call.operation.as_str() {
                "ListMetrics" => _ = seen[0].fetch_add(1, Ordering::Relaxed),
                "GetMetricData" => {
                    seen[1].fetch_add(body.matches("MetricStat").count(), Ordering::Relaxed);
                    return fate;
                }
                _ => {}
            }
            Fate::Answered
        });
        let ceiling = Setup::new()
            .at(between.endpoint())
            .env("CUTOVER_AWS__METRICS__DOLLARS_A_DAY", dollars);
        let server = ceiling.start().await;
        eventually("what may be spent is spent", async || {
            server.site.get("/").await.expect(200).text().contains("aws.metrics.dollars_a_day")
        })
        .await;
        drop(server);
        let [listed, asked] = [0, 1].map(|n| paid[n].load(Ordering::Relaxed));
        assert!(
            listed > 0 && (asked > 0) == (calls > 15) && listed + asked <= calls,
            "{listed} listings and {asked} metrics, of {calls}"
        );
    }

    // Nothing may be spent: nothing is asked, and the page says why.
    let calls = || ["DescribeAlarms", "GetMetricData", "ListMetrics"].map(|operation| between.calls(operation));
    let before = calls();
    let server = Setup::new()
        .at(between.endpoint())
        .env("CUTOVER_AWS__METRICS__DOLLARS_A_DAY", "0")
        .start()
        .await;
    let browser = Browser::open(&server.site).await;
    browser.open_path("/").await;
    browser.says("main .stale.measured", "aws.metrics.dollars_a_day").await;
    browser.open_path("/findings").await;
    browser.says("main", "cloudwatch:DescribeAlarms was not tried").await;
    assert!(!browser.text("main").await.contains("interceptor"), "the SDK's own words");
    browser.close().await;
    assert_eq!(calls(), before);
}
