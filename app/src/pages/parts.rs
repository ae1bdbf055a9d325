//! The pages' code, in a few files.
//!
//! The file with the first page is fetched beside the main one and is there before the browser takes the page over, which
//! then happens in one go, as if there were one file. The others are fetched when somebody goes there. There are few of
//! them because what some of them share is a file too, for each combination.

#![allow(
    unsafe_code,
    reason = "the macro that splits the code declares what is on the other side as foreign"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use leptos::wasm_split::wasm_split;

use super::activity::ActivityPage;
use super::consumers::{ConsumerDetail, ConsumersPage};
use super::cutover::CutoverPage;
use super::demo::DemoPage;
use super::events::{EventDetail, EventsPage};
use super::letters::{LetterPage, LettersPage};
use super::overview::OverviewPage;
use crate::ui::loaded::Loading;

/// A file of code, and the pages in it.
#[derive(Debug)]
pub struct Part {
    /// Its name, as the manifest of the site has it.
    pub name: &'static str,
    /// The first segments of its pages' paths.
    segments: &'static [&'static str],
    /// Whether it is here; on the server everything is.
    here: AtomicBool,
    fetch: fn() -> LocalBoxFuture<'static, ()>,
}

impl Part {
    /// The part that has the page at `path`.
    #[must_use]
    pub fn of(path: &str) -> Option<&'static Self> {
        let segment = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        PARTS.into_iter().find(|part| part.segments.contains(&segment))
    }

    /// Fetches it, unless it is here.
    pub async fn arrive(&self) {
        if !self.here.load(Ordering::Relaxed) {
            (self.fetch)().await;
            self.here.store(true, Ordering::Relaxed);
        }
    }

    /// Shows one of its pages: at once if the part is here, otherwise when it has arrived.
    fn show<F>(&'static self, page: fn() -> F) -> AnyView
    where
        F: Future<Output = AnyView> + 'static,
    {
        let made = move || page().now_or_never().unwrap_or_else(|| Loading().into_any());
        if self.here.load(Ordering::Relaxed) {
            return made();
        }
        let arrived = RwSignal::new(false);
        leptos::task::spawn_local(async move {
            self.arrive().await;
            // Whoever has gone on to another page by now doesn't wait any more.
            let _ = arrived.try_set(true);
        });
        (move || if arrived.get() { made() } else { Loading().into_any() }).into_any()
    }
}

/// `PART = file: page Component, fetched by fetch, at "segment"; …`: for each part a static, and for each page a function that
/// shows it. (The macro that splits keeps for each function whether its file is here, so each of a part's is fetched.)
macro_rules! parts {
    ($($part:ident = $file:ident { $($page:ident $component:ident, fetched by $fetch:ident, at $segment:literal);+; })*) => {
        $(
            static $part: Part = Part {
                name: stringify!($file),
                segments: &[$($segment),+],
                here: AtomicBool::new(cfg!(not(target_family = "wasm"))),
                fetch: || Box::pin(async { $(code::$fetch().await;)+ }),
            };

            $(
                /// Shows the page.
                pub fn $page() -> AnyView {
                    $part.show(code::$page)
                }
            )+
        )*

        const PARTS: [&Part; [$(stringify!($part)),*].len()] = [$(&$part),*];

        mod code {
            use super::*;

            $($(
                #[wasm_split($file, wasm_split_path = ::leptos::wasm_split, preload($fetch))]
                pub(super) fn $page() -> AnyView {
                    view! { <$component /> }.into_any()
                }
            )+)*
        }
    };
}

parts! {
    OVERVIEW = overview {
        overview OverviewPage, fetched by fetch_overview, at "";
    }
    MIGRATION = migration {
        consumers ConsumersPage, fetched by fetch_consumers, at "consumers";
        consumer ConsumerDetail, fetched by fetch_consumer, at "consumers";
        cutover CutoverPage, fetched by fetch_cutover, at "cutover";
    }
    RECORDS = records {
        events EventsPage, fetched by fetch_events, at "events";
        event EventDetail, fetched by fetch_event, at "events";
        letters LettersPage, fetched by fetch_letters, at "dead-letters";
        letter LetterPage, fetched by fetch_letter, at "dead-letters";
        activity ActivityPage, fetched by fetch_activity, at "activity";
        demo DemoPage, fetched by fetch_demo, at "demo";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_the_part_with_its_page() {
        for (path, name) in [
            ("/", Some("overview")),
            ("/events", Some("records")),
            ("/events/0199-1", Some("records")),
            ("/cutover", Some("migration")),
            ("/nothing", None),
        ] {
            assert_eq!(Part::of(path).map(|p| p.name), name, "{path}");
        }
    }
}
