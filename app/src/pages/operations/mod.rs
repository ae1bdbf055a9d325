//! The operations over dead letters: all of them, and a page each with what became of every letter.

pub mod api;
pub(crate) mod card;
pub(crate) mod detail;

pub use detail::OperationPage;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use pipeline::operation::Operation;
use pipeline::page::Page;

use crate::routes;
use crate::ui::confirm::{Said, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::state::Empty;
use crate::ui::time::ZoneName;
use api::{CancelOperation, read_operations};
use card::Cards;

/// The page.
#[component]
pub fn OperationsPage() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|q| q.get("cursor").unwrap_or_default()));
    let reading = read_live(move || cursor.get(), read_operations);
    let cancel = ServerAction::<CancelOperation>::new();
    follow(move || cancel.value().get());
    view! {
        <Head title="Operations" />
        <Said value=cancel.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<Page<Operation>>| {
                let operations = Signal::derive(move || data.with(|d| d.items.clone()));
                let older = move || {
                    data.with(|d| d.next.clone())
                        .map(|cursor| view! { <a class="button" href=routes::with_query(routes::OPERATIONS, [("cursor", cursor)])>"Older"</a> })
                };
                view! {
                    <section class="panel" aria-labelledby="operations-title">
                        <h2 id="operations-title">"Operations on dead letters " <small>"newest first, times in " <ZoneName /></small></h2>
                        <Show
                            when=move || operations.with(|list| !list.is_empty())
                            fallback=|| view! { <Empty title="None yet" text="Redrives, discards and restores appear here, with their progress and outcome." /> }
                        >
                            <Cards operations cancel />
                        </Show>
                        <footer class="pager">
                            <span>"They are started on " <a href=routes::LETTERS>"dead letters"</a> "."</span>
                            {older}
                        </footer>
                    </section>
                }
            },
        )}
    }
}
