//! The application's transactions and category rules, as categorization needs them.

use pipeline::ports::{CategoryRule, EventFilter, Transaction};

use super::{Backend, Fresh, Running, drained, event, sorted};

fn transaction(id: &str, user: &str, category: Option<&str>) -> Transaction {
    Transaction {
        transaction_id: id.into(),
        user_id: user.into(),
        account_id: "a".into(),
        description: format!("COFFEE {id}"),
        category_id: category.map(Into::into),
    }
}

fn rule(id: &str, user: &str, priority: u32) -> CategoryRule {
    CategoryRule {
        rule_id: id.into(),
        user_id: user.into(),
        category_id: format!("c-{id}"),
        pattern: "COFFEE".into(),
        priority,
    }
}

async fn put(pipeline: &Running, transactions: Vec<Transaction>) {
    pipeline.transactions.put(transactions).await.expect("put");
}

async fn by_ids(pipeline: &Running, user: &str, ids: &[&str]) -> Vec<Transaction> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let mut found = pipeline.transactions.by_ids(user, &ids).await.expect("transactions");
    found.sort_by(|a, b| a.transaction_id.cmp(&b.transaction_id));
    found
}

async fn uncategorized(pipeline: &Running, user: &str, after: &str, limit: u32) -> Vec<String> {
    let found = pipeline.transactions.uncategorized(user, after, limit).await.expect("transactions");
    found.into_iter().map(|t| t.transaction_id).collect()
}

pub async fn a_user_sees_only_their_own_transactions<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let (a, b) = (transaction("t-1", "ada", None), transaction("t-2", "ada", Some("food")));
    put(&pipeline, vec![a.clone(), b.clone(), transaction("t-3", "bob", None)]).await;
    assert_eq!(by_ids(&pipeline, "ada", &["t-1", "t-2", "t-3", "never"]).await, [a, b]);
    assert_eq!(by_ids(&pipeline, "cem", &["t-1", "t-2", "t-3"]).await, []);
    assert_eq!(by_ids(&pipeline, "ada", &[]).await, []);
    // As many as categorization asks for together.
    let ids: Vec<String> = (0..100).map(|i| format!("n-{i:03}")).collect();
    put(&pipeline, ids.iter().map(|id| transaction(id, "dot", None)).collect()).await;
    let found = by_ids(&pipeline, "dot", &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(found.into_iter().map(|t| t.transaction_id).collect::<Vec<_>>(), ids);
    pipeline.stop().await;
}

pub async fn uncategorized_transactions_are_paged_in_order_of_id<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    put(
        &pipeline,
        vec![
            transaction("t-5", "ada", None),
            transaction("t-1", "ada", None),
            transaction("t-3", "ada", None),
            transaction("t-2", "ada", Some("food")),
            transaction("t-4", "bob", None),
        ],
    )
    .await;
    assert_eq!(uncategorized(&pipeline, "ada", "", 2).await, ["t-1", "t-3"]);
    assert_eq!(uncategorized(&pipeline, "ada", "t-3", 2).await, ["t-5"]);
    assert_eq!(uncategorized(&pipeline, "ada", "t-5", 2).await, Vec::<String>::new());
    // `after` need not be an id that exists.
    assert_eq!(uncategorized(&pipeline, "ada", "t-2", 10).await, ["t-3", "t-5"]);
    pipeline.stop().await;
}

pub async fn rules_come_first_to_apply_first_and_only_the_users_own<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for (id, user, priority) in [("z", "ada", 1), ("a", "ada", 30), ("m", "ada", 2), ("b", "bob", 0)] {
        pipeline.transactions.put_rule(rule(id, user, priority)).await.expect("put");
    }
    assert_eq!(
        pipeline.transactions.rules("ada").await.expect("rules"),
        [rule("z", "ada", 1), rule("m", "ada", 2), rule("a", "ada", 30)]
    );
    assert_eq!(pipeline.transactions.rules("cem").await, Ok(Vec::new()));
    pipeline.stop().await;
}

pub async fn what_is_put_again_replaces_what_was_there<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    put(&pipeline, vec![transaction("t-1", "ada", None)]).await;
    let edited = Transaction {
        description: "tea".into(),
        ..transaction("t-1", "ada", Some("food"))
    };
    put(&pipeline, vec![edited.clone()]).await;
    assert_eq!(by_ids(&pipeline, "ada", &["t-1"]).await, [edited]);
    assert_eq!(uncategorized(&pipeline, "ada", "", 10).await, Vec::<String>::new());
    put(&pipeline, vec![transaction("t-1", "ada", None)]).await;
    assert_eq!(
        uncategorized(&pipeline, "ada", "", 10).await,
        ["t-1"],
        "a category can be taken away"
    );
    pipeline.transactions.put_rule(rule("r", "ada", 1)).await.expect("put");
    let changed = CategoryRule {
        pattern: "tea".into(),
        ..rule("r", "ada", 7)
    };
    pipeline.transactions.put_rule(changed.clone()).await.expect("put");
    assert_eq!(pipeline.transactions.rules("ada").await, Ok(vec![changed.clone()]));
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(pipeline.transactions.rules("ada").await, Ok(vec![changed]));
    assert_eq!(by_ids(&pipeline, "ada", &["t-1"]).await.len(), 1);
    pipeline.stop().await;
}

pub async fn a_rule_gives_a_category_once_and_says_so_with_an_event<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    put(&pipeline, vec![transaction("t-1", "u-1", None), transaction("t-2", "u-1", None)]).await;
    pipeline.transactions.put_rule(rule("r", "u-1", 1)).await.expect("put");
    let mut created = event("transactions.created", "transaction.service", r#"{"transactionIds":["t-1","t-2"]}"#);
    created.correlation_id = Some("import-7".into());
    pipeline.accept(vec![created.clone()], None).await;
    drained(&pipeline).await;
    // Delivered a second time, it changes nothing.
    pipeline.accept(vec![created.clone()], None).await;
    drained(&pipeline).await;
    let found = by_ids(&pipeline, "u-1", &["t-1", "t-2"]).await;
    assert!(found.iter().all(|t| t.category_id.as_deref() == Some("c-r")), "{found:?}");
    let filter = EventFilter {
        event_type: Some("transaction.categorized".into()),
        ..Default::default()
    };
    let events = pipeline.ports.events.list(&filter, 10, None).await.expect("a page").page.items;
    assert_eq!(events.len(), 2);
    for stored in &events {
        assert_eq!(
            (stored.event.causation_id.as_deref(), stored.event.correlation_id.as_deref()),
            (Some(created.event_id.as_str()), Some("import-7"))
        );
    }
    let effects = pipeline.ports.events.effects(&created.event_id).await.expect("effects");
    let ids = |events: Vec<pipeline::ports::StoredEvent>| sorted(events.into_iter().map(|s| s.event.event_id).collect());
    assert_eq!(ids(effects), ids(events));
    let summary = pipeline.ports.ledger.summary().await.expect("a summary");
    assert_eq!((summary.published, summary.completed), (3, 3));
    pipeline.stop().await;
}
