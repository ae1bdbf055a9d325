//! The real binary over real sockets. Modules mirror the URLs and the commands.

mod api;
mod help;
mod ingest;
mod put_events;
mod round_trip;
mod service;
mod shutdown;
mod startup;
