//! Operations over letters: what they change, what they leave alone, how they are told.

use pipeline::letter::{Letter, LetterFilter, LetterStatus};
use pipeline::operation::{ItemStatus, NewOperation, Operation, OperationItem, OperationKind, OperationStatus, Selection};
use pipeline::page::Page;
use pipeline::ports::OperationError;

use super::{Backend, Fresh, Running, broken_update, drained, eventually, open, over, poison};

/// As many letters of categorization, all open.
pub async fn poisoned(pipeline: &Running, count: usize) -> Vec<Letter> {
    pipeline.accept((0..count).map(|_| poison()).collect(), None).await;
    drained(pipeline).await;
    let letters = pipeline.letters(&open()).await;
    assert_eq!(letters.len(), count);
    letters
}

pub async fn start(pipeline: &Running, wish: &NewOperation) -> Operation {
    pipeline.ports.operations.start(wish, "ada").await.expect("an operation")
}

pub fn discard_all() -> NewOperation {
    over(OperationKind::Discard, Selection::Filter(open()))
}

pub async fn a_dry_run_counts_and_changes_nothing<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 3).await;
    for kind in OperationKind::ALL {
        let select = match kind {
            OperationKind::Restore => LetterFilter::default(),
            OperationKind::Redrive | OperationKind::Discard => open(),
        };
        let wish = NewOperation {
            dry_run: true,
            ..over(kind, Selection::Filter(select))
        };
        let operation = start(&pipeline, &wish).await;
        assert_eq!((operation.status, operation.total), (OperationStatus::DryRun, 3), "{kind:?}");
        assert_eq!(operation.settled(), 0, "nothing was done to any of them");
    }
    // A real one, up to its end, gives a dry run that is carried out after all its time.
    pipeline.accept(vec![poison()], None).await;
    drained(&pipeline).await;
    let other = pipeline.letters(&open()).await.remove(0);
    pipeline.operate(OperationKind::Discard, &[&other.id]).await;
    assert_eq!(pipeline.letters(&open()).await, letters, "the letters are as they were");
    pipeline.stop().await;
}

pub async fn a_discarded_letter_is_set_aside_and_can_be_restored<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 2).await;
    let id = letters[0].id.as_str();
    let discarded = pipeline.operate(OperationKind::Discard, &[id]).await;
    assert_eq!(
        (discarded.operation.status, discarded.operation.succeeded),
        (OperationStatus::Done, 1)
    );
    assert_eq!(discarded.items[0].status, ItemStatus::Succeeded);
    let letter = pipeline.letter(id).await;
    assert_eq!((letter.status, letter.attempts), (LetterStatus::Discarded, 1));
    assert!(letter.status_at >= letter.failed_at, "{letter:?}");
    assert_eq!(pipeline.letter(&letters[1].id).await, letters[1], "the other is as it was");

    let restored = pipeline.operate(OperationKind::Restore, &[id]).await;
    assert_eq!(restored.operation.succeeded, 1);
    let again = pipeline.letter(id).await;
    assert_eq!(
        again,
        Letter {
            status_at: again.status_at,
            ..letters[0].clone()
        },
        "open as it was before"
    );
    pipeline.stop().await;
}

pub async fn letters_in_another_state_are_passed_over<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 2).await;
    let (a, b) = (letters[0].id.as_str(), letters[1].id.as_str());
    pipeline.operate(OperationKind::Discard, &[a]).await;
    let again = pipeline.operate(OperationKind::Discard, &[a, b, "never"]).await;
    assert_eq!(
        (
            again.operation.total,
            again.operation.succeeded,
            again.operation.failed,
            again.operation.skipped
        ),
        (3, 1, 0, 2)
    );
    for passed_over in [a, "never"] {
        let item = again.items.iter().find(|i| i.letter_id == passed_over).expect("its item");
        assert!(item.status == ItemStatus::Skipped && item.note.is_some(), "{item:?}");
    }
    let restored = pipeline.operate(OperationKind::Restore, &[a]).await;
    assert_eq!(restored.operation.succeeded, 1);
    let nothing = pipeline.operate(OperationKind::Restore, &[a]).await;
    assert_eq!(
        (nothing.operation.status, nothing.operation.skipped),
        (OperationStatus::Done, 1),
        "an open letter stays open"
    );
    let redrive = pipeline.operate(OperationKind::Redrive, &[b]).await;
    assert_eq!(
        (redrive.operation.skipped, redrive.operation.failed),
        (1, 0),
        "what was set aside is not sent"
    );
    assert_eq!(pipeline.letter(b).await.attempts, 1);
    pipeline.stop().await;
}

pub async fn the_selection_is_frozen_at_the_start<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let frozen = poisoned(&pipeline, 2).await;
    // A redrive can't end while its consumer is paused, so the later letter comes while it runs.
    pipeline.ports.consumers.set_paused("categorization", true).await.expect("paused");
    let redrive = over(OperationKind::Redrive, Selection::Filter(open()));
    let operation = start(&pipeline, &redrive).await;
    assert_eq!((operation.status, operation.total), (OperationStatus::Running, 2));
    pipeline.accept(vec![broken_update()], None).await;
    let of_analytics = LetterFilter {
        consumer: Some("analytics".into()),
        ..Default::default()
    };
    eventually("the later letter is written", || async {
        pipeline.ports.letters.count(&of_analytics).await == Ok(1)
    })
    .await;
    pipeline.ports.consumers.set_paused("categorization", false).await.expect("resumed");
    let ended = pipeline.ended(&operation.id).await;
    assert_eq!((ended.operation.total, ended.operation.failed), (2, 2));
    let mut items: Vec<_> = ended.items.iter().map(|i| i.letter_id.as_str()).collect();
    let mut wanted: Vec<_> = frozen.iter().map(|l| l.id.as_str()).collect();
    items.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(items, wanted);
    let later = pipeline.letters(&of_analytics).await.remove(0);
    assert_eq!((later.status, later.attempts), (LetterStatus::Open, 1));
    pipeline.stop().await;
}

pub async fn a_cancelled_operation_leaves_alone_what_it_had_not_begun<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    poisoned(&pipeline, 20).await;
    let slow = NewOperation {
        rate: Some(1),
        ..discard_all()
    };
    let operation = start(&pipeline, &slow).await;
    let cancelled = pipeline.ports.operations.cancel(&operation.id).await.expect("cancelled");
    assert_eq!(cancelled.status, OperationStatus::Cancelled);
    assert!(cancelled.finished_at.is_some() && cancelled.succeeded < 20, "{cancelled:?}");
    let before = pipeline.operation(&operation.id).await;
    assert_eq!(before.operation, cancelled);
    // Another operation runs to its end: time enough for the cancelled one to go on, if it would.
    let untouched = pipeline.letters(&open()).await;
    assert_eq!(untouched.len() as u64, 20 - cancelled.succeeded);
    pipeline.operate(OperationKind::Discard, &[&untouched[0].id]).await;
    assert_eq!(pipeline.letters(&open()).await, untouched[1..]);
    assert_eq!(pipeline.operation(&operation.id).await, before);
    pipeline.stop().await;
}

pub async fn an_operation_that_ended_or_never_was_is_not_cancelled<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.operations.get("never").await, Ok(None));
    assert_eq!(
        pipeline.ports.operations.cancel("never").await,
        Err(OperationError::Unknown("never".into()))
    );
    let letters = poisoned(&pipeline, 1).await;
    let ended = pipeline.operate(OperationKind::Discard, &[&letters[0].id]).await;
    assert_eq!(
        pipeline.ports.operations.cancel(&ended.operation.id).await,
        Err(OperationError::Ended(ended.operation.id.clone()))
    );
    assert_eq!(pipeline.operation(&ended.operation.id).await, ended, "it stays as it ended");
    // Whether a dry run is kept is left open; that there is nothing left of it to cancel is not.
    let dry = NewOperation {
        dry_run: true,
        ..discard_all()
    };
    let counted = start(&pipeline, &dry).await;
    let answer = pipeline.ports.operations.cancel(&counted.id).await;
    assert!(
        matches!(answer, Err(OperationError::Ended(_) | OperationError::Unknown(_))),
        "{answer:?}"
    );
    pipeline.stop().await;
}

pub async fn operations_are_listed_newest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(pipeline.ports.operations.list(10, None).await, Ok(Page::empty()));
    let id = poisoned(&pipeline, 1).await.remove(0).id;
    let mut made = Vec::new();
    for kind in [OperationKind::Discard, OperationKind::Restore, OperationKind::Discard] {
        made.insert(0, pipeline.operate(kind, &[&id]).await.operation);
    }
    assert_eq!(pipeline.ports.operations.list(10, None).await.expect("operations").items, made);
    assert_eq!(pipeline.ports.operations.list(2, None).await.expect("operations").items, made[..2]);
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(pipeline.ports.operations.list(10, None).await.expect("operations").items, made);
    pipeline.stop().await;
}

pub async fn an_operations_items_are_read_by_status_and_page_by_page<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 3).await;
    pipeline.operate(OperationKind::Discard, &[&letters[0].id]).await;
    let ids: Vec<&str> = letters.iter().map(|letter| letter.id.as_str()).chain(["never"]).collect();
    let detail = pipeline.operate(OperationKind::Discard, &ids).await;
    let operations = &pipeline.ports.operations;
    let id = detail.operation.id.as_str();
    let read = async |only, limit, cursor: Option<&str>| operations.items(id, only, limit, cursor).await.expect("items");
    let of = |items: &[OperationItem]| items.iter().map(|i| i.letter_id.clone()).collect::<Vec<_>>();

    let all = read(None, 500, None).await;
    assert_eq!((of(&all.items), all.next), (of(&detail.items), None));
    assert_eq!(of(&all.items), ids, "in the order of the selection");
    assert_eq!(
        (all.items[1].consumer.as_deref(), all.items[1].event_type.as_deref()),
        (Some("categorization"), letters[1].event_type.as_deref())
    );
    assert_eq!((&all.items[3].consumer, &all.items[3].event_type), (&None, &None), "there is none");
    let skipped = read(Some(ItemStatus::Skipped), 500, None).await.items;
    assert_eq!(of(&skipped), [ids[0], "never"]);
    assert!(skipped.iter().all(|item| item.note.is_some()), "each says why: {skipped:?}");
    assert_eq!(read(Some(ItemStatus::Failed), 500, None).await, Page::empty());

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = read(None, 2, cursor.as_deref()).await;
        assert!(page.items.len() <= 2);
        seen.extend(of(&page.items));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids, "each once, over all pages");
    assert_eq!(operations.items("never", None, 10, None).await, Ok(Page::empty()));
    assert!(operations.items(id, None, 0, None).await.is_err(), "a page holds something");
    assert!(operations.items(id, None, 10, Some("nonsense")).await.is_err());
    pipeline.stop().await;
}

pub async fn a_letter_says_what_was_done_to_it_by_whom_and_why<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let letters = poisoned(&pipeline, 2).await;
    let id = letters[0].id.as_str();
    let operations = async |id: &str| {
        pipeline
            .ports
            .letters
            .get(id)
            .await
            .expect("an answer")
            .expect("a letter")
            .operations
    };
    assert_eq!(operations(id).await, []);
    let discarded = pipeline.operate(OperationKind::Discard, &[id]).await.operation;
    let again = pipeline.operate(OperationKind::Discard, &[id]).await.operation;
    let done = operations(id).await;
    assert_eq!(
        done.iter().map(|d| (d.operation.as_str(), d.kind, d.status)).collect::<Vec<_>>(),
        [
            (again.id.as_str(), OperationKind::Discard, ItemStatus::Skipped),
            (discarded.id.as_str(), OperationKind::Discard, ItemStatus::Succeeded),
        ],
        "newest first"
    );
    assert_eq!(
        (&done[1].actor, &done[1].reason, done[1].created_at),
        (&discarded.actor, &discarded.reason, discarded.created_at)
    );
    assert!(done[0].note.is_some() && done[1].note.is_none(), "{done:?}");
    assert_eq!(operations(&letters[1].id).await, [], "nobody touched the other");
    pipeline.stop().await;
}
