//! How complete the audit trail is: gaps, and causes that were never seen.

use pipeline::criteria::AuditEvidence;
use pipeline::demo::Fault;
use pipeline::event::Event;
use pipeline::operation::OperationKind;

use super::{Backend, Fresh, Running, drained, eventually, open, updated};

async fn evidence(pipeline: &Running) -> AuditEvidence {
    pipeline.ports.events.completeness().await.expect("evidence")
}

fn caused_by(cause: &Event) -> Event {
    Event {
        causation_id: Some(cause.event_id.clone()),
        ..updated()
    }
}

pub async fn a_cause_that_was_never_seen_is_a_gap_until_it_comes<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let cause = updated();
    pipeline.publisher.publish(vec![caused_by(&cause)]).await;
    drained(&pipeline).await;
    assert_eq!(evidence(&pipeline).await.orphaned, 1);
    pipeline.publisher.publish(vec![cause]).await;
    drained(&pipeline).await;
    let evidence = evidence(&pipeline).await;
    assert_eq!((evidence.orphaned, evidence.missing(), evidence.stored), (0, 0, 2));
    pipeline.stop().await;
}

pub async fn each_effect_of_an_unseen_cause_is_an_orphan<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let cause = updated();
    let effects = vec![caused_by(&cause), caused_by(&cause), caused_by(&updated())];
    pipeline.accept(effects.clone(), None).await;
    // Again: a duplicate is no further orphan.
    pipeline.accept(effects, None).await;
    drained(&pipeline).await;
    assert_eq!(evidence(&pipeline).await.orphaned, 3);
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(evidence(&pipeline).await.orphaned, 3, "also after a restart");
    pipeline.accept(vec![cause], None).await;
    drained(&pipeline).await;
    assert_eq!(evidence(&pipeline).await.orphaned, 1, "one cause has come, for two of them");
    pipeline.stop().await;
}

pub async fn a_batch_that_names_the_effect_before_its_cause_has_no_orphan<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let cause = updated();
    pipeline.accept(vec![caused_by(&cause), cause], None).await;
    drained(&pipeline).await;
    assert_eq!(
        evidence(&pipeline).await,
        AuditEvidence {
            published: 2,
            stored: 2,
            on_the_way: 0,
            orphaned: 0
        }
    );
    pipeline.stop().await;
}

pub async fn events_that_audit_has_not_got_to_are_on_the_way<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.ports.consumers.set_paused("audit", true).await.expect("paused");
    let event = updated();
    pipeline.accept(vec![event.clone(), updated(), updated()], None).await;
    let waiting = evidence(&pipeline).await;
    assert_eq!(
        (waiting.published, waiting.stored, waiting.on_the_way, waiting.missing()),
        (3, 0, 3, 0)
    );
    assert_eq!(
        pipeline.ports.events.get(&event.event_id).await,
        Ok(None),
        "the store is what audit wrote"
    );
    pipeline.ports.consumers.set_paused("audit", false).await.expect("resumed");
    drained(&pipeline).await;
    let done = evidence(&pipeline).await;
    assert_eq!((done.published, done.stored, done.on_the_way, done.missing()), (3, 3, 0, 0));
    pipeline.stop().await;
}

pub async fn an_event_that_audit_gave_up_on_is_missing_until_it_is_redriven<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    pipeline.faults.set("audit", Some(Fault::Outage));
    pipeline.accept(vec![updated()], None).await;
    drained(&pipeline).await;
    let without = evidence(&pipeline).await;
    assert_eq!((without.stored, without.on_the_way, without.missing()), (0, 0, 1));
    pipeline.faults.set("audit", None);
    let letters = pipeline.letters(&open()).await;
    pipeline.operate(OperationKind::Redrive, &[&letters[0].id]).await;
    eventually("nothing is missing", || async { evidence(&pipeline).await.missing() == 0 }).await;
    assert_eq!(evidence(&pipeline).await.stored, 1);
    pipeline.stop().await;
}
