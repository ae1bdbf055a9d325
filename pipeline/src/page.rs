//! Lists that are read a page at a time.

use serde::{Deserialize, Serialize};

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
