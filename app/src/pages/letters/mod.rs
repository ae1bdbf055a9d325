//! The dead letters: depth, groups, a list to act on, and a page each.

pub mod api;
mod detail;
mod list;
mod queues;

pub use detail::LetterPage;

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use pipeline::letter::LetterQueues;

use crate::charts::hue;
use crate::pages::operations::api::CancelOperation;
use crate::pages::operations::card::Cards;
use crate::routes;
use crate::ui::confirm::{Said, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::{duration, group};
use crate::ui::state::Empty;
use crate::ui::time::{Moment, ZoneName};
use api::{LetterList, LettersQuery, StartOperation, read_letters};
use list::LetterTable;
use queues::Queues;

fn use_filter() -> Memo<LettersQuery> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|q| {
            let get = |key: &str| q.get(key).map(|v| v.trim().to_owned()).unwrap_or_default();
            LettersQuery {
                status: get("status"),
                consumer: get("consumer"),
                error: get("error"),
                event_type: get("type"),
                q: get("q"),
                cursor: get("cursor"),
            }
        })
    })
}

/// What is selected, as the URL has it: a reload and a new tab keep it, another filter's page begins without.
#[derive(Clone, Copy)]
pub(super) struct Selection {
    /// The letters' ids.
    pub(super) ids: Memo<BTreeSet<String>>,
    /// Selects these and no others.
    pub(super) choose: Callback<BTreeSet<String>>,
}

/// The URL's parameter for it: ids, with commas between them.
const SELECTED: &str = "selected";

fn use_selection() -> Selection {
    let (query, location, navigate) = (use_query_map(), use_location(), use_navigate());
    let ids = Memo::new(move |_| {
        let text = query.with(|q| q.get(SELECTED).unwrap_or_default());
        text.split(',').filter(|id| !id.is_empty()).map(ToOwned::to_owned).collect()
    });
    let choose = Callback::new(move |ids: BTreeSet<String>| {
        let mut query = query.get_untracked();
        query.remove(SELECTED);
        if !ids.is_empty() {
            query.insert(SELECTED, ids.into_iter().collect::<Vec<_>>().join(","));
        }
        let address = format!("{}{}", location.pathname.get_untracked(), query.to_query_string());
        // In the place of the entry before: going back is for pages, not for ticks.
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..Default::default()
        };
        navigate(&address, options);
    });
    Selection { ids, choose }
}

/// What the page's parts share: the action, and what is selected.
#[derive(Clone, Copy)]
pub(super) struct Work {
    pub(super) start: ServerAction<StartOperation>,
    pub(super) selection: Selection,
}

/// The page.
#[component]
pub fn LettersPage() -> impl IntoView {
    let filter = use_filter();
    let reading = read_live(move || filter.get(), read_letters);
    let work = Work {
        start: ServerAction::<StartOperation>::new(),
        selection: use_selection(),
    };
    provide_context(work);
    let cancel = ServerAction::<CancelOperation>::new();
    follow(move || work.start.value().get());
    follow(move || cancel.value().get());
    Effect::new(move |_| {
        if work.start.value().with(|v| matches!(v, Some(Ok(_)))) && !work.selection.ids.read_untracked().is_empty() {
            work.selection.choose.run(BTreeSet::new());
        }
    });
    view! {
        <Head title="Dead letters" />
        <Said value=work.start.value() done=|said| said.clone() />
        <Said value=cancel.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<LetterList>| {
                view! {
                    <div class="stack">
                        <Groups data />
                        <Latest data cancel />
                        <LetterTable data filter />
                        <Queues data />
                    </div>
                }
            },
        )}
    }
}

/// The newest operations, once there are any.
#[component]
fn Latest(data: Signal<LetterList>, cancel: ServerAction<CancelOperation>) -> impl IntoView {
    let operations = Signal::derive(move || data.with(|d| d.operations.clone().unwrap_or_default()));
    view! {
        <Show when=move || operations.with(|list| !list.is_empty())>
            <section class="panel" aria-labelledby="operations-title">
                <h2 id="operations-title">
                    "Latest operations "
                    <small>
                        <a href=routes::OPERATIONS>"all of them"</a>
                    </small>
                </h2>
                <Cards operations cancel />
            </section>
        </Show>
    }
}

/// How many dead letters stay in their queues, and are none of those that are listed; `None` if they can't be counted.
fn staying(list: &LetterList) -> Option<u64> {
    let queues = list.queues.as_ref().ok()?;
    Some(queues.as_ref().map_or(0, LetterQueues::staying))
}

#[component]
fn Groups(data: Signal<LetterList>) -> impl IntoView {
    let summary = move || {
        data.with(|d| {
            let age = d
                .depth
                .oldest
                .map(|oldest| format!(" · oldest failed {} ago", duration(d.now.since(oldest))))
                .unwrap_or_default();
            let redriving = if d.depth.redriving > 0 {
                format!(" · {} being redriven", group(d.depth.redriving))
            } else {
                String::new()
            };
            let staying = match staying(d) {
                Some(0) => String::new(),
                Some(count) => format!(" · {} more in their queues", group(count)),
                None => " · in their queues not known".to_owned(),
            };
            format!("{} open{staying}{redriving}{age}", group(d.depth.open))
        })
    };
    let groups = Memo::new(move |_| data.with(|d| d.groups.clone()));
    let stay = Memo::new(move |_| data.with(staying));
    view! {
        <section class="panel" aria-labelledby="groups-title">
            <h2 id="groups-title">"By kind of error " <small>{summary}</small></h2>
            {move || {
                let groups = groups.get();
                if groups.is_empty() {
                    let text = match stay.get() {
                        Some(0) => "Every event that was delivered was completed, is on its way, or was dealt with.",
                        Some(_) => "Those that there are stay in their queues, where they can be counted and not read.",
                        None => "Whether there are more in their queues is not known.",
                    };
                    return view! { <Empty title="No open dead letters" text /> }.into_any();
                }
                let rows = groups
                    .into_iter()
                    .map(|g| {
                        let href = routes::with_query(
                            routes::LETTERS,
                            [("status", "open".to_owned()), ("consumer", g.consumer.clone()), ("error", g.error_code.clone())],
                        );
                        view! {
                            <tr>
                                <td>
                                    <i class=format!("swatch {}", hue(&g.consumer).class())></i>
                                    {g.consumer}
                                </td>
                                <td class="wrap">
                                    <a href=href>
                                        <b>{g.error_code}</b>
                                    </a>
                                    <br />
                                    <span class="dim">{g.example}</span>
                                </td>
                                <td class="num">{group(g.open)}</td>
                                <td>
                                    <Moment at=g.first />
                                </td>
                                <td>
                                    <Moment at=g.last />
                                </td>
                            </tr>
                        }
                    })
                    .collect_view();
                view! {
                    <div class="scroll">
                        <table>
                            <thead>
                                <tr>
                                    <th scope="col">"Consumer"</th>
                                    <th scope="col">"Error"</th>
                                    <th scope="col" class="num">
                                        "Open"
                                    </th>
                                    <th scope="col">"First (" <ZoneName /> ")"</th>
                                    <th scope="col">"Last (" <ZoneName /> ")"</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }
                    .into_any()
            }}
        </section>
    }
}
