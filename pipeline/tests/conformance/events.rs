//! The event store: filters, paging, facets, and each event whole.

use pipeline::event::{Draft, Event};
use pipeline::page::MAX_LIMIT;
use pipeline::ports::EventFilter;
use pipeline::publisher::Publisher;
use pipeline::time::Timestamp;

use super::{Backend, Fresh, Running, drained, event, eventually, fields, pages, sorted, unknown, updated};

/// An instant that nothing happened near.
pub const THEN: i64 = 1_790_000_000_000;

/// An event with a given id that happened `after` ms after [`THEN`].
pub fn at(id: &str, after: i64) -> Event {
    Event {
        event_id: id.into(),
        timestamp: THEN + after,
        ..unknown()
    }
}

pub async fn stored(pipeline: &Running, events: Vec<Event>) {
    pipeline.accept(events, None).await;
    drained(pipeline).await;
}

/// Every page of what matches: ids.
pub async fn paged(pipeline: &Running, filter: &EventFilter, limit: u32) -> Vec<Vec<String>> {
    let pages = pages(async |cursor| {
        pipeline
            .ports
            .events
            .list(filter, limit, cursor.as_deref())
            .await
            .expect("a page")
            .page
    })
    .await;
    pages
        .into_iter()
        .map(|page| page.into_iter().map(|s| s.event.event_id).collect())
        .collect()
}

pub async fn found(pipeline: &Running, filter: EventFilter) -> Vec<String> {
    paged(pipeline, &filter, MAX_LIMIT).await.concat()
}

pub async fn lists_page_through_everything_once_and_filters_narrow_them<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let mut events: Vec<Event> = (0..130).map(|_| updated()).collect();
    events.push(event(
        "account.deleted",
        "account.service",
        r#"{"accountId":"needle-7","transactionCount":1}"#,
    ));
    pipeline.publisher.publish(events.clone()).await;
    drained(&pipeline).await;
    let seen = paged(&pipeline, &EventFilter::default(), 50).await.concat();
    assert_eq!(sorted(seen), sorted(events.iter().map(|e| e.event_id.clone()).collect()));
    let needle = EventFilter {
        q: Some("NEEDLE-7".into()),
        ..Default::default()
    };
    let page = pipeline.ports.events.list(&needle, 50, None).await.expect("a page");
    assert_eq!((page.page.items.len(), page.searched, page.partial), (1, 131, false));
    for (limit, cursor) in [(0, None), (MAX_LIMIT + 1, None), (5, Some("rubbish"))] {
        assert!(
            pipeline.ports.events.list(&EventFilter::default(), limit, cursor).await.is_err(),
            "{limit} {cursor:?}"
        );
    }
    pipeline.stop().await;
}

pub async fn events_are_listed_by_when_they_happened_newest_first<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    // Published out of order: the order of arrival is not the order of what happened.
    stored(&pipeline, vec![at("b", 2_000), at("d", 9_000), at("a", 1_000)]).await;
    stored(&pipeline, vec![at("c", 3_000)]).await;
    assert_eq!(found(&pipeline, EventFilter::default()).await, ["d", "c", "b", "a"]);
    pipeline.stop().await;
}

pub async fn each_field_filter_narrows_and_together_they_narrow_further<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let one = |id: &str, event_type: &str, source: &str, user: &str, correlation: Option<&str>| Event {
        event_type: event_type.into(),
        source: source.into(),
        user_id: user.into(),
        correlation_id: correlation.map(Into::into),
        ..at(id, 0)
    };
    stored(
        &pipeline,
        vec![
            one("1", "a.b", "s.one", "ada", Some("c-1")),
            one("2", "a.b", "s.two", "bob", Some("c-1")),
            one("3", "a.c", "s.one", "ada", Some("c-2")),
            one("4", "a.c", "s.two", "ada", None),
        ],
    )
    .await;
    // By type, source, user and correlation.
    for (fields, ids) in [
        (["", "", "", ""], vec!["1", "2", "3", "4"]),
        (["a.b", "", "", ""], vec!["1", "2"]),
        (["", "s.one", "", ""], vec!["1", "3"]),
        (["", "", "ada", ""], vec!["1", "3", "4"]),
        (["", "", "", "c-1"], vec!["1", "2"]),
        (["a.c", "", "ada", ""], vec!["3", "4"]),
        (["a.c", "s.two", "ada", ""], vec!["4"]),
        (["", "", "bob", "c-1"], vec!["2"]),
        (["", "", "bob", "c-2"], vec![]),
        // Exact: neither a part of a value nor another case of it.
        (["a", "", "", ""], vec![]),
        (["", "", "Ada", ""], vec![]),
    ] {
        let [event_type, source, user, correlation] = fields.map(|f| (!f.is_empty()).then(|| f.to_owned()));
        let filter = EventFilter {
            event_type,
            source,
            user,
            correlation,
            ..Default::default()
        };
        assert_eq!(sorted(found(&pipeline, filter).await), ids, "{fields:?}");
    }
    pipeline.stop().await;
}

pub async fn from_is_in_the_span_and_to_is_not<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(&pipeline, vec![at("0", 0), at("1", 1_000), at("2", 2_000)]).await;
    let cases: [(Option<i64>, Option<i64>, &[&str]); 6] = [
        (Some(1_000), None, &["2", "1"]),
        (Some(1_001), None, &["2"]),
        (None, Some(1_000), &["0"]),
        (None, Some(1_001), &["1", "0"]),
        (Some(0), Some(2_000), &["1", "0"]),
        (Some(1_000), Some(1_000), &[]),
    ];
    for (from, to, ids) in cases {
        for event_type in [None, Some("weather.changed".to_owned())] {
            let filter = EventFilter {
                event_type,
                from: from.map(|ms| Timestamp(THEN + ms)),
                to: to.map(|ms| Timestamp(THEN + ms)),
                ..Default::default()
            };
            assert_eq!(found(&pipeline, filter).await, ids, "{from:?} {to:?}");
        }
    }
    pipeline.stop().await;
}

pub async fn pages_neither_skip_nor_repeat_events_of_the_same_instant<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let mut events = vec![at("early", 0), at("late", 10)];
    events.extend((0..7).map(|i| at(&format!("same-{i}"), 5)));
    let ids = sorted(events.iter().map(|e| e.event_id.clone()).collect());
    stored(&pipeline, events).await;
    let of_user = EventFilter {
        user: Some("u-1".into()),
        ..Default::default()
    };
    for filter in [EventFilter::default(), of_user] {
        let whole = found(&pipeline, filter.clone()).await;
        assert_eq!(sorted(whole.clone()), ids);
        assert_eq!((whole[0].as_str(), whole[8].as_str()), ("late", "early"));
        for limit in 1..=4 {
            let pages = paged(&pipeline, &filter, limit).await;
            assert!(pages.iter().all(|page| page.len() <= limit as usize));
            assert_eq!(pages.concat(), whole, "{limit} a page");
        }
    }
    pipeline.stop().await;
}

pub async fn the_page_that_holds_the_last_event_has_no_next<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    assert_eq!(paged(&pipeline, &EventFilter::default(), 3).await, [[""; 0]]);
    stored(&pipeline, (0..6).map(|i| at(&i.to_string(), i)).collect()).await;
    eventually("its type is known", || async {
        !found(&pipeline, EventFilter::default()).await.is_empty()
    })
    .await;
    assert_eq!(
        paged(&pipeline, &EventFilter::default(), 3).await,
        [["5", "4", "3"], ["2", "1", "0"]]
    );
    pipeline.stop().await;
}

pub async fn an_event_that_arrives_while_paging_moves_nothing<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    stored(&pipeline, (0..4).map(|i| at(&i.to_string(), i)).collect()).await;
    let all = EventFilter::default();
    let first = pipeline.ports.events.list(&all, 2, None).await.expect("a page").page;
    stored(&pipeline, vec![at("newer", 100)]).await;
    let second = pipeline
        .ports
        .events
        .list(&all, 2, first.next.as_deref())
        .await
        .expect("a page")
        .page;
    assert_eq!(
        second.items.iter().map(|s| s.event.event_id.as_str()).collect::<Vec<_>>(),
        ["1", "0"]
    );
    pipeline.stop().await;
}

pub async fn facets_are_each_seen_value_once_in_order<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let none = pipeline.ports.events.facets().await.expect("facets");
    assert_eq!((none.types.len(), none.sources.len()), (0, 0));
    stored(&pipeline, vec![unknown(), updated(), unknown(), event("a.b", "z.service", "{}")]).await;
    let facets = async || pipeline.ports.events.facets().await.expect("facets");
    eventually("they are known", || async { !facets().await.types.is_empty() }).await;
    let facets = facets().await;
    assert_eq!(facets.types, ["a.b", "transaction.updated", "weather.changed"]);
    assert_eq!(facets.sources, ["transaction.service", "weather.service", "z.service"]);
    let pipeline = pipeline.restart::<B>().await;
    assert_eq!(pipeline.ports.events.facets().await.expect("facets"), facets);
    pipeline.stop().await;
}

pub async fn an_event_comes_back_as_it_was_published<B: Backend>() {
    let pipeline = Fresh::start::<B>();
    let before = Timestamp::now();
    let text = r#"{"eventId":"odd-1","eventType":"odd.type","source":"odd.service","userId":"u-ü","correlationId":"c-1","causationId":null,"data":{"amount":1.25,"huge":123456789012345678901234567890,"nested":{"a":[null,true,"\u00e9\n"]}},"metadata":{"b":1,"a":2},"ours":[1.5]}"#;
    let odd = Publisher::stamp(Draft::from_json(text).expect("a draft"), false).expect("an event");
    stored(&pipeline, vec![odd.clone()]).await;
    let stored = pipeline.ports.events.get("odd-1").await.expect("a store").expect("the event");
    assert_eq!(fields(&stored.event), fields(&odd), "no field lost");
    assert!(stored.stored_at >= before && stored.stored_at <= Timestamp::now(), "{stored:?}");
    assert_eq!(pipeline.ports.events.get("never").await, Ok(None));
    pipeline.stop().await;
}
