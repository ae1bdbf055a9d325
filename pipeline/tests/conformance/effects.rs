//! What an event caused.

use pipeline::event::Event;

use super::events::{at, stored};
use super::{Backend, Fresh, Running};

fn caused(id: &str, after: i64, cause: &str) -> Event {
    Event {
        causation_id: Some(cause.into()),
        ..at(id, after)
    }
}

async fn effects(pipeline: &Running, id: &str) -> Vec<String> {
    let effects = pipeline.ports.events.effects(id).await.expect("effects");
    effects.into_iter().map(|s| s.event.event_id).collect()
}

pub async fn effects_are_the_events_that_name_the_cause_oldest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(
        &pipeline,
        vec![
            at("cause", 0),
            caused("last", 9_000, "cause"),
            caused("first", 1_000, "cause"),
            caused("then", 5_000, "cause"),
            caused("grandchild", 6_000, "first"),
            at("stranger", 2_000),
        ],
    )
    .await;
    assert_eq!(effects(&pipeline, "cause").await, ["first", "then", "last"]);
    assert_eq!(effects(&pipeline, "first").await, ["grandchild"]);
    assert_eq!(effects(&pipeline, "stranger").await, Vec::<String>::new());
    assert_eq!(effects(&pipeline, "never").await, Vec::<String>::new());
    pipeline.stop().await;
}

pub async fn effects_end_at_five_hundred<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // Newest first into the store: the limit has to cut off the newest, not whatever was stored last.
    let effects_of = (0..510).rev().map(|i| caused(&format!("e-{i:03}"), i, "cause"));
    B::keep(&pipeline, [at("cause", 0)].into_iter().chain(effects_of).collect()).await;
    let effects = effects(&pipeline, "cause").await;
    assert_eq!(effects.len(), 500);
    assert_eq!((effects[0].as_str(), effects[499].as_str()), ("e-000", "e-499"));
    pipeline.stop().await;
}
