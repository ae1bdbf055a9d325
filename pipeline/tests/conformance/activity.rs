//! The activity log: what people did, chained.

use std::collections::HashSet;

use pipeline::activity::{Activity, NewActivity, Outcome};
use pipeline::page::MAX_LIMIT;
use pipeline::time::Timestamp;

use super::{Backend, Fresh, Running, pages};

fn did(what: &str) -> NewActivity {
    NewActivity {
        actor: "ada".into(),
        action: "consumer.pause".into(),
        target: what.into(),
        summary: format!("paused {what}"),
        reason: Some("deploy".into()),
        outcome: Outcome::Done,
    }
}

async fn record(pipeline: &Running, entry: NewActivity) -> Activity {
    pipeline.ports.activity.record(entry).await.expect("an entry")
}

async fn all(pipeline: &Running) -> Vec<Activity> {
    pipeline.ports.activity.list(500, None).await.expect("a page").items
}

pub async fn entries_are_numbered_from_one_and_listed_newest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(all(&pipeline).await, []);
    let before = Timestamp::now();
    let first = record(&pipeline, did("audit")).await;
    let second = record(&pipeline, did("analytics")).await;
    assert_eq!((first.id, second.id), (1, 2));
    assert!(before <= first.at && first.at <= second.at, "{first:?} {second:?}");
    assert_eq!(
        (
            first.actor.as_str(),
            first.action.as_str(),
            first.target.as_str(),
            first.summary.as_str()
        ),
        ("ada", "consumer.pause", "audit", "paused audit")
    );
    assert_eq!((first.reason.as_deref(), &first.outcome), (Some("deploy"), &Outcome::Done));
    assert_eq!(all(&pipeline).await, [second, first], "the list shows what `record` answered");
    pipeline.stop().await;
}

pub async fn pages_show_every_entry_once<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    for i in 0..6 {
        record(&pipeline, did(&i.to_string())).await;
    }
    let pages = pages(async |cursor| pipeline.ports.activity.list(3, cursor.as_deref()).await.expect("a page")).await;
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [3, 3],
        "no page after the last entry"
    );
    assert_eq!(pages.concat().iter().map(|a| a.id).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);

    // An entry that comes in between belongs before the first page and moves nothing.
    let page = pipeline.ports.activity.list(3, None).await.expect("a page");
    record(&pipeline, did("late")).await;
    let rest = pipeline.ports.activity.list(3, page.next.as_deref()).await.expect("a page");
    assert_eq!(rest.items.iter().map(|a| a.id).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(pipeline.ports.activity.list(3, Some("rubbish")).await.is_err());
    assert!(pipeline.ports.activity.list(0, None).await.is_err());
    assert!(pipeline.ports.activity.list(MAX_LIMIT + 1, None).await.is_err());
    pipeline.stop().await;
}

pub async fn refusals_are_kept_with_what_they_were_for<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let refused = NewActivity {
        outcome: Outcome::Refused("the version moved — «1» → 2".into()),
        reason: None,
        ..did("global")
    };
    let entry = record(&pipeline, refused.clone()).await;
    assert_eq!((&entry.outcome, &entry.reason), (&refused.outcome, &None));
    assert_eq!(all(&pipeline).await, [entry]);
    pipeline.stop().await;
}

pub async fn every_entry_has_a_hash_of_its_own_even_if_it_says_the_same<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // The same words again and again, faster than the clock ticks: only the hash before can tell them apart.
    for _ in 0..50 {
        record(&pipeline, did("audit")).await;
    }
    let entries = all(&pipeline).await;
    let sha256 = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(entries.iter().all(|a| sha256(&a.hash)), "{entries:?}");
    assert_eq!(entries.iter().map(|a| a.hash.as_str()).collect::<HashSet<_>>().len(), 50);
    pipeline.stop().await;
}

pub async fn the_record_goes_on_after_a_restart<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let first = record(&pipeline, did("audit")).await;
    let pipeline = pipeline.restart::<B>().await;
    let second = record(&pipeline, did("audit")).await;
    assert_eq!(second.id, 2);
    assert_ne!(second.hash, first.hash);
    assert_eq!(
        all(&pipeline).await,
        [second, first],
        "what was written stays as it was, its hash included"
    );
    pipeline.stop().await;
}

pub async fn entries_made_at_once_leave_no_gap<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let writers: Vec<_> = (0..20)
        .map(|i| {
            let log = pipeline.ports.activity.clone();
            tokio::spawn(async move { log.record(did(&i.to_string())).await.expect("an entry") })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    let entries = all(&pipeline).await;
    assert_eq!(entries.iter().map(|a| a.id).collect::<Vec<_>>(), (1..=20).rev().collect::<Vec<_>>());
    assert_eq!(entries.iter().map(|a| a.hash.as_str()).collect::<HashSet<_>>().len(), 20);
    assert!(
        entries.is_sorted_by(|a, b| a.at >= b.at),
        "later entries are not older: {entries:?}"
    );
    pipeline.stop().await;
}
