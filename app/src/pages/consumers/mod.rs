//! The consumers: a table, and a page each.

pub mod api;
mod detail;
pub mod table;

pub use detail::ConsumerDetail;

use leptos::prelude::*;
use pipeline::consumer::ConsumerStatus;

use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use api::read_consumers;
use table::ConsumerTable;

/// The page.
#[component]
pub fn ConsumersPage() -> impl IntoView {
    let reading = read_live(|| (), |()| read_consumers());
    view! {
        <Head title="Consumers" />
        {loaded(
            reading,
            |consumers: Signal<Vec<ConsumerStatus>>| {
                view! {
                    <section class="panel" aria-labelledby="consumers-title">
                        <h2 id="consumers-title">"All consumers" <small>"last 15 minutes; the line shows the last hour"</small></h2>
                        <ConsumerTable consumers />
                    </section>
                }
            },
        )}
    }
}
