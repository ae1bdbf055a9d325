//! Lists that are read a page at a time.

use serde::{Deserialize, Serialize};

use crate::event::InvalidField;

/// The most entries one page may hold.
pub const MAX_LIMIT: u32 = 500;

/// One page of a list, newest first, and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The entries, newest first.
    pub items: Vec<T>,
    /// Opaque; passed back as `cursor` it gives the next page. `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page without entries.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            items: Vec::new(),
            next: None,
        }
    }
}

/// Checks a page's size.
///
/// # Errors
/// It is 0, or more than [`MAX_LIMIT`].
pub fn check_limit(limit: u32) -> Result<u32, InvalidField> {
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(InvalidField::new("limit", format!("must be between 1 and {MAX_LIMIT}")))
    }
}

/// A cursor that no list gave.
#[must_use]
pub fn no_cursor() -> InvalidField {
    InvalidField::new("cursor", "is not one that this list gave; start without it")
}

/// Reads a cursor of a list by time and id: `1790000000000.id`.
///
/// # Errors
/// See [`no_cursor`].
pub fn read_cursor(text: &str) -> Result<(i64, String), InvalidField> {
    let (at, id) = text.split_once('.').ok_or_else(no_cursor)?;
    Ok((at.parse().map_err(|_| no_cursor())?, id.to_owned()))
}
