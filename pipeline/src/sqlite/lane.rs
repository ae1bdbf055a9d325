//! Lanes: each consumer's events in memory, in front of what is on disk.
//!
//! A lane holds at most [`READY`] events. What doesn't fit stays on disk alone and is read when the lane has
//! room: `tail` is how far memory has seen, and `behind` says that there is more beyond it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::delivery::Work;

/// The most events a lane holds ready.
pub(super) const READY: usize = 4096;
/// The most retries a lane keeps in memory; further ones wait on disk.
pub(super) const RETRIES: usize = 4096;

/// One lane for each consumer, in the order of their ids.
pub(super) struct Lanes(Vec<Lane>);

impl Lanes {
    pub(super) fn new(names: Vec<String>, paused: &[String]) -> Self {
        Self(
            names
                .into_iter()
                .enumerate()
                .map(|(id, name)| Lane::new(id, paused.contains(&name), name))
                .collect(),
        )
    }

    pub(super) fn all(&self) -> &[Lane] {
        &self.0
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&Lane> {
        self.0.iter().find(|lane| lane.name == name)
    }

    pub(super) fn by_id(&self, id: usize) -> Option<&Lane> {
        self.0.get(id)
    }
}

pub(super) struct Lane {
    pub(super) id: usize,
    pub(super) name: String,
    paused: AtomicBool,
    state: Mutex<State>,
    pub(super) changed: Notify,
}

pub(super) struct State {
    /// To be worked on now.
    pub(super) ready: VecDeque<Work>,
    /// To be worked on later: by due time, then position.
    pub(super) retries: BTreeMap<(i64, i64), Work>,
    /// Everything of this lane that is in memory: ready, waiting for a retry, or being worked on.
    pub(super) held: HashSet<i64>,
    /// Everything open up to here is held, or is a retry on disk.
    pub(super) tail: i64,
    /// There may be open events beyond `tail` that are not held.
    pub(super) behind: bool,
    /// Something arrived while a page was being read.
    pub(super) missed: bool,
    /// A page is being read.
    pub(super) loading: bool,
    /// There may be retries on disk that are not held.
    pub(super) retries_on_disk: bool,
}

impl Lane {
    fn new(id: usize, paused: bool, name: String) -> Self {
        // A lane starts behind: whatever an earlier run left open is read first.
        let state = State {
            ready: VecDeque::new(),
            retries: BTreeMap::new(),
            held: HashSet::new(),
            tail: 0,
            behind: true,
            missed: false,
            loading: false,
            retries_on_disk: true,
        };
        Self {
            id,
            name,
            paused: AtomicBool::new(paused),
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// This consumer's bit in the ledger's sets.
    pub(super) const fn bit(&self) -> i64 {
        1 << self.id
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Takes an event that was just committed. Called in the order of the commits.
    pub(super) fn offer(&self, work: Work) {
        let mut state = self.state();
        if state.behind || state.ready.len() >= READY {
            state.behind = true;
            state.missed = true;
        } else {
            state.tail = work.seq;
            state.held.insert(work.seq);
            state.ready.push_back(work);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Takes an event back out of turn: a redrive.
    pub(super) fn push_front(&self, work: Work) {
        let mut state = self.state();
        if state.held.insert(work.seq) {
            state.ready.push_front(work);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Takes back events that were handed out and not begun, in order.
    pub(super) fn take_back(&self, work: Vec<Work>) {
        let mut state = self.state();
        for one in work.into_iter().rev() {
            state.ready.push_front(one);
        }
    }

    /// Has an event wait for its next attempt at `due`, Unix milliseconds.
    pub(super) fn retry(&self, due: i64, work: Work) {
        let mut state = self.state();
        if state.retries.len() >= RETRIES {
            state.held.remove(&work.seq);
            state.retries_on_disk = true;
        } else {
            state.retries.insert((due, work.seq), work);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Forgets an event that is settled.
    pub(super) fn release(&self, seq: i64) {
        self.state().held.remove(&seq);
    }
}
