//! The consumers: a table, and a page each.

pub mod api;
mod detail;
mod platform;
pub mod table;

pub use detail::ConsumerDetail;

use leptos::prelude::*;

use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::duration;
use crate::ui::range::{RangePicker, use_range_text};
use crate::ui::state::PartlyOld;
use api::{ConsumersView, read_consumers};
use table::ConsumerTable;

/// The page.
#[component]
pub fn ConsumersPage() -> impl IntoView {
    let range = use_range_text();
    let reading = read_live(move || range.get(), read_consumers);
    view! {
        <Head title="Consumers">
            <RangePicker />
        </Head>
        {loaded(
            reading,
            |data: Signal<ConsumersView>| {
                let about = move || format!("over {}; the line shows the last hour", duration(data.with(|d| d.span.millis())));
                view! {
                    <PartlyOld unanswered=Signal::derive(move || data.with(|d| d.unanswered.clone())) />
                    <section class="panel" aria-labelledby="consumers-title">
                        <h2 id="consumers-title">"All consumers " <small>{about}</small></h2>
                        <ConsumerTable consumers=Signal::derive(move || data.with(|d| d.consumers.clone())) />
                    </section>
                }
            },
        )}
    }
}
