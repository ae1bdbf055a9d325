//! The pages. Each has its view in `mod.rs` and its server functions in `api.rs`.

pub mod activity;
pub mod consumers;
pub mod cutover;
pub mod demo;
pub mod events;
pub mod letters;
pub mod overview;
