//! The queues that dead letters arrive in: how much is in them, and for how long, without receiving any of it.

use leptos::prelude::*;
use pipeline::letter::{LetterQueue, LetterQueues};

use super::api::LetterList;
use crate::charts::hue;
use crate::routes;
use crate::ui::loaded::part;
use crate::ui::number::group;
use crate::ui::time::{Moment, ZoneName};

/// The queues, where the backend has such.
#[component]
pub(super) fn Queues(data: Signal<LetterList>) -> impl IntoView {
    let any = Memo::new(move |_| data.with(|d| !matches!(d.queues, Ok(None))));
    let queues = Signal::derive(move || data.with(|d| d.queues.clone().map(Option::unwrap_or_default)));
    view! { <Show when=move || any.get()>{move || part(queues, "Queues", |queues| view! { <Table queues /> }.into_any())}</Show> }
}

#[component]
fn Table(queues: Signal<LetterQueues>) -> impl IntoView {
    let summary = move || {
        queues.with(|all| {
            let what = if all.taken_over {
                "what arrives is taken over into the list above"
            } else {
                "not taken over from here: what is in them stays there, and is not in the list above"
            };
            format!("{} waiting · {what}", group(all.waiting()))
        })
    };
    view! {
        <section class="panel" aria-labelledby="queues-title">
            <h2 id="queues-title">"Queues " <small>{summary}</small></h2>
            // Not every one has a link in it to get there by.
            <div class="scroll" tabindex="0" role="region" aria-labelledby="queues-title">
                <table class="queues">
                    <thead>
                        <tr>
                            <th scope="col">"Queue"</th>
                            <th scope="col" class="num">
                                "Waiting"
                            </th>
                            <th scope="col">"Oldest sent about (" <ZoneName /> ")"</th>
                            <th scope="col">"Letters of"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || queues.with(|all| all.items.clone()) key=Clone::clone let:queue>
                            <Row queue />
                        </For>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn Row(queue: LetterQueue) -> impl IntoView {
    let whose = match queue.consumer {
        Some(name) => view! {
            <i class=format!("swatch {}", hue(&name).class())></i>
            <a href=routes::consumer(&name)>{name.clone()}</a>
        }
        .into_any(),
        None => view! { <span class="dim">"all"</span> }.into_any(),
    };
    let oldest = match queue.oldest {
        Some(at) => view! { <Moment at /> }.into_any(),
        None if queue.waiting > 0 => view! { <span class="dim">"not measured yet"</span> }.into_any(),
        None => view! { <span class="dim">"–"</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="mono">{queue.name}</td>
            <td class="num">{group(queue.waiting)}</td>
            <td>{oldest}</td>
            <td>{whose}</td>
        </tr>
    }
}
