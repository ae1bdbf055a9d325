//! What the whole-product tests stand on: the real binary, real sockets, a real browser.
//!
//! A test starts a server of its own with [`server::Setup`], on free ports and a fresh data directory, and speaks to it
//! over HTTP ([`endpoint`]), through an AWS SDK ([`sdk`]) or with a browser ([`browser`]). Nothing sleeps for a fixed
//! time: what takes a while is awaited with [`wait::eventually`].

pub mod account;
pub mod between;
pub mod browser;
pub mod data;
pub mod deployment;
mod emulator;
pub mod endpoint;
pub mod event;
pub mod flow;
pub mod live;
pub mod rules;
pub mod sdk;
pub mod server;
pub mod wait;
