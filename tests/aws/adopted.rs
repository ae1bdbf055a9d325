//! A deployment that was there before: its own audit consumer, its own items.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::between::{Between, Call, Fate};
use tests::browser::Browser;
use tests::data::EVENT_STORE_ITEMS;
use tests::deployment::{Account, PREFIX};
use tests::server::{Cutover, Setup};
use tests::wait::eventually;

use crate::every_page;
use crate::faults::fails;

#[tokio::test]
async fn what_another_audit_consumer_wrote_is_listed_under_every_filter() {
    let account = Account::deployed().await;
    account.put_items(EVENT_STORE_ITEMS).await;
    // Nothing of Cutover's own is there.
    for own in ["facets", "flags", "activity", "letters"] {
        account.delete_table(&format!("cutover-{own}")).await;
    }
    let server = Setup::new().over(&account).start().await;
    let items: Vec<Value> = EVENT_STORE_ITEMS
        .lines()
        .map(|line| serde_json::from_str(line).expect("an item"))
        .collect();
    let expect = |fits: &dyn Fn(&Value) -> bool| {
        let mut ids: Vec<(i64, String)> = items
            .iter()
            .filter(|item| fits(item))
            .map(|item| {
                (
                    item["timestamp"].as_i64().expect("a time"),
                    item["eventId"].as_str().expect("an id").to_owned(),
                )
            })
            .collect();
        ids.sort_by(|a, b| b.cmp(a));
        ids.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    let of = |key: &'static str, value: &str| {
        let value = value.to_owned();
        move |item: &Value| item[key] == value.as_str()
    };
    let text = |item: &Value, key: &str| item[key].as_str().expect(key).to_owned();
    let one = items
        .iter()
        .find(|item| item["correlationId"].is_string())
        .expect("one with a correlation");
    let (event_type, source) = (text(one, "eventType"), text(one, "source"));
    let (user, correlation) = (text(one, "userId"), text(one, "correlationId"));
    let at = one["timestamp"].as_i64().expect("a time");
    let cases: Vec<(String, Vec<String>)> = vec![
        (String::new(), expect(&|_| true)),
        (format!("type={event_type}"), expect(&of("eventType", &event_type))),
        (format!("source={source}"), expect(&of("source", &source))),
        (format!("user={user}"), expect(&of("userId", &user))),
        (format!("correlation={correlation}"), expect(&of("correlationId", &correlation))),
        (
            format!("user={user}&type={event_type}"),
            expect(&|item| of("userId", &user)(item) && of("eventType", &event_type)(item)),
        ),
        (format!("from={at}"), expect(&|item| item["timestamp"].as_i64() >= Some(at))),
        (format!("to={at}"), expect(&|item| item["timestamp"].as_i64() < Some(at))),
        (
            format!("q={}", &text(one, "eventId")[..13]),
            expect(&of("eventId", &text(one, "eventId"))),
        ),
        ("user=nobody".to_owned(), Vec::new()),
    ];
    for (query, expected) in cases {
        for limit in [3, 100] {
            let found = every_page(&server, &query, limit).await;
            let ids: Vec<String> = found.iter().map(|event| text(event, "eventId")).collect();
            assert_eq!(ids, expected, "{query}, {limit} a page");
        }
    }

    // What reading cost is said: one query for each type at most, and half a unit for each.
    let page = server.site.json("/api/v1/events?limit=100").await;
    let capacity = page["capacity"].as_f64().expect("read units");
    assert!((0.5..=100.0).contains(&capacity), "{capacity} read units");
    let one = server.site.json(format!("/api/v1/events?limit=3&user={user}")).await;
    let less = one["capacity"].as_f64().expect("read units");
    assert!(less > 0.0 && less < capacity, "one partition costs less: {less} of {capacity}");

    // The overview goes on without what isn't there, and says so.
    let overview = server.site.json("/api/v1/overview").await;
    assert_eq!(
        (&overview["stage"], overview["criteria"].as_array().map(Vec::len)),
        (&Value::Null, Some(6)),
        "{overview}"
    );
    let browser = Browser::open(&server.site).await;
    browser.visit("/").await;
    browser.says("section[aria-label=Verdict]", "The stage is not known").await;
    browser.close().await;
}

/// Types that no rule names, nobody wrote down and no page has met: in the end they are listed as well. In each of the emulators, which
/// order an index in their own ways.
pub(super) async fn lists_every_type(account: &Account) {
    let item = |n: usize| {
        let kind = ["zebra.seen", "invoice.sent", "Aardvark.seen", "order.placed", "ünïcode.seen"][n % 5];
        json!({
            "eventId": format!("n-{n}"), "eventType": kind, "eventVersion": "1.0", "source": "nobodys.service",
            "userId": format!("u-{}", n % 3), "timestamp": 1_790_000_000_000_i64 + i64::try_from(n * 7 % 30).expect("small"), "eventData": {},
        })
    };
    let items: Vec<String> = (0..30).map(|n| item(n).to_string()).collect();
    account.put_items(&items.join("\n")).await;
    let between = Between::of(account.endpoint()).await;
    let server = Setup::new().at(between.endpoint()).start().await;
    let all = eventually("all are listed", async || {
        let all = every_page(&server, "", 100).await;
        let ours: BTreeSet<String> = all
            .iter()
            .map(|event| event["eventId"].to_string())
            .filter(|id| id.starts_with("\"n-"))
            .collect();
        if ours.len() == items.len() {
            Ok(all)
        } else {
            Err(format!("{ours:?}"))
        }
    })
    .await;
    // An item of each type, and once for all who look; not one of each event. What takes too long is asked again.
    let types: BTreeSet<String> = all.iter().map(|event| event["eventType"].to_string()).collect();
    eventually("the end of the index is seen", async || between.asked("Scan") > types.len()).await;
    server.site.get("/events").await.expect(200);
    assert!(between.asked("Scan") < types.len() + items.len() / 2, "{}", between.asked("Scan"));
}

#[tokio::test]
async fn types_that_nothing_tells_of_are_found_in_the_store() {
    let account = Account::deployed().await;
    account.put_items(EVENT_STORE_ITEMS).await;
    lists_every_type(&account).await;
}

/// Without an audit consumer of ours nobody writes down which types there are. Rules name them, also to one who may not look for them.
#[tokio::test]
async fn types_that_only_a_rule_names_are_listed() {
    let account = Account::deployed().await;
    let rule = json!({
        "Name": format!("{PREFIX}-analytics-ours"),
        "EventBusName": format!("{PREFIX}-events"),
        "EventPattern": json!({ "$or": [{ "detail-type": ["invoice.sent"] }, { "source": ["a.service"] }] }).to_string(),
    });
    account.call("events", "put_rule", &rule).await;
    let item = json!({
        "eventId": "i-1", "eventType": "invoice.sent", "eventVersion": "1.0", "source": "invoice.service",
        "userId": "u-1", "timestamp": 1_790_000_000_000_i64, "eventData": { "n": 1 },
    });
    account.put_items(&item.to_string()).await;
    let between = Between::of(account.endpoint()).await;
    let denied = |call: &Call| (call.operation == "Scan").then_some(Fate::Refused(400, "AccessDeniedException"));
    between.set(move |call| denied(call).unwrap_or(Fate::Answered));
    let server = Setup::new().at(between.endpoint()).start().await;
    let listed = async |server: &Cutover| {
        let page = server.site.json("/api/v1/events").await;
        page["items"].as_array().expect("items").len()
    };
    eventually("it is listed", async || listed(&server).await == 1).await;
    // Without EventBridge the list goes on, without waiting for long: a call to it would take eight seconds.
    let silent = fails("events", Fate::Silence(Duration::from_secs(60)));
    between.set(move |call| denied(call).unwrap_or_else(|| silent(call)));
    let server = Setup::new().at(between.endpoint()).start().await;
    let began = Instant::now();
    assert_eq!(listed(&server).await, 0, "nothing names its type");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert_eq!(
        server.site.json("/api/v1/events?type=invoice.sent").await["items"][0]["eventId"],
        "i-1"
    );
    assert_eq!(listed(&server).await, 1, "it was met");
}
