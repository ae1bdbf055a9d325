//! The overview: a verdict, the criteria, the charts, the consumers at a glance.

pub mod api;
mod charts;
mod criteria;

use leptos::prelude::*;
use pipeline::flag::Stage;

use crate::charts::Crosshair;
use crate::pages::consumers::table::ConsumerTable;
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, part, read_live};
use crate::ui::range::{RangePicker, use_range_text};
use crate::ui::source::SourceNote;
use crate::ui::state::PartlyOld;
use api::{Overview, read_overview};
use charts::OverviewCharts;
use criteria::Criteria;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    provide_context(Crosshair::new());
    let range = use_range_text();
    let reading = read_live(move || range.get(), read_overview);
    view! {
        <Head title="Overview">
            <RangePicker />
        </Head>
        {loaded(
            reading,
            move |data: Signal<Overview>| {
                view! {
                    <PartlyOld unanswered=Signal::derive(move || data.with(|d| d.unanswered.clone())) />
                    <Verdict data />
                    <Criteria data />
                    {part(
                        Signal::derive(move || data.with(|d| d.charts.clone())),
                        "Charts",
                        move |readings| view! { <OverviewCharts data readings /> }.into_any(),
                    )}
                    <SourceNote source=Signal::derive(move || data.with(|d| d.source.clone())) />
                    {part(
                        Signal::derive(move || data.with(|d| d.consumers.clone())),
                        "Consumers",
                        |consumers| {
                            view! {
                                <section class="panel" aria-labelledby="consumers-title">
                                    <h2 id="consumers-title">"Consumers" <small>"last 15 minutes"</small></h2>
                                    <ConsumerTable consumers />
                                </section>
                            }
                                .into_any()
                        },
                    )}
                }
            },
        )}
    }
}

#[component]
fn Verdict(data: Signal<Overview>) -> impl IntoView {
    let class = move || data.with(|d| format!("panel verdict {}", d.tone()));
    view! {
        <section class=class aria-label="Verdict">
            <div>
                <p class="verdict-text">
                    <b>{move || data.with(|d| d.verdict.0.clone())}</b>
                    " "
                    {move || data.with(|d| d.verdict.1.clone())}
                </p>
                <p class="verdict-more">{move || data.with(Overview::tally)}</p>
            </div>
            {move || {
                data.with(|d| d.stage.is_some())
                    .then(|| view! { <Stages stage=Signal::derive(move || data.with(|d| d.stage.unwrap_or(Stage::Shadow))) /> })
            }}
        </section>
    }
}

/// The stages of the migration, and where it is.
#[component]
pub fn Stages(
    /// Where it is.
    stage: Signal<Stage>,
) -> impl IntoView {
    let items = Stage::ALL.map(|each| {
        let class = move || match each.cmp(&stage.get()) {
            std::cmp::Ordering::Less => "past",
            std::cmp::Ordering::Equal => "here",
            std::cmp::Ordering::Greater => "",
        };
        view! {
            <li class=class aria-current=move || (stage.get() == each).then_some("step")>
                {each.words()}
            </li>
        }
    });
    view! {
        <ol class="stages" aria-label="Stage">
            {items}
        </ol>
    }
}
