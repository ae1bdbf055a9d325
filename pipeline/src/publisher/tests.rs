//! The publisher against a bus that does as the test says.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::event::Json;
use crate::flag::{FlagChange, FlagRecord, FlagState};
use crate::parity::ParityReport;
use crate::ports::FlagError;
use crate::time::Span;

/// What a bus does with an event, by its id: how often it is unavailable before it takes it, or that it refuses it.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Late(u32),
    Refuse,
}

/// A bus that keeps what it was asked.
#[derive(Default)]
struct Scripted {
    plans: HashMap<String, Plan>,
    calls: Mutex<Vec<Vec<String>>>,
    buried: Mutex<Vec<(String, &'static str)>>,
}

#[async_trait]
impl Bus for Scripted {
    async fn put(&self, events: Vec<Event>, _: Option<Timestamp>) -> Vec<Result<Receipt, PublishError>> {
        let mut calls = self.calls.lock().expect("calls");
        let before = |id: &str| calls.iter().flatten().filter(|asked| *asked == id).count();
        let answers = events
            .iter()
            .map(|event| match self.plans.get(&event.event_id) {
                Some(Plan::Late(times)) if before(&event.event_id) < *times as usize => Err(PublishError::Unavailable("busy".to_owned())),
                Some(Plan::Refuse) => Err(PublishError::Conflict {
                    event_id: event.event_id.clone(),
                }),
                _ => Ok(Receipt {
                    event_id: event.event_id.clone(),
                    duplicate: false,
                }),
            })
            .collect();
        calls.push(events.into_iter().map(|event| event.event_id).collect());
        answers
    }

    async fn bury(&self, body: String, error: &PublishError, _attempts: u32) -> Result<(), StoreError> {
        self.buried.lock().expect("letters").push((body, error.code()));
        Ok(())
    }
}

/// Flags that are what they are.
struct Fixed(Result<Flags, StoreError>);

#[async_trait]
impl FlagStore for Fixed {
    fn followed(&self) -> bool {
        true
    }
    async fn effective(&self, _: &str) -> Result<Flags, StoreError> {
        self.0.clone()
    }
    async fn all(&self) -> Result<Vec<FlagState>, StoreError> {
        Ok(Vec::new())
    }
    async fn set(&self, _: &FlagChange, _: &str, _: &[String]) -> Result<FlagState, FlagError> {
        Err(FlagError::BothOff)
    }
    async fn history(&self, _: u32) -> Result<Vec<FlagRecord>, StoreError> {
        Ok(Vec::new())
    }
}

/// A trigger ledger that keeps what it was told, or fails.
#[derive(Default)]
struct Direct {
    calls: Mutex<Vec<DirectCall>>,
    broken: bool,
}

#[async_trait]
impl Parity for Direct {
    async fn record_direct(&self, call: DirectCall) -> Result<(), StoreError> {
        if self.broken {
            return Err(down());
        }
        self.calls.lock().expect("calls").push(call);
        Ok(())
    }
    async fn report(&self, _: Span, _: Option<&str>, _: Timestamp) -> Result<ParityReport, StoreError> {
        Err(down())
    }
}

fn down() -> StoreError {
    StoreError::Unavailable {
        what: "a store",
        reason: "it is a test".to_owned(),
    }
}

fn event(id: &str) -> Event {
    Event {
        event_id: id.to_owned(),
        event_type: "file.processed".to_owned(),
        event_version: "1.0".to_owned(),
        timestamp: 1_790_000_000_000,
        source: "transaction.service".to_owned(),
        user_id: "u-1".to_owned(),
        correlation_id: None,
        causation_id: None,
        data: Json::from_text(r#"{"transactionCount":3,"processingStatus":"success"}"#).expect("JSON"),
        metadata: None,
        extra: Vec::new(),
    }
}

fn publisher(bus: &Arc<Scripted>, flags: Result<Flags, StoreError>) -> Publisher {
    Publisher::new(bus.clone(), Arc::new(Fixed(flags)))
}

/// Runs on a clock that jumps to the next thing to happen, so that backoff takes no time.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        tokio::time::pause();
        future.await
    })
}

proptest! {
    /// Whatever the bus does: an answer for each event in order, what failed is asked again alone, and nothing is lost.
    #[test]
    fn every_event_is_accepted_or_buried(plans in prop::collection::vec(prop::option::weighted(0.5, prop_oneof![
        (0_u32..8).prop_map(Plan::Late), Just(Plan::Refuse),
    ]), 1..35)) {
        let ids: Vec<String> = (0..plans.len()).map(|n| format!("e-{n}")).collect();
        let bus = Arc::new(Scripted {
            plans: ids.iter().zip(&plans).filter_map(|(id, plan)| Some((id.clone(), (*plan)?))).collect(),
            ..Default::default()
        });
        let answers = run(publisher(&bus, Ok(Flags::default())).publish(ids.iter().map(|id| event(id)).collect()));
        prop_assert_eq!(answers.len(), ids.len());
        let buried = bus.buried.lock().expect("letters");
        for ((id, plan), answer) in ids.iter().zip(&plans).zip(&answers) {
            let asked = bus.calls.lock().expect("calls").iter().flatten().filter(|other| *other == id).count();
            match plan {
                None => prop_assert_eq!(asked, 1),
                Some(Plan::Late(times)) => prop_assert_eq!(asked, (*times as usize + 1).min(RETRY.max_attempts as usize)),
                Some(Plan::Refuse) => prop_assert_eq!(asked, 1, "a refusal is final"),
            }
            let lost = matches!(plan, Some(Plan::Refuse)) || matches!(plan, Some(Plan::Late(times)) if *times >= RETRY.max_attempts);
            match answer {
                Published::Accepted(receipt) => prop_assert!(!lost && receipt.event_id == *id),
                Published::Buried(_) => prop_assert!(lost && buried.iter().filter(|(body, _)| Event::from_json(body).is_ok_and(|event| event.event_id == *id)).count() == 1),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let calls = bus.calls.lock().expect("calls");
        prop_assert!(calls.iter().all(|call| call.len() <= BATCH && call.iter().collect::<HashSet<_>>().len() == call.len()));
    }
}

#[test]
fn what_is_no_event_is_buried_and_never_sent() {
    let bus = Arc::new(Scripted::default());
    let mut wrong = event("e-1");
    wrong.user_id.clear();
    let answers = run(publisher(&bus, Ok(Flags::default())).publish(vec![wrong, event("e-2")]));
    assert!(
        matches!(&answers[0], Published::Buried(PublishError::Invalid(fault)) if fault.field == "userId"),
        "{answers:?}"
    );
    assert!(matches!(&answers[1], Published::Accepted(_)));
    assert_eq!(*bus.calls.lock().expect("calls"), [["e-2"]]);
    assert_eq!(bus.buried.lock().expect("letters")[0].1, "InvalidEvent");
}

#[test]
fn the_flags_say_which_paths_an_operation_takes() {
    for (flags, published, direct) in [
        (
            Ok(Flags {
                publishing: true,
                direct: true,
            }),
            true,
            true,
        ),
        (
            Ok(Flags {
                publishing: true,
                direct: false,
            }),
            true,
            false,
        ),
        (
            Ok(Flags {
                publishing: false,
                direct: true,
            }),
            false,
            true,
        ),
        // Not known: doing too much is the safe side.
        (Err(down()), true, true),
    ] {
        let (bus, parity) = (Arc::new(Scripted::default()), Arc::new(Direct::default()));
        let store = Arc::new(Fixed(flags.clone()));
        let paths = Paths::new(publisher(&bus, flags.clone()), store, parity.clone(), Arc::default());
        let performed = run(paths.perform(event("e-1"), None)).expect("performed");
        assert_eq!(performed.direct, direct, "{flags:?}");
        assert_eq!(matches!(performed.published, Published::Accepted(_)), published, "{flags:?}");
        assert_eq!(bus.calls.lock().expect("calls").len(), usize::from(published));
        let calls = parity.calls.lock().expect("calls");
        assert_eq!(calls.len(), usize::from(direct));
        assert!(calls.iter().all(|call| call.both == published), "{calls:?}");
    }
}

#[test]
fn an_event_is_not_lost_with_the_trigger_ledger() {
    let bus = Arc::new(Scripted::default());
    let parity = Arc::new(Direct {
        broken: true,
        ..Default::default()
    });
    let flags = Arc::new(Fixed(Ok(Flags::default())));
    let paths = Paths::new(publisher(&bus, Ok(Flags::default())), flags, parity, Arc::default());
    assert!(run(paths.perform(event("e-1"), None)).is_err());
    assert_eq!(*bus.calls.lock().expect("calls"), [["e-1"]]);
}

#[test]
fn a_file_that_brought_nothing_triggers_nothing_directly() {
    let maps = TriggerMaps::default();
    assert!(maps.direct_for(&event("e-1")).is_some());
    let mut empty = event("e-2");
    empty.data = Json::from_text(r#"{"transactionCount":0,"processingStatus":"failed"}"#).expect("JSON");
    assert_eq!(maps.direct_for(&empty), None);
}
