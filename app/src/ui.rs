//! What every page is made of.

pub mod confirm;
pub mod frame;
pub mod held;
pub mod icon;
pub mod keys;
pub mod loaded;
pub mod number;
pub mod query_form;
pub mod range;
pub mod source;
pub mod state;
pub mod theme;
pub mod time;
