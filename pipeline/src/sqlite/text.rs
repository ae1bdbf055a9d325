//! Looking for a text in SQL.

use std::borrow::Cow;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::text::holds;

/// Makes [`holds`] known to SQL as `holds(text, needle)`.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("holds", 2, flags, |arguments| {
        let (text, needle): (Cow<'_, str>, Cow<'_, str>) = (arguments.get_raw(0).as_str()?.into(), arguments.get_raw(1).as_str()?.into());
        Ok(holds(&text, &needle))
    })
}
