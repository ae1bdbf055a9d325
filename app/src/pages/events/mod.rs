//! The events: a list with filters, and a page each.

pub mod api;
mod detail;

pub use detail::EventDetail;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::routes;
use crate::ui::frame::Head;
use crate::ui::held::{Held, held};
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::{group, short_id};
use crate::ui::query_form::QueryForm;
use crate::ui::state::Empty;
use crate::ui::time::{Moment, ZoneName};
use api::{EventList, EventsQuery, read_events};

fn use_filter() -> Memo<EventsQuery> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|q| {
            let get = |key: &str| q.get(key).map(|v| v.trim().to_owned()).unwrap_or_default();
            EventsQuery {
                event_type: get("type"),
                source: get("source"),
                user: get("user"),
                correlation: get("correlation"),
                q: get("q"),
                from: get("from"),
                to: get("to"),
                cursor: get("cursor"),
                ledger: get("ledger"),
            }
        })
    })
}

/// The page.
#[component]
pub fn EventsPage() -> impl IntoView {
    let filter = use_filter();
    let reading = read_live(move || filter.get(), read_events);
    view! {
        <Head title="Events" />
        {loaded(
            reading,
            move |data: Signal<EventList>| {
                view! {
                    <section class="panel" aria-label="Events">
                        <Filters filter data />
                        <Table data filter />
                    </section>
                }
            },
        )}
    }
}

#[component]
fn Filters(filter: Memo<EventsQuery>, data: Signal<EventList>) -> impl IntoView {
    let choice =
        move |name: &'static str, label: &'static str, chosen: fn(&EventsQuery) -> String, options: fn(&EventList) -> Vec<String>| {
            let list = Memo::new(move |_| {
                let mut list = data.with(options);
                let chosen = filter.with(chosen);
                if !chosen.is_empty() && !list.contains(&chosen) {
                    list.push(chosen);
                }
                list
            });
            view! {
                <label class="field">
                    <span>{label}</span>
                    <select name=name>
                        <option value="">"all"</option>
                        {move || {
                            list.get()
                                .into_iter()
                                .map(|value| {
                                    let this = value.clone();
                                    let is = move || filter.with(chosen) == this;
                                    view! {
                                        <option value=value.clone() selected=is.clone() prop:selected=is>
                                            {value.clone()}
                                        </option>
                                    }
                                })
                                .collect_view()
                        }}
                    </select>
                </label>
            }
        };
    // What can only be chosen by a link: shown, kept when the form is sent, and to be taken off by itself.
    let narrow = move |name: &'static str, label: &'static str, shown: fn(&EventsQuery) -> String| {
        move || {
            let words = filter.with(shown);
            (!words.is_empty()).then(|| {
                let value = filter.with(|f| {
                    if name == "ledger" {
                        f.ledger.clone()
                    } else {
                        f.correlation.clone()
                    }
                });
                let without = filter.with(|f| {
                    let mut f = f.clone();
                    if name == "ledger" {
                        f.ledger.clear()
                    } else {
                        f.correlation.clear()
                    }
                    f.url(None)
                });
                view! {
                    <span class="chip narrow">
                        <input type="hidden" name=name value=value />
                        {label} ": " <b class="mono">{words}</b>
                        <a href=without aria-label=format!("Without {label}")>
                            "×"
                        </a>
                    </span>
                }
            })
        }
    };
    view! {
        <QueryForm action=routes::EVENTS>
            <label class="field grow">
                <span>"Text in id or payload"</span>
                <input type="search" name="q" value=move || filter.with(|f| f.q.clone()) prop:value=move || filter.with(|f| f.q.clone()) data-filter="" autocomplete="off" />
            </label>
            {choice("type", "Type", |f| f.event_type.clone(), |d| d.types.clone())}
            {choice("source", "Source", |f| f.source.clone(), |d| d.sources.clone())}
            <label class="field">
                <span>"User"</span>
                <input name="user" value=move || filter.with(|f| f.user.clone()) prop:value=move || filter.with(|f| f.user.clone()) autocomplete="off" />
            </label>
            <label class="field">
                <span>"From (UTC)"</span>
                <input name="from" placeholder="2026-01-31T09:00" value=move || filter.with(|f| f.from.clone()) prop:value=move || filter.with(|f| f.from.clone()) autocomplete="off" />
            </label>
            <label class="field">
                <span>"To (UTC)"</span>
                <input name="to" placeholder="2026-02-01" value=move || filter.with(|f| f.to.clone()) prop:value=move || filter.with(|f| f.to.clone()) autocomplete="off" />
            </label>
            {narrow("correlation", "Correlation", |f| f.correlation.clone())}
            {narrow("ledger", "Ledger", |f| if f.ledger == "open" { "still open".to_owned() } else { String::new() })}
            <button class="button" name="cursor" value="">
                "Filter"
            </button>
            <Show when=move || filter.get() != EventsQuery::default()>
                <a class="button quiet" href=routes::EVENTS>
                    "Clear"
                </a>
            </Show>
        </QueryForm>
    }
}

#[component]
fn Table(data: Signal<EventList>, filter: Memo<EventsQuery>) -> impl IntoView {
    let Held {
        shown: data,
        grip,
        waiting,
    } = held(data);
    let ids = move || data.with(|d| d.rows.clone());
    let note = move || {
        data.with(|d| {
            let searched = match (d.searched, d.partial) {
                (0, _) => None,
                (n, false) => Some(format!("{} events looked through.", group(n))),
                (n, true) => Some(format!("{} events looked through so far; older ones on the next page.", group(n))),
            };
            let capacity = d.capacity.map(|units| format!("Reading this page took {units:.1} read units."));
            let left_out = (d.left_out > 0).then(|| {
                format!(
                    "{} event types are not in this list, which would be merged of too many: name one in the filter to see its events.",
                    group(d.left_out)
                )
            });
            let said: Vec<String> = left_out.into_iter().chain(searched).chain(capacity).collect();
            (!said.is_empty()).then(|| said.join(" "))
        })
    };
    let next = move || data.with(|d| d.next.clone()).map(|cursor| filter.with(|f| f.url(Some(cursor))));
    view! {
        <Show
            when=move || data.with(|d| !d.rows.is_empty())
            fallback=move || {
                if filter.with(|f| *f == EventsQuery::default()) {
                    view! { <Empty title="No events yet" text="They appear here as soon as the first one is published and audited." /> }
                } else if data.with(|d| d.partial) {
                    view! { <Empty title="Nothing found yet" text="Not all events have been looked through. Older ones are on the next page." /> }
                } else if filter.with(|f| f.ledger == "open") {
                    view! { <Empty title="Nothing is open" text="Every event has been completed, or is a dead letter." /> }
                } else {
                    view! { <Empty title="Nothing matches" text="No event fits this filter. Widen it, or clear it." /> }
                }
            }
        >
            <div class="scroll" on:focusin=move |_| grip.close() on:focusout=move |_| grip.open() on:click=move |_| grip.open()>
                <table class="events">
                    <thead>
                        <tr>
                            <th scope="col">"When (" <ZoneName /> ")"</th>
                            <th scope="col">"Event"</th>
                            <th scope="col">"Type"</th>
                            <th scope="col">"Source"</th>
                            <th scope="col">"User"</th>
                            <th scope="col">"Payload"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=ids key=|row| row.event_id.clone() let:row>
                            <tr>
                                <td>
                                    <Moment at=row.at />
                                </td>
                                <td>
                                    <a class="mono" href=routes::event(&row.event_id) title=row.event_id.clone()>
                                        {short_id(&row.event_id)}
                                    </a>
                                </td>
                                <td>
                                    <a class="plain" href=routes::with_query(routes::EVENTS, [("type", row.event_type.clone())])>
                                        {row.event_type.clone()}
                                    </a>
                                </td>
                                <td class="dim">{row.source.clone()}</td>
                                <td>
                                    {(!row.user_id.is_empty())
                                        .then(|| {
                                            view! {
                                                <a class="mono plain" href=routes::with_query(routes::EVENTS, [("user", row.user_id.clone())]) title=row.user_id.clone()>
                                                    {short_id(&row.user_id)}
                                                </a>
                                            }
                                        })}
                                </td>
                                <td class="mono dim cut">{row.excerpt.clone()}</td>
                            </tr>
                        </For>
                    </tbody>
                </table>
            </div>
        </Show>
        <footer class="pager">
            <span>{move || if waiting.get() { Some("Held while you are in the list; leave it to see what is new.".to_owned()) } else { note() }}</span>
            {move || (!filter.with(|f| f.cursor.is_empty())).then(|| view! { <a class="button" href=filter.with(|f| f.url(None))>"Newest"</a> })}
            {move || next().map(|href| view! { <a class="button" href=href>"Older"</a> })}
        </footer>
    }
}
