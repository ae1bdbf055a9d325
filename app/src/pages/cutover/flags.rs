//! The flags, scope by scope, changing them, and their history.

use leptos::prelude::*;
use pipeline::flag::{FlagState, Flags, GLOBAL_SCOPE, Stage};

use super::api::{AS_ALL, CutoverView, SetFlags};
use crate::ui::confirm::{Reason, Sheet};
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::{Moment, ZoneName};

/// Every scope with its flags.
#[component]
pub(super) fn Scopes(data: Signal<CutoverView>, set: ServerAction<SetFlags>) -> impl IntoView {
    let scopes = Memo::new(move |_| {
        data.with(|d| {
            let global = d.flags.first().map(|f| f.flags).unwrap_or_default();
            let inherited = d.sources.iter().map(|source| FlagState {
                scope: source.clone(),
                flags: global,
                inherited: true,
                version: 0,
                changed_at: None,
            });
            d.flags.iter().cloned().chain(inherited).collect::<Vec<_>>()
        })
    });
    view! {
        <section class="panel" aria-labelledby="flags-title">
            <h2 id="flags-title">
                "Flags "
                <small>
                    {move || if data.with(|d| d.followed) { "read for each event that is published" } else { "as recorded by Cutover" }}
                </small>
            </h2>
            <Show when=move || data.with(|d| !d.followed)>
                <p class="warning">
                    "Publishers that read these flags from the environment of their function follow a change made here only when they are named in the configuration, "
                    <span class="mono">"aws.flag_functions"</span>"."
                </p>
            </Show>
            <table class="flags">
                <thead>
                    <tr>
                        <th scope="col">"Publisher"</th>
                        <th scope="col">"Events"</th>
                        <th scope="col">"Direct"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Change"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || scopes.get() key=|state| (state.scope.clone(), state.version, state.flags, state.inherited) let:state>
                        <Scope state data set />
                    </For>
                </tbody>
            </table>
        </section>
    }
}

fn sign(on: bool, inherited: bool) -> impl IntoView {
    if inherited {
        return view! { <span class="dim">"as all"</span> }.into_any();
    }
    let (tone, word) = if on { (Tone::Pass, "on") } else { (Tone::Off, "off") };
    view! { <StateSign tone=Signal::stored(tone) word=word.to_owned() /> }.into_any()
}

#[component]
fn Scope(state: FlagState, data: Signal<CutoverView>, set: ServerAction<SetFlags>) -> impl IntoView {
    let name = if state.scope == GLOBAL_SCOPE {
        "all".to_owned()
    } else {
        state.scope.clone()
    };
    let (Flags { publishing, direct }, inherited) = (state.flags, state.inherited);
    let choices = Stage::ALL
        .map(|stage| {
            let current = state.flags.stage() == Some(stage);
            let what = match stage {
                Stage::DirectOnly => "events off: the rollback",
                Stage::Shadow => "both on: the paths are compared",
                Stage::EventsOnly => "direct triggers off: the target",
            };
            view! {
                <label class="choice">
                    <input type="radio" name="stage" value=stage.words() required checked=current />
                    <span>
                        <b>{stage.words()}</b>
                        " "
                        <span class="dim">{what}{if current { ", as it is now" } else { "" }}</span>
                    </span>
                </label>
            }
        })
        .collect_view();
    let as_all = (state.scope != GLOBAL_SCOPE && !inherited).then(|| {
        view! {
            <label class="choice">
                <input type="radio" name="stage" value=AS_ALL />
                <span>
                    <b>"as all"</b>
                    " "
                    <span class="dim">"its own flags are taken back; it follows those of all"</span>
                </span>
            </label>
        }
    });
    let id = state.scope.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    view! {
        <tr>
            <th scope="row">{name.clone()}</th>
            <td>{sign(publishing, inherited)}</td>
            <td>{sign(direct, inherited)}</td>
            <td class="num">
                <Sheet label=if inherited { "Override" } else { "Change" }>
                    <ActionForm action=set>
                        <fieldset>
                            <legend>{format!("Which paths run for {name}?")}</legend>
                            {choices}
                            {as_all}
                            <label class="choice">
                                <input type="radio" name="stage" value="neither" disabled />
                                <span>
                                    <b>"neither"</b>
                                    " "
                                    <span class="dim">"refused: analytics would go stale"</span>
                                </span>
                            </label>
                        </fieldset>
                        <input type="hidden" name="scope" value=state.scope.clone() />
                        <input type="hidden" name="expected_version" value=state.version.to_string() />
                        <Reason id=format!("flag-reason-{id}") />
                        {move || {
                            let open = data.with(super::not_passing);
                            (!open.is_empty()).then(|| view! { <p class="warning">{format!("Not passing now: {open}. What is chosen here goes on the record with it.")}</p> })
                        }}
                        <label class="choice">
                            <input type="checkbox" name="confirmed" value="true" required />
                            <span>"I know that this changes what production does from the next event on."</span>
                        </label>
                        <button class="button main">"Change"</button>
                    </ActionForm>
                </Sheet>
            </td>
        </tr>
    }
}

/// The changes, newest first.
#[component]
pub(super) fn History(data: Signal<CutoverView>) -> impl IntoView {
    let history = Memo::new(move |_| data.with(|d| d.history.clone()));
    let words = |flags: Flags| flags.stage().map_or("neither", Stage::words);
    view! {
        <section class="panel" aria-labelledby="history-title">
            <h2 id="history-title">"Changes " <small>"times in " <ZoneName /></small></h2>
            {move || {
                let history = history.get();
                if history.is_empty() {
                    return view! { <Empty title="No change yet" text="Both paths run, as by default. Each change is listed here, with who, why, and what the criteria said." /> }
                        .into_any();
                }
                history
                    .into_iter()
                    .map(|change| {
                        view! {
                            <div class="op">
                                <div class="row">
                                    <b>
                                        {if change.scope == GLOBAL_SCOPE { String::new() } else { format!("{}: ", change.scope) }} {words(change.from)} " → "
                                        {words(change.to)} {change.inherited.then_some(", as all")}
                                    </b>
                                    <span class="push dim">
                                        <Moment at=change.at />
                                    </span>
                                </div>
                                <div>{change.actor} ": “" {change.reason} "”"</div>
                                <div class="dim">{change.criteria.join(" · ")}</div>
                            </div>
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </section>
    }
}
