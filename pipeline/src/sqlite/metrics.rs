//! Metrics: counted in memory, written every second, read back merged.
//!
//! The book holds what happened since the last write. It needs no log of its own: the ledger and the attempts
//! are on disk, and the marks say how far into them the written metrics go, so a crash loses no count.

mod book;
mod bucket;
mod read;

pub(super) use book::{Book, Counted, PUBLISHER, Sample};
