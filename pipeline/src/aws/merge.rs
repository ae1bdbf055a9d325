//! One list out of several, each newest first, a page at a time.

use std::collections::VecDeque;

use futures::future::try_join_all;

use crate::ports::StoreError;

/// Where something stands in a list: by its time, Unix milliseconds, and by its id where two have the same.
pub(super) type Position = (i64, String);

/// Something that stands in such a list.
pub(super) trait Positioned {
    fn at(&self) -> i64;
    fn id(&self) -> &str;
}

fn position(found: &impl Positioned) -> Position {
    (found.at(), found.id().to_owned())
}

/// What one call for more brought, newest first.
#[derive(Debug)]
pub(super) struct Batch<T> {
    pub(super) items: Vec<T>,
    /// Whatever stands after this instant has come by now, in Unix milliseconds; `None` when everything has.
    pub(super) seen_after: Option<i64>,
}

/// A list that is asked for more.
pub(super) trait Source {
    type Item: Positioned;
    fn more(&mut self) -> impl Future<Output = Result<Batch<Self::Item>, StoreError>>;
}

struct Stream<S: Source> {
    source: S,
    buffer: VecDeque<S::Item>,
    /// See [`Batch::seen_after`].
    seen_after: Option<i64>,
}

impl<S: Source> Stream<S> {
    /// How late something may have happened that has not come yet; `None` if nothing has that could come before what is buffered.
    fn doubt(&self) -> Option<i64> {
        self.seen_after
            .filter(|limit| self.buffer.front().is_none_or(|first| first.at() <= *limit))
    }

    async fn fetch(&mut self) -> Result<(), StoreError> {
        let batch = self.source.more().await?;
        self.buffer.extend(batch.items);
        self.seen_after = batch.seen_after;
        // A list orders those of the same millisecond as it likes.
        self.buffer
            .make_contiguous()
            .sort_by(|a, b| (b.at(), b.id()).cmp(&(a.at(), a.id())));
        Ok(())
    }
}

/// How much is done for one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Events that are looked through.
    pub(super) searched: u64,
    /// How often lists are asked, those that have to be at once.
    pub(super) rounds: u32,
}

/// A page.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub(super) items: Vec<T>,
    /// The page after this begins behind it.
    pub(super) next: Option<Position>,
    pub(super) searched: u64,
    /// The budget was spent before the page was full.
    pub(super) partial: bool,
}

/// The next `size` that fit, of what stands behind `from`.
pub(super) async fn page<S: Source>(
    sources: Vec<S>,
    from: Option<&Position>,
    size: usize,
    fits: impl Fn(&S::Item) -> bool,
    budget: Budget,
) -> Result<Found<S::Item>, StoreError> {
    let mut streams: Vec<Stream<S>> = sources
        .into_iter()
        .map(|source| Stream {
            source,
            buffer: VecDeque::new(),
            seen_after: Some(i64::MAX),
        })
        .collect();
    let mut found = Found {
        items: Vec::new(),
        next: None,
        searched: 0,
        partial: false,
    };
    let (mut last, mut rounds) = (None, 0);
    loop {
        let doubt = streams.iter().filter_map(Stream::doubt).max();
        let newest = (0..streams.len())
            .filter_map(|n| streams[n].buffer.front().map(|front| (position(front), n)))
            .max();
        match (newest, doubt) {
            (None, None) => return Ok(found),
            (Some((at, n)), doubt) if doubt.is_none_or(|doubt| at.0 > doubt) => {
                if found.items.len() == size || found.searched == budget.searched {
                    found.partial = found.items.len() < size;
                    found.next = last;
                    return Ok(found);
                }
                let Some(item) = streams[n].buffer.pop_front() else { continue };
                if from.is_some_and(|from| at >= *from) {
                    continue;
                }
                found.searched += 1;
                if fits(&item) {
                    found.items.push(item);
                }
                last = Some(at);
            }
            // All later ones have come; in this millisecond there may be more. A page that would begin where this one did is no
            // help: then one asks on, whatever the budget says.
            (_, Some(doubt)) if rounds >= budget.rounds && from.is_none_or(|from| (doubt.saturating_add(1), String::new()) < *from) => {
                found.partial = found.items.len() < size;
                found.next = Some((doubt.saturating_add(1), String::new()));
                return Ok(found);
            }
            (newest, _) => {
                rounds += 1;
                let newest = newest.map_or(i64::MIN, |(at, _)| at.0);
                let asked = streams
                    .iter_mut()
                    .filter(|stream| stream.doubt().is_some_and(|doubt| doubt >= newest));
                try_join_all(asked.map(Stream::fetch)).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Entry(i64, String);

    impl Positioned for Entry {
        fn at(&self) -> i64 {
            self.0
        }
        fn id(&self) -> &str {
            &self.1
        }
    }

    fn at(timestamp: i64, id: u32) -> Entry {
        Entry(timestamp, format!("{id:03}"))
    }

    /// Gives `size` at a time, newest first, those of a millisecond in the order that they are in; counts how often it is asked.
    struct List<'a> {
        events: Vec<Entry>,
        size: usize,
        asked: &'a std::cell::Cell<u32>,
    }

    impl Source for List<'_> {
        type Item = Entry;
        async fn more(&mut self) -> Result<Batch<Entry>, StoreError> {
            self.asked.set(self.asked.get() + 1);
            let items: Vec<_> = self.events.drain(..self.size.min(self.events.len())).collect();
            let seen_after = items.last().map(|last| last.0).filter(|_| !self.events.is_empty());
            Ok(Batch { items, seen_after })
        }
    }

    fn lists<'a>(lists: &[Vec<Entry>], from: Option<&Position>, size: usize, asked: &'a std::cell::Cell<u32>) -> Vec<List<'a>> {
        lists
            .iter()
            .map(|events| {
                let mut events: Vec<_> = events.iter().filter(|e| from.is_none_or(|(at, _)| e.0 <= *at)).cloned().collect();
                events.sort_by_key(|e| std::cmp::Reverse(e.0));
                List { events, size, asked }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn pages_hold_everything_once_in_order(
            spread in prop::collection::vec((0_i64..6, 0_usize..4), 0..60),
            (batch, size, odd, rounds) in (1_usize..5, 1_usize..8, any::<bool>(), 1_u32..5),
        ) {
            let mut split = vec![Vec::new(); 4];
            for (id, (timestamp, list)) in spread.iter().enumerate() {
                split[*list].push(at(*timestamp, u32::try_from(id).expect("few")));
            }
            let fits = |e: &Entry| !odd || e.1.as_bytes()[2] % 2 == 1;
            let mut expected: Vec<Entry> = split.concat().into_iter().filter(fits).collect();
            expected.sort_by_key(|e: &Entry| std::cmp::Reverse(position(e)));
            let (mut seen, mut from, asked) = (Vec::new(), None, std::cell::Cell::new(0));
            let budget = Budget { searched: 7, rounds };
            for _ in 0..200 {
                let sources = lists(&split, from.as_ref(), batch, &asked);
                let found = futures::executor::block_on(page(sources, from.as_ref(), size, fits, budget)).expect("a page");
                prop_assert!(found.items.len() <= size && found.searched <= 7);
                prop_assert_eq!(found.partial, found.next.is_some() && found.items.len() < size);
                seen.extend(found.items);
                from = found.next;
                if from.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_page_costs_one_question_for_each_list() {
        let split: Vec<Vec<Entry>> = (0..3)
            .map(|list| (0..50).map(|n| at(i64::from(n), list * 100 + n)).collect())
            .collect();
        let asked = std::cell::Cell::new(0);
        let budget = Budget {
            searched: u64::MAX,
            rounds: 10,
        };
        let found = futures::executor::block_on(page(lists(&split, None, 22, &asked), None, 20, |_| true, budget)).expect("a page");
        assert_eq!((found.items.len(), asked.get()), (20, 3));
    }

    #[test]
    fn a_spent_budget_says_how_far_it_came() {
        let events: Vec<_> = (0..30).map(|n| at(i64::from(n), n)).collect();
        let asked = std::cell::Cell::new(0);
        let budget = Budget {
            searched: u64::MAX,
            rounds: 2,
        };
        let found = futures::executor::block_on(page(lists(&[events], None, 5, &asked), None, 20, |_| false, budget)).expect("a page");
        assert!(found.partial && found.items.is_empty());
        assert_eq!(
            found.next,
            Some((21, String::new())),
            "29 to 21 were looked at, and 20, but perhaps not all of it"
        );
    }
}
