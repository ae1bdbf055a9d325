//! The road to events: stage, flags, and whether the two paths do the same.

pub mod api;
mod flags;
mod functions;
mod parity;

use leptos::prelude::*;
use pipeline::criteria::Status;
use pipeline::flag::Stage;

use crate::pages::overview::Stages;
use crate::ui::confirm::{Said, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, part, read_live};
use crate::ui::range::{RangePicker, use_range_text};
use crate::ui::state::PartlyOld;
use api::{CutoverView, SetFlags, WriteFunctions, read_cutover};
use flags::{History, Scopes};
use functions::Functions;
use parity::ParityTable;

/// The page.
#[component]
pub fn CutoverPage() -> impl IntoView {
    let range = use_range_text();
    let reading = read_live(move || range.get(), read_cutover);
    let set = ServerAction::<SetFlags>::new();
    follow(move || set.value().get());
    let write = ServerAction::<WriteFunctions>::new();
    follow(move || write.value().get());
    view! {
        <Head title="Cutover">
            <RangePicker />
        </Head>
        <Said value=set.value() done=|said| said.clone() />
        <Said value=write.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<CutoverView>| {
                view! {
                    <PartlyOld unanswered=Signal::derive(move || data.with(|d| d.unanswered.clone())) />
                    <section class=move || data.with(|d| format!("panel verdict {}", tone(d))) aria-label="Stage">
                        <div>
                            <p class="verdict-text">
                                <b>{move || data.with(headline)}</b>
                                " "
                                {move || data.with(|d| d.verdict.1.clone())}
                            </p>
                            <p class="verdict-more">{move || data.with(missing)}</p>
                        </div>
                        <Stages stage=Signal::derive(move || data.with(|d| d.stage)) />
                    </section>
                    <div class="two wide-left">
                        {part(Signal::derive(move || data.with(|d| d.parity.clone())), "Parity of the two paths", |report| view! { <ParityTable report /> }.into_any())}
                        <div class="stack">
                            <Scopes data set />
                            <Functions data write />
                            <History data />
                        </div>
                    </div>
                }
            },
        )}
    }
}

fn headline(data: &CutoverView) -> String {
    let mut words = data.stage.words().to_owned();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{words}.")
}

fn tone(data: &CutoverView) -> &'static str {
    if data.criteria.iter().any(|c| c.status == Status::Failing) {
        "fail"
    } else if data.criteria.iter().any(|c| c.status == Status::Unknown) {
        "unknown"
    } else {
        "pass"
    }
}

/// The criteria that don't pass, each with where it stands.
fn not_passing(data: &CutoverView) -> String {
    let open = data.criteria.iter().filter(|c| c.status != Status::Passing);
    open.map(|c| format!("{} ({})", c.name.to_lowercase(), c.status.word()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn missing(data: &CutoverView) -> String {
    let open: Vec<String> = data
        .criteria
        .iter()
        .filter(|c| c.status != Status::Passing)
        .map(|c| format!("{} ({}: {})", c.name.to_lowercase(), c.status.word(), c.why))
        .collect();
    let mut said = if open.is_empty() {
        "Nothing stands in the way.".to_owned()
    } else {
        format!("In the way: {}.", open.join(" · "))
    };
    // The stage is that of all; who goes another way is named.
    let global = data.flags.first().map(|f| f.flags);
    let others = data.flags.iter().skip(1).filter(|f| Some(f.flags) != global);
    let others: Vec<String> = others
        .map(|f| format!("{} is at “{}”", f.scope, f.flags.stage().map_or("neither", Stage::words)))
        .collect();
    if !others.is_empty() {
        said.push_str(&format!(" But {}.", others.join(", ")));
    }
    said
}
