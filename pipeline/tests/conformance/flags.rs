//! The flags: what applies, how it is changed, and what is remembered of it.

use pipeline::flag::{FlagChange, FlagState, Flags, GLOBAL_SCOPE, Stage};
use pipeline::ports::FlagError;
use pipeline::time::Timestamp;

use super::{Backend, Fresh, Running};

fn change(scope: &str, stage: Stage, expected_version: u64) -> FlagChange {
    FlagChange {
        scope: scope.into(),
        to: Some(stage.flags()),
        reason: format!("{scope} goes {stage}"),
        expected_version,
    }
}

async fn set(pipeline: &Running, change: &FlagChange) -> Result<FlagState, FlagError> {
    pipeline.ports.flags.set(change, "ada", &[]).await
}

async fn stage(pipeline: &Running, source: &str) -> Option<Stage> {
    pipeline.ports.flags.effective(source).await.expect("flags").stage()
}

pub async fn before_any_change_both_are_on<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.flags.effective("file.service").await, Ok(Flags::default()));
    assert_eq!(pipeline.ports.flags.history(10).await, Ok(Vec::new()));
    // Whether the global scope is listed before its first change is left open; that it has version 0 then is not.
    for state in pipeline.ports.flags.all().await.expect("flags") {
        assert_eq!(
            state,
            FlagState {
                scope: GLOBAL_SCOPE.into(),
                flags: Flags::default(),
                inherited: false,
                version: 0,
                changed_at: None
            }
        );
    }
    pipeline.stop().await;
}

pub async fn a_publishers_own_flags_win_over_the_global_ones<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    set(&pipeline, &change("file.service", Stage::EventsOnly, 0))
        .await
        .expect("changed");
    assert_eq!(stage(&pipeline, "file.service").await, Some(Stage::EventsOnly));
    assert_eq!(
        stage(&pipeline, "account.service").await,
        Some(Stage::Shadow),
        "others keep the global ones"
    );
    set(&pipeline, &change(GLOBAL_SCOPE, Stage::DirectOnly, 0)).await.expect("changed");
    assert_eq!(stage(&pipeline, "account.service").await, Some(Stage::DirectOnly));
    assert_eq!(stage(&pipeline, "file.service").await, Some(Stage::EventsOnly), "its own still win");
    pipeline.stop().await;
}

pub async fn a_change_is_refused_if_the_version_moved<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let before = Timestamp::now();
    let state = set(&pipeline, &change(GLOBAL_SCOPE, Stage::EventsOnly, 0)).await.expect("changed");
    assert_eq!(
        (state.scope.as_str(), state.flags.stage(), state.version),
        (GLOBAL_SCOPE, Some(Stage::EventsOnly), 1)
    );
    assert!(
        state.changed_at.is_some_and(|at| at >= before && at <= Timestamp::now()),
        "{state:?}"
    );
    for expected in [0, 2] {
        assert_eq!(
            set(&pipeline, &change(GLOBAL_SCOPE, Stage::DirectOnly, expected)).await,
            Err(FlagError::VersionMoved(state.clone())),
            "whoever looked at version {expected} is told how it is now"
        );
    }
    assert_eq!(stage(&pipeline, "any").await, Some(Stage::EventsOnly));
    assert_eq!(
        pipeline.ports.flags.history(10).await.expect("history").len(),
        1,
        "a refusal is no change"
    );
    // Each scope counts its own changes.
    assert!(matches!(
        set(&pipeline, &change("file.service", Stage::Shadow, 1)).await,
        Err(FlagError::VersionMoved(now)) if now.scope == "file.service" && now.version == 0
    ));
    let state = set(&pipeline, &change(GLOBAL_SCOPE, Stage::Shadow, 1)).await.expect("changed");
    assert_eq!(state.version, 2);
    pipeline.stop().await;
}

pub async fn of_two_changes_at_once_one_is_made<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for version in 0..10 {
        let (a, b) = (
            change(GLOBAL_SCOPE, Stage::EventsOnly, version),
            change(GLOBAL_SCOPE, Stage::DirectOnly, version),
        );
        let (a, b) = tokio::join!(set(&pipeline, &a), set(&pipeline, &b));
        let (made, refused) = if a.is_ok() { (a, b) } else { (b, a) };
        let made = made.expect("one of them is made");
        assert_eq!(refused, Err(FlagError::VersionMoved(made)));
    }
    assert_eq!(pipeline.ports.flags.history(100).await.expect("history").len(), 10);
    pipeline.stop().await;
}

pub async fn both_off_is_refused_and_changes_nothing<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for scope in [GLOBAL_SCOPE, "file.service"] {
        let neither = FlagChange {
            to: Some(Flags {
                publishing: false,
                direct: false,
            }),
            ..change(scope, Stage::Shadow, 0)
        };
        assert_eq!(set(&pipeline, &neither).await, Err(FlagError::BothOff));
        assert_eq!(stage(&pipeline, scope).await, Some(Stage::Shadow));
    }
    assert_eq!(pipeline.ports.flags.history(10).await, Ok(Vec::new()));
    pipeline.stop().await;
}

pub async fn a_change_without_a_reason_is_refused<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // Each change says why, for ever; blanks are no reason.
    for reason in ["", "  \n"] {
        let silent = FlagChange {
            reason: reason.into(),
            ..change(GLOBAL_SCOPE, Stage::EventsOnly, 0)
        };
        assert!(
            matches!(set(&pipeline, &silent).await, Err(FlagError::Invalid(fault)) if fault.field == "reason"),
            "{reason:?}"
        );
    }
    assert_eq!(stage(&pipeline, "any").await, Some(Stage::Shadow));
    pipeline.stop().await;
}

pub async fn the_history_says_who_when_why_from_to_and_what_the_criteria_said<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let criteria = ["data_loss=passing".to_owned(), "parity=unknown".to_owned()];
    let to_events = change(GLOBAL_SCOPE, Stage::EventsOnly, 0);
    let first = pipeline.ports.flags.set(&to_events, "ada", &criteria).await.expect("changed");
    let back = change(GLOBAL_SCOPE, Stage::DirectOnly, 1);
    pipeline.ports.flags.set(&back, "bob", &criteria[..1]).await.expect("changed");
    let history = pipeline.ports.flags.history(10).await.expect("history");
    assert_eq!(
        history
            .iter()
            .map(|r| (r.version, r.actor.as_str(), r.from.stage(), r.to.stage()))
            .collect::<Vec<_>>(),
        [
            (2, "bob", Some(Stage::EventsOnly), Some(Stage::DirectOnly)),
            (1, "ada", Some(Stage::Shadow), Some(Stage::EventsOnly)),
        ]
    );
    let [newest, oldest] = history.as_slice() else {
        panic!("{history:?}")
    };
    assert_eq!((&newest.reason, &newest.criteria[..]), (&back.reason, &criteria[..1]));
    assert_eq!((&oldest.reason, &oldest.criteria[..]), (&to_events.reason, &criteria[..]));
    assert_eq!((oldest.scope.as_str(), Some(oldest.at)), (GLOBAL_SCOPE, first.changed_at));
    assert!(newest.at >= oldest.at);
    assert_eq!(
        pipeline.ports.flags.history(1).await.expect("history"),
        history[..1],
        "the newest, up to the limit"
    );
    pipeline.stop().await;
}

pub async fn a_publishers_own_flags_can_be_taken_back<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let back = |scope: &str, expected_version| FlagChange {
        to: None,
        ..change(scope, Stage::Shadow, expected_version)
    };
    set(&pipeline, &change("file.service", Stage::EventsOnly, 0))
        .await
        .expect("changed");
    let state = set(&pipeline, &back("file.service", 1)).await.expect("taken back");
    assert_eq!(
        (state.inherited, state.flags.stage(), state.version),
        (true, Some(Stage::Shadow), 2)
    );
    // From here on it follows the global flags.
    set(&pipeline, &change(GLOBAL_SCOPE, Stage::DirectOnly, 0)).await.expect("changed");
    assert_eq!(stage(&pipeline, "file.service").await, Some(Stage::DirectOnly));
    let all = pipeline.ports.flags.all().await.expect("flags");
    let now = all.iter().find(|state| state.scope == "file.service").expect("listed still");
    assert_eq!((now.inherited, now.flags.stage(), now.version), (true, Some(Stage::DirectOnly), 2));
    assert!(!all[0].inherited, "the global flags are nobody else's");
    // Its versions go on: who looked before it was taken back is told.
    assert_eq!(
        set(&pipeline, &change("file.service", Stage::Shadow, 0)).await,
        Err(FlagError::VersionMoved(now.clone()))
    );
    let history = pipeline.ports.flags.history(10).await.expect("history");
    let record = history.iter().find(|record| record.inherited).expect("remembered");
    assert_eq!(
        (record.scope.as_str(), record.version, record.from.stage(), record.to.stage()),
        ("file.service", 2, Some(Stage::EventsOnly), Some(Stage::Shadow))
    );
    assert_eq!(history.iter().filter(|record| record.inherited).count(), 1);
    assert!(
        matches!(set(&pipeline, &back(GLOBAL_SCOPE, 1)).await, Err(FlagError::Invalid(fault)) if fault.field == "inherit"),
        "the global flags have nothing to inherit from"
    );
    let state = set(&pipeline, &change("file.service", Stage::EventsOnly, 2))
        .await
        .expect("changed");
    assert_eq!((state.inherited, state.version), (false, 3));
    pipeline.stop().await;
}

pub async fn a_publishers_first_change_is_from_what_applied_to_it<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    set(&pipeline, &change(GLOBAL_SCOPE, Stage::DirectOnly, 0)).await.expect("changed");
    set(&pipeline, &change("file.service", Stage::EventsOnly, 0))
        .await
        .expect("changed");
    let newest = pipeline.ports.flags.history(1).await.expect("history").remove(0);
    assert_eq!(
        (newest.scope.as_str(), newest.from.stage(), newest.to.stage()),
        ("file.service", Some(Stage::DirectOnly), Some(Stage::EventsOnly))
    );
    pipeline.stop().await;
}

pub async fn every_scope_that_was_set_is_listed_the_global_one_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // "account.service" comes before "global" in the alphabet, and before it in time.
    for scope in ["account.service", GLOBAL_SCOPE, "transaction.service"] {
        set(&pipeline, &change(scope, Stage::EventsOnly, 0)).await.expect("changed");
    }
    let all = pipeline.ports.flags.all().await.expect("flags");
    assert_eq!(all[0].scope, GLOBAL_SCOPE);
    assert_eq!(
        super::sorted(all.iter().map(|s| s.scope.clone()).collect()),
        ["account.service", GLOBAL_SCOPE, "transaction.service"]
    );
    assert!(
        all.iter().all(|s| s.version == 1 && s.flags.stage() == Some(Stage::EventsOnly)),
        "{all:?}"
    );
    pipeline.stop().await;
}

pub async fn flags_and_their_history_outlive_the_process<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let state = set(&pipeline, &change("file.service", Stage::EventsOnly, 0))
        .await
        .expect("changed");
    let history = pipeline.ports.flags.history(10).await.expect("history");
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(stage(&pipeline, "file.service").await, Some(Stage::EventsOnly));
    assert_eq!(pipeline.ports.flags.history(10).await.expect("history"), history);
    assert_eq!(
        set(&pipeline, &change("file.service", Stage::Shadow, 0)).await,
        Err(FlagError::VersionMoved(state))
    );
    pipeline.stop().await;
}
