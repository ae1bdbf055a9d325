//! Publishers that read the flags from the environment of their function.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tests::between::{Between, Call, Fate};
use tests::browser::Browser;
use tests::deployment::{Account, PREFIX, function_at};
use tests::server::Setup;
use tests::wait::eventually;

fn writes(call: &Call) -> bool {
    call.service == "lambda" && call.operation.starts_with("PUT ") && call.operation.ends_with("/configuration")
}

// More than one thread: what comes between waits for somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_written_to_functions_and_drift_is_shown_and_mended() {
    let account = Account::deployed().await;
    let both = |rest: &str| json!({ "TABLE": rest, "ENABLE_EVENT_PUBLISHING": "true", "ENABLE_DIRECT_TRIGGERS": "true" });
    account.function("file-processor", &both("files")).await;
    account.function("accounts", &json!({ "TABLE": "accounts" })).await;
    let between = Between::of(account.endpoint()).await;
    let functions = json!([format!("{PREFIX}-file-processor"), { "function": format!("{PREFIX}-accounts"), "source": "account.service" }]);
    // As the environment writes what TOML would.
    let functions = functions.to_string().replace("\":", "\"=");
    let ours = |setup: Setup| setup.env("CUTOVER_AWS__FLAG_FUNCTIONS", functions.clone());
    let server = ours(Setup::new().at(between.endpoint())).start().await;
    let browser = Browser::open(&server.site).await;
    browser.visit("/cutover").await;
    let table = "section.functions";
    browser.says(table, "as account.service").await;

    // Somebody else's update comes first, between the reading and the writing: what is written then is made from what is there then.
    let (written, endpoint) = (AtomicUsize::new(0), account.endpoint().to_owned());
    between.set(move |call| {
        if writes(call) && call.operation.contains("accounts") && written.fetch_add(1, Ordering::Relaxed) == 0 {
            function_at(&endpoint, "accounts", &json!({ "TABLE": "accounts-2" }));
        }
        Fate::Answered
    });
    let row = "table.flags tbody tr:first-child";
    browser.click(&format!("{row} summary")).await;
    browser
        .click(&format!("{row} label.choice:has(input[value=\"events only\"])"))
        .await;
    browser.type_into("#flag-reason-global", "the target").await;
    browser.click(&format!("{row} label.choice:has(input[name=confirmed])")).await;
    browser.click(&format!("{row} button.main")).await;
    browser.says(".said-done", "All 2 functions").await;
    for (name, table) in [("file-processor", "files"), ("accounts", "accounts-2")] {
        assert_eq!(
            account.environment(name).await,
            json!({ "TABLE": table, "ENABLE_EVENT_PUBLISHING": "true", "ENABLE_DIRECT_TRIGGERS": "false" }),
            "{name}"
        );
    }

    // A deployment takes it back for one of them; writing it again is denied, and then it isn't.
    account.function("file-processor", &both("files")).await;
    between.set(|call| {
        if writes(call) {
            Fate::Refused(403, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
    browser.says(table, "One function does not do what the flags say").await;
    let check = ours(Setup::new().at(between.endpoint())).check().await;
    assert!(
        check.stdout.contains("t-1-file-processor") && check.stdout.contains("This publisher does something else than the flags say"),
        "{check:?}"
    );
    let write = json!({ "reason": "a deployment took it back" });
    let denied = server.site.put("/api/v1/flags/functions", &write).await.json();
    let fault = denied["items"][0]["fault"].as_str().unwrap_or_default();
    assert!(
        fault.contains("UpdateFunctionConfiguration of t-1-file-processor") && fault.contains("AccessDenied"),
        "{denied}"
    );
    assert_eq!(denied["items"][1]["fault"], json!(null), "{denied}");
    between.heal();
    browser.click(&format!("{table} summary")).await;
    browser.type_into("#functions-reason", "a deployment took it back").await;
    browser.click(&format!("{table} label.choice")).await;
    browser.click(&format!("{table} button.main")).await;
    browser.says(".said-done", "All 2 functions").await;
    // The same words stood there before.
    eventually("it is written", async || {
        account.environment("file-processor").await["ENABLE_DIRECT_TRIGGERS"] == "false"
    })
    .await;
    let activity = server.site.json("/api/v1/activity").await.to_string();
    assert!(
        activity.contains("Not written to the environment of t-1-file-processor"),
        "{activity}"
    );

    // What can't be read is not written: the variables would be gone.
    let before = account.environment("accounts").await;
    between.set(|call| {
        let reads = call.operation.starts_with("GET ") && call.operation.ends_with("t-1-accounts/configuration");
        if reads {
            Fate::Refused(403, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
    let wish = json!({ "publishing": true, "direct": true, "reason": "back", "expected_version": 1 });
    assert_eq!(server.site.put("/api/v1/flags", &wish).await.status, 200);
    browser.says(table, "t-1-accounts").await;
    browser.says(table, "not known").await;
    between.heal();
    assert_eq!(account.environment("accounts").await, before);
    assert_eq!(account.environment("file-processor").await["ENABLE_DIRECT_TRIGGERS"], "true");
    browser.close().await;
}
