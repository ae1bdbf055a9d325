//! The letters that match, and what can be done with them.

use leptos::prelude::*;
use leptos_router::components::Form;
use pipeline::letter::{Letter, LetterStatus};

use super::Work;
use super::api::{LetterList, LettersQuery};
use crate::charts::hue;
use crate::routes;
use crate::ui::confirm::{Reason, Sheet};
use crate::ui::number::{group, short_id};
use crate::ui::state::{Empty, StateSign};
use crate::ui::time::{Moment, ZoneName};

/// The list with its filter.
#[component]
pub(super) fn LetterTable(data: Signal<LetterList>, filter: Memo<LettersQuery>) -> impl IntoView {
    let work = expect_context::<Work>();
    let next = move || data.with(|d| d.next.clone()).map(|cursor| filter.with(|f| f.url(Some(cursor))));
    let matching = move || data.with(|d| d.matching);
    let everything = move || data.with(|d| d.letters.iter().map(|l| l.id.clone()).collect::<std::collections::BTreeSet<_>>());
    let all_selected = move || !everything().is_empty() && everything().is_subset(&work.selected.get());
    let toggle_all = move |_| {
        let all = everything();
        work.selected.update(|s| {
            if all.is_subset(s) {
                s.retain(|id| !all.contains(id));
            } else {
                s.extend(all);
            }
        });
    };
    view! {
        <section class="panel" aria-label="Letters">
            <Filters filter data />
            <div class="tools">
                <Act kind="redrive" filter data main=true />
                <Act kind="discard" filter data />
                <Show when=move || filter.with(|f| f.status == "discarded")>
                    <Act kind="restore" filter data />
                </Show>
                <span class="dim">{move || format!("{} match, {} selected", group(matching()), work.selected.with(|s| s.len()))}</span>
            </div>
            <Show
                when=move || data.with(|d| !d.letters.is_empty())
                fallback=|| view! { <Empty title="No letters here" text="None fits this filter." /> }
            >
                <div class="scroll">
                    <table class="letters">
                        <thead>
                            <tr>
                                <th scope="col">
                                    <input type="checkbox" aria-label="Select all on this page" prop:checked=all_selected on:change=toggle_all />
                                </th>
                                <th scope="col">"Failed (" <ZoneName /> ")"</th>
                                <th scope="col">"Event"</th>
                                <th scope="col">"Type"</th>
                                <th scope="col">"Consumer"</th>
                                <th scope="col" class="num">
                                    "Attempts"
                                </th>
                                <th scope="col">"Status"</th>
                                <th scope="col">"Error"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || data.with(|d| d.letters.clone()) key=|l| (l.id.clone(), l.status.name(), l.attempts) let:letter>
                                <Row letter />
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            <footer class="pager">
                {move || (!filter.with(|f| f.cursor.is_empty())).then(|| view! { <a class="button" href=filter.with(|f| f.url(None))>"Newest"</a> })}
                {move || next().map(|href| view! { <a class="button" href=href>"Older"</a> })}
            </footer>
        </section>
    }
}

#[component]
fn Filters(filter: Memo<LettersQuery>, data: Signal<LetterList>) -> impl IntoView {
    let status = move |value: &'static str, label: &'static str| {
        view! {
            <option value=value selected=move || filter.with(|f| f.status == value)>
                {label}
            </option>
        }
    };
    let consumers = Memo::new(move |_| data.with(|d| d.consumers.clone()));
    view! {
        <Form method="GET" action=routes::LETTERS attr:class="tools">
            <label class="field grow">
                <span>"Text in id, user, error or payload"</span>
                <input type="search" name="q" value=move || filter.with(|f| f.q.clone()) data-filter="" autocomplete="off" />
            </label>
            <label class="field">
                <span>"Status"</span>
                <select name="status">
                    {status("", "open")} {status("redriving", "redriving")} {status("redriven", "redriven")} {status("discarded", "discarded")} {status("all", "all")}
                </select>
            </label>
            <label class="field">
                <span>"Consumer"</span>
                <select name="consumer">
                    <option value="">"all"</option>
                    {move || {
                        consumers
                            .get()
                            .into_iter()
                            .map(|name| {
                                let this = name.clone();
                                view! {
                                    <option value=name.clone() selected=move || filter.with(|f| f.consumer == this)>
                                        {name.clone()}
                                    </option>
                                }
                            })
                            .collect_view()
                    }}
                </select>
            </label>
            <label class="field">
                <span>"Error"</span>
                <input name="error" value=move || filter.with(|f| f.error.clone()) autocomplete="off" />
            </label>
            <button class="button">"Filter"</button>
            <Show when=move || filter.get() != LettersQuery::default()>
                <a class="button quiet" href=routes::LETTERS>
                    "Clear"
                </a>
            </Show>
        </Form>
    }
}

/// The button for one kind of operation: on what is selected, or on all that match if nothing is.
#[component]
fn Act(kind: &'static str, filter: Memo<LettersQuery>, data: Signal<LetterList>, #[prop(optional)] main: bool) -> impl IntoView {
    let work = expect_context::<Work>();
    let ids = move || work.selected.with(|s| s.iter().cloned().collect::<Vec<_>>().join(","));
    let none = move || work.selected.with(std::collections::BTreeSet::is_empty);
    let (verb, what) = match kind {
        "redrive" => (
            "Redrive",
            "Each is sent back to the one consumer that gave up, at most 50 a second, and counts as done only when that consumer has completed it.",
        ),
        "discard" => ("Discard", "They are set aside, not deleted, and can be restored."),
        _ => ("Restore", "They become open again."),
    };
    let question = move || {
        if none() {
            format!("{verb} all {} that match the filter? {what}", group(data.with(|d| d.matching)))
        } else {
            format!(
                "{verb} the {} selected? {what}",
                work.selected.with(std::collections::BTreeSet::len)
            )
        }
    };
    view! {
        <Sheet label=verb main=main>
            <ActionForm action=work.start>
                <p>{question}</p>
                <input type="hidden" name="kind" value=kind />
                <input type="hidden" name="ids" prop:value=ids />
                <input type="hidden" name="all" value="true" prop:value=move || none().to_string() />
                <input type="hidden" name="status" value=move || filter.with(|f| f.status.clone()) />
                <input type="hidden" name="consumer" value=move || filter.with(|f| f.consumer.clone()) />
                <input type="hidden" name="error" value=move || filter.with(|f| f.error.clone()) />
                <input type="hidden" name="event_type" value=move || filter.with(|f| f.event_type.clone()) />
                <input type="hidden" name="q" value=move || filter.with(|f| f.q.clone()) />
                <Reason id=format!("{kind}-reason") />
                <button class="button main">{verb}</button>
            </ActionForm>
        </Sheet>
    }
}

#[component]
fn Row(letter: Letter) -> impl IntoView {
    let work = expect_context::<Work>();
    let (id, for_toggle) = (letter.id.clone(), letter.id.clone());
    let checked = move || work.selected.with(|s| s.contains(&id));
    let toggle = move |_| {
        work.selected.update(|s| {
            if !s.remove(&for_toggle) {
                s.insert(for_toggle.clone());
            }
        });
    };
    let event = letter.event_id.clone().unwrap_or_else(|| "unreadable".to_owned());
    let word = if letter.status == LetterStatus::Open && letter.failed_redrives > 0 {
        "failed again".to_owned()
    } else {
        letter.status.name().to_owned()
    };
    view! {
        <tr>
            <td>
                <input type="checkbox" aria-label=format!("Select {event}") prop:checked=checked on:change=toggle />
            </td>
            <td>
                <Moment at=letter.failed_at />
            </td>
            <td>
                <a class="mono" href=routes::letter(&letter.id) title=event.clone()>
                    {short_id(&event)}
                </a>
            </td>
            <td>{letter.event_type.clone().unwrap_or_else(|| "–".to_owned())}</td>
            <td>
                <i class=format!("swatch {}", hue(&letter.consumer).class())></i>
                {letter.consumer.clone()}
            </td>
            <td class="num">{letter.attempts}</td>
            <td>
                <StateSign tone=Signal::stored(letter.status.into()) word />
            </td>
            <td class="wrap">
                <b>{letter.error_code.clone()}</b>
                " "
                <span class="dim">{letter.error_message.clone()}</span>
            </td>
        </tr>
    }
}
