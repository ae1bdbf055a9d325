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
use std::time::Duration;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::activity::ActivityPage;
use super::consumers::{ConsumerDetail, ConsumersPage};
use super::cutover::CutoverPage;
use super::demo::DemoPage;
use super::events::{EventDetail, EventsPage};
use super::findings::FindingsPage;
use super::letters::{LetterPage, LettersPage};
use super::operations::{OperationPage, OperationsPage};
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
    fetch: fn() -> LocalBoxFuture<'static, Result<(), SplitLoaderError>>,
}

/// How long after a failure a part is asked for again.
const AGAIN: Duration = Duration::from_secs(3);

impl Part {
    /// The part that has the page at `path`.
    #[must_use]
    pub fn of(path: &str) -> Option<&'static Self> {
        let segment = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        PARTS.into_iter().find(|part| part.segments.contains(&segment))
    }

    /// Fetches it, unless it is here.
    ///
    /// # Errors
    /// It doesn't come: the server is not there, or is another version's.
    pub async fn arrive(&self) -> Result<(), SplitLoaderError> {
        if !self.here.load(Ordering::Relaxed) {
            (self.fetch)().await?;
            self.here.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Shows one of its pages: at once if the part is here, otherwise when it has arrived.
    fn show<F>(&'static self, page: fn() -> F) -> AnyView
    where
        F: Future<Output = Result<AnyView, SplitLoaderError>> + 'static,
    {
        let made = move || page().now_or_never().and_then(Result::ok).unwrap_or_else(|| Loading().into_any());
        if self.here.load(Ordering::Relaxed) {
            return made();
        }
        let state = RwSignal::new(Arrival::Awaited);
        self.bring(state);
        (move || match state.get() {
            Arrival::Here => made(),
            Arrival::Awaited => Loading().into_any(),
            Arrival::Failed => view! {
                <section class="panel empty" role="alert">
                    <h2>"This page can't be fetched"</h2>
                    <p>"The dashboard's server does not answer. It is asked again every few seconds."</p>
                </section>
            }
            .into_any(),
        })
        .into_any()
    }

    /// Fetches the part, for as long as it takes and somebody waits.
    fn bring(&'static self, state: RwSignal<Arrival>) {
        leptos::task::spawn_local(async move {
            if self.arrive().await.is_ok() {
                // Whoever has gone on to another page by now doesn't wait any more.
                let _ = state.try_set(Arrival::Here);
            } else if state.try_set(Arrival::Failed).is_none() {
                set_timeout(move || self.bring(state), AGAIN);
            }
        });
    }
}

/// How far a part has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Awaited,
    Failed,
    Here,
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
                fetch: || Box::pin(async {
                    $(code::$fetch().await?;)+
                    Ok(())
                }),
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
                #[wasm_split($file, wasm_split_path = ::leptos::wasm_split, preload($fetch), fallible)]
                pub(super) fn $page() -> Result<AnyView, SplitLoaderError> {
                    Ok(view! { <$component /> }.into_any())
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
        operations OperationsPage, fetched by fetch_operations, at "operations";
        operation OperationPage, fetched by fetch_operation, at "operations";
        activity ActivityPage, fetched by fetch_activity, at "activity";
        findings FindingsPage, fetched by fetch_findings, at "findings";
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
