//! Icons, drawn in the text's colour. Each stands beside a word, never instead of one.

use leptos::prelude::*;

/// An icon of the navigation, 16 units square.
#[component]
pub fn Icon(
    /// Its path.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// A line with a beat.
pub const OVERVIEW: &str = "M2 10h3l2-6 3 9 2-5h2";
/// Two that feed one.
pub const CONSUMERS: &str =
    "M6 4a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM14 4a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM10 12a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM5 6l2 4M11 6l-2 4";
/// Lines of a list.
pub const EVENTS: &str = "M3 3h10M3 8h10M3 13h6";
/// An envelope.
pub const LETTERS: &str = "M2 3.5h12v9H2zM2.5 5l5.5 4 5.5-4";
/// Two ways.
pub const CUTOVER: &str = "M2 5h7l3 6h2M2 11h3M11 3l3 2-3 2";
/// A clock.
pub const ACTIVITY: &str = "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM8 4.5V8l2.5 1.5";
/// A magnifying glass.
pub const FINDINGS: &str = "M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.2 10.2L14 14";
/// A switch.
pub const DEMO: &str = "M5 4h6a4 4 0 0 1 0 8H5a4 4 0 0 1 0-8zM11 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z";
