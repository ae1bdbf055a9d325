//! What people did.

pub mod api;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use pipeline::activity::{Activity, Outcome};
use pipeline::page::Page;

use crate::routes;
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::short_id;
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::{Moment, ZoneName};
use api::read_activity;

/// The page.
#[component]
pub fn ActivityPage() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|q| q.get("cursor").unwrap_or_default()));
    let reading = read_live(move || cursor.get(), read_activity);
    view! {
        <Head title="Activity" />
        {loaded(reading, |data: Signal<Page<Activity>>| view! { <Record data /> })}
    }
}

#[component]
fn Record(data: Signal<Page<Activity>>) -> impl IntoView {
    let next = move || {
        data.with(|d| d.next.clone())
            .map(|cursor| routes::with_query(routes::ACTIVITY, [("cursor", cursor)]))
    };
    view! {
        <section class="panel" aria-label="Activity">
            <Show
                when=move || data.with(|d| !d.items.is_empty())
                fallback=|| view! { <Empty title="Nobody has changed anything yet" text="Flag changes, redrives, pauses: who, when, why, and how it ended." /> }
            >
                <div class="scroll">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"When (" <ZoneName /> ")"</th>
                                <th scope="col">"Who"</th>
                                <th scope="col">"What"</th>
                                <th scope="col">"Why"</th>
                                <th scope="col">"Outcome"</th>
                                <th scope="col">"Hash"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || data.with(|d| d.items.clone()) key=|a| a.id let:entry>
                                <Row entry />
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            <footer class="pager">
                <span>"Each entry's hash covers the one before it, so that a record can't be changed unseen."</span>
                {move || next().map(|href| view! { <a class="button" href=href>"Older"</a> })}
            </footer>
        </section>
    }
}

/// The page of what an entry is about, if it has one.
fn place(entry: &Activity) -> Option<String> {
    match entry.action.split_once('.')? {
        ("letters", _) if entry.outcome == Outcome::Done => Some(routes::operation(&entry.target)),
        ("operation", _) => Some(routes::operation(&entry.target)),
        ("consumer", _) => Some(routes::consumer(&entry.target)),
        ("flags", _) => Some(routes::CUTOVER.to_owned()),
        ("demo", _) => Some(routes::DEMO.to_owned()),
        _ => None,
    }
}

#[component]
fn Row(entry: Activity) -> impl IntoView {
    let place = place(&entry);
    let (tone, word) = match &entry.outcome {
        Outcome::Done => (Tone::Pass, "done".to_owned()),
        Outcome::Refused(why) => (Tone::Fail, why.clone()),
    };
    view! {
        <tr>
            <td>
                <Moment at=entry.at />
            </td>
            <td>{entry.actor}</td>
            <td class="wrap">
                {match place {
                    Some(href) => view! { <a href=href>{entry.summary}</a> }.into_any(),
                    None => entry.summary.into_any(),
                }}
                <br />
                <span class="dim mono">{entry.action}</span>
            </td>
            <td class="wrap">{entry.reason.unwrap_or_else(|| "–".to_owned())}</td>
            <td class="wrap">
                <StateSign tone=Signal::stored(tone) word />
            </td>
            <td class="mono dim" title=entry.hash.clone()>
                {short_id(&entry.hash)}
            </td>
        </tr>
    }
}
