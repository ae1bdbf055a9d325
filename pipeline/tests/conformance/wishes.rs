//! Operations as they were wished for: reasons, rates, and what makes no sense.

use pipeline::operation::{NewOperation, OperationKind};
use pipeline::page::Page;
use pipeline::ports::OperationError;
use pipeline::time::Timestamp;

use super::operations::{discard_all, poisoned, start};
use super::{Backend, Fresh, open};

pub async fn an_operation_says_who_asked_and_why<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    poisoned(&pipeline, 1).await;
    let before = Timestamp::now();
    let wish = NewOperation {
        reason: "known bad".into(),
        rate: None,
        ..discard_all()
    };
    let started = start(&pipeline, &wish).await;
    let ended = pipeline.ended(&started.id).await.operation;
    assert_eq!(
        (ended.kind, ended.actor.as_str(), ended.reason.as_str(), ended.rate),
        (OperationKind::Discard, "ada", "known bad", 50)
    );
    assert!(
        ended.created_at >= before && ended.finished_at >= Some(ended.created_at),
        "{ended:?}"
    );
    pipeline.stop().await;
}

pub async fn an_operation_keeps_to_its_rate<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    poisoned(&pipeline, 6).await;
    let wish = NewOperation {
        rate: Some(2),
        ..discard_all()
    };
    let ended = pipeline.ended(&start(&pipeline, &wish).await.id).await.operation;
    // The first second's worth may go at once; the other four take two seconds, whatever the granularity.
    let took = ended.finished_at.expect("an end").since(ended.created_at);
    assert!(ended.succeeded == 6 && took >= 1_900, "{took} ms: {ended:?}");
    pipeline.stop().await;
}

pub async fn wishes_that_make_no_sense_are_refused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 1).await;
    for (field, rate, reason) in [("rate", Some(0), "why"), ("rate", Some(u32::MAX), "why"), ("reason", None, " ")] {
        let wish = NewOperation {
            rate,
            reason: reason.into(),
            ..discard_all()
        };
        let answer = pipeline.ports.operations.start(&wish, "ada").await;
        assert!(
            matches!(&answer, Err(OperationError::Invalid(fault)) if fault.field == field),
            "{answer:?}"
        );
    }
    assert_eq!(pipeline.letters(&open()).await, letters);
    assert_eq!(
        pipeline.ports.operations.list(10, None).await,
        Ok(Page::empty()),
        "what is refused is no operation"
    );
    pipeline.stop().await;
}
