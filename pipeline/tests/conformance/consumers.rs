//! The consumers as they are controlled and as they show themselves.

use std::sync::atomic::{AtomicU64, Ordering};

use pipeline::consumer::{ConsumerStatus, Health};
use pipeline::demo::Fault;
use pipeline::ledger::DeliveryState;
use pipeline::rule::CONSUMERS;

use super::{Backend, Fresh, Running, drained, eventually, lately, updated};

async fn status(pipeline: &Running, name: &str) -> ConsumerStatus {
    let all = pipeline.ports.consumers.list(lately()).await.expect("consumers");
    assert_eq!(all.unread, [], "all of it is known");
    all.items.into_iter().find(|c| c.name == name).expect("the consumer")
}

pub async fn consumers_are_listed_in_the_rules_order<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let consumers = pipeline.ports.consumers.list(lately()).await.expect("consumers").items;
    assert_eq!(consumers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), CONSUMERS);
    for consumer in consumers {
        assert!(!consumer.does.is_empty(), "{consumer:?}");
        let [(_, pattern)] = consumer.rules.as_slice() else {
            panic!("{consumer:?}")
        };
        assert!(
            serde_json::from_str::<serde_json::Value>(pattern).is_ok_and(|p| p.is_object()),
            "a pattern is JSON: {pattern}"
        );
        assert_eq!(
            (consumer.health, consumer.paused, consumer.in_flight, consumer.dead_letters),
            (Health::Idle, Some(false), Some(0), Some(0))
        );
    }
    pipeline.stop().await;
}

pub async fn a_name_that_is_no_consumers_is_not_paused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.consumers.set_paused("nobody", true).await, Ok(false));
    assert_eq!(
        pipeline.ports.consumers.set_paused("Audit", true).await,
        Ok(false),
        "names are exact"
    );
    assert_eq!(pipeline.ports.consumers.faults("nobody", 10).await, Ok(Vec::new()));
    let consumers = pipeline.ports.consumers.list(lately()).await.expect("consumers").items;
    assert_eq!(consumers.iter().filter(|c| c.paused == Some(true)).count(), 0);
    assert_eq!(consumers.len(), CONSUMERS.len());
    pipeline.stop().await;
}

pub async fn a_pause_holds_one_consumer_until_it_is_lifted<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.consumers.set_paused("audit", true).await, Ok(true));
    assert_eq!(pipeline.ports.consumers.set_paused("audit", true).await, Ok(true), "twice is once");
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    let states = async || {
        let entry = pipeline
            .ports
            .ledger
            .entry(&event.event_id)
            .await
            .expect("a ledger")
            .expect("an entry");
        entry.deliveries.iter().map(|d| d.state).collect::<Vec<_>>()
    };
    eventually("the other consumer completes", || async {
        states().await == [DeliveryState::Completed, DeliveryState::Open]
    })
    .await;
    eventually("its event waits for it", || async {
        status(&pipeline, "audit").await.in_flight == Some(1) && status(&pipeline, "analytics").await.in_flight == Some(0)
    })
    .await;
    let audit = status(&pipeline, "audit").await;
    assert_eq!((audit.paused, audit.health), (Some(true), Health::Paused));
    assert_eq!(status(&pipeline, "analytics").await.paused, Some(false));
    assert_eq!(pipeline.ports.consumers.set_paused("audit", false).await, Ok(true));
    assert_eq!(status(&pipeline, "audit").await.paused, Some(false));
    drained(&pipeline).await;
    eventually("nothing waits", || async { status(&pipeline, "audit").await.in_flight == Some(0) }).await;
    pipeline.stop().await;
}

pub async fn faults_are_the_failed_attempts_newest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    let event = updated();
    pipeline.accept(vec![event.clone()], None).await;
    drained(&pipeline).await;
    let faults = pipeline.ports.consumers.faults("analytics", 10).await.expect("faults");
    let attempts: Vec<u32> = faults.iter().map(|f| f.attempt).collect();
    assert_eq!(attempts, [3, 2, 1]);
    assert!(faults.is_sorted_by(|a, b| a.at >= b.at), "{faults:?}");
    for fault in &faults {
        assert_eq!((&fault.event_id, &fault.event_type), (&event.event_id, &event.event_type));
        assert!(fault.error.contains(B::OUTAGE), "{fault:?}");
    }
    assert_eq!(
        pipeline.ports.consumers.faults("analytics", 2).await.expect("faults"),
        faults[..2],
        "the newest, if not all fit"
    );
    assert_eq!(
        pipeline.ports.consumers.faults("audit", 10).await,
        Ok(Vec::new()),
        "each has its own"
    );
    // More than ten: the newest of them.
    for _ in 0..3 {
        pipeline.accept(vec![updated()], None).await;
        drained(&pipeline).await;
    }
    let faults = pipeline.ports.consumers.faults("analytics", 10).await.expect("faults");
    let attempts: Vec<u32> = faults.iter().map(|f| f.attempt).collect();
    assert_eq!(attempts, [3, 2, 1, 3, 2, 1, 3, 2, 1, 3]);
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(pipeline.ports.consumers.faults("analytics", 10).await.expect("faults"), faults);
    pipeline.stop().await;
}

pub async fn a_status_counts_what_a_consumer_did_and_knows_nothing_of_an_idle_one<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    pipeline.accept(vec![updated(), updated()], None).await;
    drained(&pipeline).await;
    eventually("metrics are written", || async {
        let all = pipeline.ports.consumers.list(lately()).await.expect("consumers").items;
        all[0].failed == Some(6) && all[3].processed == Some(2) && all[0].dead_letters == Some(2)
    })
    .await;
    let analytics = status(&pipeline, "analytics").await;
    assert_eq!(
        (analytics.processed, analytics.error_rate, analytics.health, analytics.dead_letters),
        (Some(0), Some(100.0), Health::Failing, Some(2))
    );
    assert_eq!(analytics.p50, None, "nothing was processed, so nothing took any time");
    let faults = pipeline.ports.consumers.faults("analytics", 1).await.expect("faults");
    assert_eq!(analytics.last_errors.as_deref(), Some(faults.as_slice()));
    let audit = status(&pipeline, "audit").await;
    assert_eq!(
        (audit.failed, audit.error_rate, audit.health),
        (Some(0), Some(0.0), Health::Healthy)
    );
    assert!(audit.p50.is_some() && audit.p50 <= audit.p95 && audit.p95 <= audit.p99, "{audit:?}");
    let idle = status(&pipeline, "notification").await;
    assert_eq!((idle.processed, idle.failed, idle.health), (Some(0), Some(0), Health::Idle));
    assert_eq!((idle.error_rate, idle.p50, idle.p95, idle.p99), (None, None, None, None));
    pipeline.stop().await;
}

pub async fn a_delivery_that_waits_for_its_next_attempt_is_retrying<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("analytics", Some(Fault::Outage));
    // How many wait is counted now and then: there is always one that has just failed.
    let published = AtomicU64::new(0);
    eventually("one is retrying", || async {
        pipeline.accept(vec![updated()], None).await;
        published.fetch_add(1, Ordering::Relaxed);
        status(&pipeline, "analytics").await.retrying >= Some(1)
    })
    .await;
    drained(&pipeline).await;
    let published = published.into_inner();
    eventually("each was given up", || async {
        let given_up = status(&pipeline, "analytics").await;
        (given_up.retrying, given_up.in_flight, given_up.dead_letters) == (Some(0), Some(0), Some(published))
    })
    .await;
    pipeline.stop().await;
}
