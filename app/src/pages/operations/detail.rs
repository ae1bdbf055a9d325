//! One operation's page: what became of every letter.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use pipeline::operation::{ItemStatus, OperationItem, OperationKind};

use super::api::{CancelOperation, OperationView, read_operation};
use super::card::{Card, success};
use crate::charts::hue;
use crate::routes;
use crate::ui::confirm::{Said, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::{group, short_id};
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::ZoneName;

/// The words for an item's status.
const fn words(status: ItemStatus, kind: OperationKind) -> &'static str {
    match status {
        ItemStatus::Waiting => "waiting",
        ItemStatus::Sent => "on its way",
        ItemStatus::Succeeded => success(kind),
        ItemStatus::Failed => "failed",
        ItemStatus::Skipped => "passed over",
    }
}

/// An item's outcome.
#[component]
pub(crate) fn Outcome(
    /// Its status.
    status: ItemStatus,
    /// What was to be done.
    kind: OperationKind,
) -> impl IntoView {
    let tone = match status {
        ItemStatus::Waiting => Tone::Off,
        ItemStatus::Sent => Tone::Warn,
        ItemStatus::Succeeded => Tone::Pass,
        ItemStatus::Failed => Tone::Fail,
        ItemStatus::Skipped => Tone::Unknown,
    };
    view! { <StateSign tone=Signal::stored(tone) word=words(status, kind).to_owned() /> }
}

/// The page.
#[component]
pub fn OperationPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = Memo::new(move |_| {
        let get = |key: &str| query.with(|q| q.get(key).unwrap_or_default());
        (params.with(|p| p.get("id").unwrap_or_default()), get("show"), get("cursor"))
    });
    let reading = read_live(move || asked.get(), |(id, show, cursor)| read_operation(id, show, cursor));
    let cancel = ServerAction::<CancelOperation>::new();
    follow(move || cancel.value().get());
    let show = Signal::derive(move || asked.with(|(_, show, _)| show.clone()));
    view! {
        <Head title="Operation" />
        <Said value=cancel.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<OperationView>| {
                let operation = Signal::derive(move || Some(data.with(|d| d.operation.clone())));
                let pace = move || data.with(|d| format!("at most {} a second", group(d.operation.rate.into())));
                view! {
                    <section class="panel" aria-labelledby="operation-title">
                        <h2 id="operation-title">"What was asked " <small>{pace} ", times in " <ZoneName /></small></h2>
                        <Card operation cancel />
                    </section>
                    <Items data show />
                }
            },
        )}
    }
}

#[component]
fn Items(data: Signal<OperationView>, show: Signal<String>) -> impl IntoView {
    let address = move |show: String, cursor: String| {
        let path = data.with(|d| routes::operation(&d.operation.id));
        routes::with_query(&path, [("show", show), ("cursor", cursor)])
    };
    let choice = move |status: Option<ItemStatus>| {
        let name = status.map_or("", ItemStatus::name);
        let label = move || {
            data.with(|d| match status {
                None => format!("all {}", group(d.operation.total)),
                Some(status) => {
                    let count = match status {
                        ItemStatus::Succeeded => d.operation.succeeded,
                        ItemStatus::Failed => d.operation.failed,
                        ItemStatus::Skipped => d.operation.skipped,
                        ItemStatus::Waiting | ItemStatus::Sent => return words(status, d.operation.kind).to_owned(),
                    };
                    format!("{} {}", group(count), words(status, d.operation.kind))
                }
            })
        };
        view! {
            <a href=move || address(name.to_owned(), String::new()) aria-current=move || (show.get() == name).then_some("true")>
                {label}
            </a>
        }
    };
    let choices = [
        None,
        Some(ItemStatus::Failed),
        Some(ItemStatus::Skipped),
        Some(ItemStatus::Succeeded),
        Some(ItemStatus::Sent),
        Some(ItemStatus::Waiting),
    ]
    .map(choice);
    // By place as well: whoever names a letter twice sees it twice.
    let rows = move || data.with(|d| d.items.items.iter().cloned().enumerate().collect::<Vec<_>>());
    let kind = data.with_untracked(|d| d.operation.kind);
    let more = move || {
        let next = data.with(|d| d.items.next.clone())?;
        let href = address(show.get(), next);
        Some(view! { <footer class="pager"><span></span><a class="button" href=href>"More"</a></footer> })
    };
    view! {
        <section class="panel" aria-labelledby="items-title">
            <h2 id="items-title">"Letter by letter"</h2>
            <div class="tools">
                <nav class="seg" aria-label="Outcome">
                    {choices}
                </nav>
            </div>
            <Show
                when=move || data.with(|d| !d.items.items.is_empty())
                fallback=|| view! { <Empty title="None" text="No letter of this operation has this outcome." /> }
            >
                <div class="scroll">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Letter"</th>
                                <th scope="col">"Outcome"</th>
                                <th scope="col">"Why"</th>
                                <th scope="col">"Type"</th>
                                <th scope="col">"Consumer"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=rows key=|(n, item)| (*n, item.letter_id.clone(), item.status.name(), item.note.clone()) let:row>
                                <Row item=row.1 kind />
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            {more}
        </section>
    }
}

#[component]
fn Row(item: OperationItem, kind: OperationKind) -> impl IntoView {
    let id = short_id(&item.letter_id);
    // A letter that never was has no page.
    let letter = match item.consumer {
        Some(_) => view! { <a href=routes::letter(&item.letter_id)>{id}</a> }.into_any(),
        None => id.into_any(),
    };
    let consumer = item.consumer.map(|name| {
        view! {
            <i class=format!("swatch {}", hue(&name).class())></i>
            {name.clone()}
        }
    });
    view! {
        <tr>
            <td class="mono">
                {letter}
            </td>
            <td>
                <Outcome status=item.status kind />
            </td>
            <td class="wrap">{item.note}</td>
            <td>{item.event_type.unwrap_or_else(|| "–".to_owned())}</td>
            <td>{consumer}</td>
        </tr>
    }
}
