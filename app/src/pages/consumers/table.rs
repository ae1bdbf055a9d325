//! The consumers as a table.

use leptos::prelude::*;
use pipeline::consumer::ConsumerStatus;

use crate::charts::{hue, spark};
use crate::routes;
use crate::ui::number::{group, or_dash, percent, rate, seconds};
use crate::ui::state::StateSign;
use crate::ui::time::Moment;

/// One row a consumer.
#[component]
pub fn ConsumerTable(
    /// The consumers.
    consumers: Signal<Vec<ConsumerStatus>>,
) -> impl IntoView {
    view! {
        <div class="scroll">
            <table class="consumers">
                <thead>
                    <tr>
                        <th scope="col">"Consumer"</th>
                        <th scope="col">"Health"</th>
                        <th scope="col" class="num">
                            "Events/min"
                        </th>
                        <th scope="col">"Last hour"</th>
                        <th scope="col" class="num">
                            "p99"
                        </th>
                        <th scope="col" class="num">
                            "Errors"
                        </th>
                        <th scope="col" class="num">
                            "In flight"
                        </th>
                        <th scope="col" class="num">
                            "Dead letters"
                        </th>
                        <th scope="col">"Last error"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || consumers.with(|list| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>()) key=Clone::clone let:name>
                        <Row name consumers />
                    </For>
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(name: String, consumers: Signal<Vec<ConsumerStatus>>) -> impl IntoView {
    let wanted = name.clone();
    let this = Memo::new(move |_| consumers.with(|list| list.iter().find(|c| c.name == wanted).cloned()));
    let of = move |f: fn(&ConsumerStatus) -> String| move || this.with(|c| c.as_ref().map(f).unwrap_or_default());
    let tone = Signal::derive(move || this.with(|c| c.as_ref().map_or(crate::ui::state::Tone::Unknown, |c| c.health.into())));
    let colour = hue(&name);
    let line = move || this.with(|c| c.as_ref().map(|c| spark(&c.recent, colour)).unwrap_or_default());
    let letters = routes::with_query(routes::LETTERS, [("consumer", name.clone()), ("status", "open".to_owned())]);
    view! {
        <tr>
            <th scope="row">
                <i class=format!("swatch {}", colour.class())></i>
                <a href=routes::consumer(&name)>{name.clone()}</a>
            </th>
            <td>
                <StateSign tone word=Signal::derive(of(|c| c.health.word().to_owned())) />
            </td>
            <td class="num">{of(|c| or_dash(c.per_minute, rate))}</td>
            <td class="spark-cell" inner_html=line></td>
            <td class="num">{of(|c| or_dash(c.p99, seconds))}</td>
            <td class="num">{of(|c| or_dash(c.error_rate, percent))}</td>
            <td class="num">{of(|c| or_dash(c.in_flight, group))}</td>
            <td class="num">
                <a href=letters>{of(|c| or_dash(c.dead_letters, group))}</a>
            </td>
            <td class="dim wrap">
                {move || {
                    match this.with(|c| c.as_ref().and_then(|c| c.last_errors.as_ref().map(|all| all.first().cloned()))) {
                        Some(Some(fault)) => view! { <Moment at=fault.at /> " · " {fault.error} }.into_any(),
                        Some(None) => view! { "none" }.into_any(),
                        None => view! { "–" }.into_any(),
                    }
                }}
            </td>
        </tr>
    }
}
