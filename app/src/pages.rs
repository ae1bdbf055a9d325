//! The pages. Each has its view in `mod.rs` and its server functions in `api.rs`.
//!
//! In the browser their code is in files of its own, which are fetched when somebody goes there ([`parts`]).

pub mod activity;
pub mod consumers;
pub mod cutover;
pub mod demo;
pub mod events;
pub mod findings;
pub mod letters;
pub mod operations;
pub mod overview;
pub mod parts;
