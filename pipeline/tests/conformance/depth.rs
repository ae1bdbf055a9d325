//! How many letters are open, by consumer and by kind of error.

use std::collections::HashSet;

use pipeline::letter::Depth;

use super::letters::{one_by_one, written};
use super::{Backend, Fresh, broken_update, drained, event, eventually, open};

pub async fn the_depth_counts_what_is_open_by_consumer<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.letters.depth().await, Ok(Depth::default()));
    let letters = written(&pipeline).await;
    eventually("they are counted", || async {
        pipeline.ports.letters.depth().await.is_ok_and(|depth| depth.open == 3)
    })
    .await;
    // The oldest was discarded, so the one after it is the oldest open.
    assert_eq!(
        pipeline.ports.letters.depth().await,
        Ok(Depth {
            open: 3,
            redriving: 0,
            oldest: Some(letters[2].failed_at),
            by_consumer: vec![("analytics".into(), 1), ("categorization".into(), 2)],
        })
    );
    pipeline.stop().await;
}

pub async fn groups_are_what_is_open_by_consumer_and_error_largest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.letters.groups().await, Ok(Vec::new()));
    let letters = written(&pipeline).await;
    pipeline.accept((0..2).map(|_| broken_update()).collect(), None).await;
    drained(&pipeline).await;
    eventually("they are counted", || async {
        pipeline
            .ports
            .letters
            .groups()
            .await
            .is_ok_and(|groups| groups.iter().map(|g| g.open).sum::<u64>() == 5)
    })
    .await;
    let groups = pipeline.ports.letters.groups().await.expect("groups");
    assert_eq!(
        (groups[0].consumer.as_str(), groups[0].error_code.as_str(), groups[0].open),
        ("analytics", "InvalidPayload", 3)
    );
    let rest: HashSet<_> = groups[1..]
        .iter()
        .map(|g| (g.consumer.as_str(), g.error_code.as_str(), g.open))
        .collect();
    assert_eq!(
        rest,
        HashSet::from([("categorization", "InvalidPayload", 1), ("categorization", "InvalidRulePattern", 1)]),
        "without the discarded one"
    );
    let newest = pipeline.letters(&open()).await.remove(0);
    assert_eq!(
        (groups[0].first, groups[0].last, &groups[0].example),
        (letters[0].failed_at, newest.failed_at, &newest.error_message)
    );
    pipeline.stop().await;
}

pub async fn a_groups_example_is_its_newest_message<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let without = |data: &str| event("transaction.updated", "transaction.service", data);
    let events = [
        without(r#"{"transactionId":"t","changes":[]}"#),
        without(r#"{"transactionId":"t","accountId":"a"}"#),
        without(r#"{"accountId":"a","changes":[]}"#),
        without(r#"{"transactionId":"t","accountId":"a","changes":7}"#),
    ];
    let mut messages = HashSet::new();
    for (n, event) in events.into_iter().enumerate() {
        one_by_one(&pipeline, [event]).await;
        let newest = pipeline.letters(&open()).await.remove(0);
        eventually("it is counted", || async {
            pipeline
                .ports
                .letters
                .groups()
                .await
                .is_ok_and(|groups| groups.first().is_some_and(|g| g.open == n as u64 + 1))
        })
        .await;
        let groups = pipeline.ports.letters.groups().await.expect("groups");
        let [group] = groups.as_slice() else { panic!("{groups:?}") };
        assert_eq!((group.open, &group.example), (n as u64 + 1, &newest.error_message));
        messages.insert(newest.error_message);
    }
    assert_eq!(messages.len(), 4, "{messages:?}");
    pipeline.stop().await;
}
