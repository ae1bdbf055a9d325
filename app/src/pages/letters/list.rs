//! The letters that match, and what can be done with them.

use std::collections::BTreeSet;

use leptos::prelude::*;
use pipeline::letter::{Letter, LetterStatus};

use super::Work;
use super::api::{LetterList, LettersQuery};
use crate::charts::hue;
use crate::routes;
use crate::ui::confirm::Reason;
use crate::ui::held::{Held, held};
use crate::ui::number::{group, short_id};
use crate::ui::query_form::QueryForm;
use crate::ui::state::{Empty, StateSign};
use crate::ui::time::{Moment, ZoneName};

/// The list with its filter.
#[component]
pub(super) fn LetterTable(data: Signal<LetterList>, filter: Memo<LettersQuery>) -> impl IntoView {
    let Work { selection, .. } = expect_context();
    let Held { shown: data, grip, .. } = held(data);
    let next = move || data.with(|d| d.next.clone()).map(|cursor| filter.with(|f| f.url(Some(cursor))));
    let everything = move || data.with(|d| d.letters.iter().map(|l| l.id.clone()).collect::<BTreeSet<_>>());
    let all_selected = move || !everything().is_empty() && everything().is_subset(&selection.ids.read());
    let toggle_all = move |_| {
        let (mut ids, all) = (selection.ids.get(), everything());
        if all.is_subset(&ids) {
            ids.retain(|id| !all.contains(id));
        } else {
            ids.extend(all);
        }
        selection.choose.run(ids);
    };
    view! {
        <section class="panel" aria-label="Letters">
            <Filters filter data />
            // Where the backend offers no operations there is nothing to do here but look.
            <Show when=move || data.with(|d| d.operations.is_some())>
                <Act filter data />
            </Show>
            <Show
                when=move || data.with(|d| !d.letters.is_empty())
                fallback=|| view! { <Empty title="No letters here" text="None fits this filter." /> }
            >
                <div class="scroll" on:focusin=move |_| grip.close() on:focusout=move |_| grip.open() on:click=move |_| grip.open()>
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
            <option value=value selected=move || filter.with(|f| f.status == value) prop:selected=move || filter.with(|f| f.status == value)>
                {label}
            </option>
        }
    };
    let consumers = Memo::new(move |_| {
        let (mut list, chosen) = (data.with(|d| d.consumers.clone()), filter.with(|f| f.consumer.clone()));
        if !chosen.is_empty() && !list.contains(&chosen) {
            list.push(chosen);
        }
        list
    });
    view! {
        <QueryForm action=routes::LETTERS>
            <label class="field grow">
                <span>"Text in id, user, error or payload"</span>
                <input type="search" name="q" value=move || filter.with(|f| f.q.clone()) prop:value=move || filter.with(|f| f.q.clone()) data-filter="" autocomplete="off" />
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
                                let is = move || filter.with(|f| f.consumer == this);
                                view! {
                                    <option value=name.clone() selected=is.clone() prop:selected=is>
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
                <input name="error" value=move || filter.with(|f| f.error.clone()) prop:value=move || filter.with(|f| f.error.clone()) autocomplete="off" />
            </label>
            <button class="button" name="cursor" value="">
                "Filter"
            </button>
            <Show when=move || filter.get() != LettersQuery::default()>
                <a class="button quiet" href=routes::LETTERS>
                    "Clear"
                </a>
            </Show>
        </QueryForm>
    }
}

/// The form that the ticked letters belong to.
const FORM: &str = "letters-work";

/// What can be done with letters of the filter's status: on those that are ticked, or, if that is asked for, on all that match.
/// One form for all of it, so that ticks reach it without any script.
#[component]
fn Act(filter: Memo<LettersQuery>, data: Signal<LetterList>) -> impl IntoView {
    let Work { start, selection } = expect_context();
    let matching = move || group(data.with(|d| d.matching));
    let elsewhere = move || {
        let mut ids = selection.ids.get();
        data.with(|d| d.letters.iter().for_each(|letter| _ = ids.remove(&letter.id)));
        ids
    };
    let ticked = move || selection.ids.with(BTreeSet::len);
    let choices = move || {
        let all_kinds: &[(&str, &str, &str)] = match filter.with(|f| f.status.clone()).as_str() {
            "" | "open" | "all" => &[
                (
                    "redrive",
                    "Redrive",
                    "sent back to the one consumer that gave up, at most 50 a second; done when that consumer has completed it",
                ),
                ("discard", "Discard", "set aside, not deleted, and can be restored"),
            ],
            "discarded" => &[("restore", "Restore", "open again")],
            _ => &[],
        };
        all_kinds
    };
    let label = move || if choices().len() == 1 { "Restore" } else { "Redrive or discard" };
    let kinds = move || {
        choices()
            .iter()
            .map(|(kind, verb, what)| {
                view! {
                    <label class="choice">
                        <input type="radio" name="kind" value=*kind required checked=choices().len() == 1 />
                        <span>
                            <b>{*verb}</b>
                            " "
                            <span class="dim">{*what}</span>
                        </span>
                    </label>
                }
            })
            .collect_view()
    };
    view! {
        <ActionForm action=start attr:id=FORM attr:class="tools">
            <Show when=move || !choices().is_empty() && (data.with(|d| d.matching > 0) || ticked() > 0)>
                <details class="sheet">
                    <summary class="button main">{label}"…"</summary>
                    <div class="sheet-body panel">
                        <fieldset>
                            <legend>"Which letters?"</legend>
                            <label class="choice">
                                <input type="radio" name="all" value="false" required prop:checked=move || { ticked() > 0 } prop:disabled=move || ticked() == 0 />
                                <span>{move || format!("the {} selected", ticked())}</span>
                            </label>
                            <label class="choice">
                                <input type="radio" name="all" value="true" required />
                                <span>{move || format!("all {} that match the filter", matching())}</span>
                            </label>
                        </fieldset>
                        <fieldset>
                            <legend>"What with them?"</legend>
                            {kinds}
                        </fieldset>
                        <input type="hidden" name="status" value=move || filter.with(|f| f.status.clone()) />
                        <input type="hidden" name="consumer" value=move || filter.with(|f| f.consumer.clone()) />
                        <input type="hidden" name="error" value=move || filter.with(|f| f.error.clone()) />
                        <input type="hidden" name="event_type" value=move || filter.with(|f| f.event_type.clone()) />
                        <input type="hidden" name="q" value=move || filter.with(|f| f.q.clone()) />
                        // What is ticked and has left the page since: it is meant all the same.
                        <For each=elsewhere key=Clone::clone let:id>
                            <input type="hidden" name="ids[]" value=id />
                        </For>
                        <Reason id="work-reason" />
                        <button class="button main">"Do it"</button>
                    </div>
                </details>
            </Show>
            <span class="dim">{move || format!("{} match, {} selected", matching(), ticked())}</span>
        </ActionForm>
    }
}

#[component]
fn Row(letter: Letter) -> impl IntoView {
    let Work { selection, .. } = expect_context();
    let id = StoredValue::new(letter.id.clone());
    let checked = move || selection.ids.with(|ids| id.with_value(|id| ids.contains(id)));
    let toggle = move |_| {
        let mut ids = selection.ids.get();
        let id = id.get_value();
        if !ids.remove(&id) {
            ids.insert(id);
        }
        selection.choose.run(ids);
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
                <input
                    type="checkbox"
                    form=FORM
                    name="ids[]"
                    value=letter.id.clone()
                    aria-label=format!("Select {event}")
                    checked=checked
                    prop:checked=checked
                    on:change=toggle
                />
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
