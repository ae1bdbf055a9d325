//! The real binary over real sockets. Modules mirror the URLs and the commands.

mod api;
mod help;
mod ingest;
mod notifications;
mod put_events;
mod retention;
mod round_trip;
mod service;
mod shutdown;
mod startup;
