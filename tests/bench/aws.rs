//! The AWS side against an emulator, with the calls counted: they are what an account pays for, whatever the machine.

mod calls;
mod letters;
mod metrics;
mod reading;

pub(crate) use calls::for_an_event;
pub(crate) use letters::{redrive, takeover};
pub(crate) use metrics::refresh;
pub(crate) use reading::events_page;
