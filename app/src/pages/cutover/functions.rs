//! Functions that read the flags from their environment: what each reads, and having it read what it should.

use leptos::prelude::*;
use pipeline::flag::{FlagFunction, Flags, GLOBAL_SCOPE, Stage};

use super::api::{CutoverView, WriteFunctions};
use crate::ui::confirm::{Reason, Sheet};
use crate::ui::state::{StateSign, Tone};

/// Each of them; nothing, where none is configured.
#[component]
pub(super) fn Functions(data: Signal<CutoverView>, write: ServerAction<WriteFunctions>) -> impl IntoView {
    let functions = Memo::new(move |_| data.with(|d| d.functions.clone()));
    let amiss = Memo::new(move |_| functions.with(|all| amiss(all)));
    view! {
        <Show when=move || functions.with(|all| !all.is_empty())>
            <section class="panel functions" aria-labelledby="functions-title">
                <h2 id="functions-title">"Functions " <small>"that read the flags from their environment"</small></h2>
                <For each=move || functions.get() key=|f| format!("{f:?}") let:function>
                    <Function function />
                </For>
                <Show when=move || amiss.with(Option::is_some)>
                    <p class="warning">
                        {move || amiss.get()}
                        " A change of the flags is written to all of them; a new deployment of a function may take that back."
                    </p>
                    <Sheet label="Write the flags">
                        <ActionForm action=write>
                            <p>
                                <span class="mono">"ENABLE_EVENT_PUBLISHING"</span>
                                " and "
                                <span class="mono">"ENABLE_DIRECT_TRIGGERS"</span>
                                " are written to the functions that read something else; their other variables stay."
                            </p>
                            <Reason id="functions-reason" />
                            <label class="choice">
                                <input type="checkbox" name="confirmed" value="true" required />
                                <span>"I know that this changes what these functions do from the next event on."</span>
                            </label>
                            <button class="button main">"Write"</button>
                        </ActionForm>
                    </Sheet>
                </Show>
            </section>
        </Show>
    }
}

/// What is not as it should be, in a sentence or two.
fn amiss(functions: &[FlagFunction]) -> Option<String> {
    let said = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("One function {one}.")),
        n => Some(format!("{n} functions {many}.")),
    };
    let drifted = functions.iter().filter(|f| f.drifted()).count();
    let unknown = functions.iter().filter(|f| f.found.is_none()).count();
    let sentences = [
        said(drifted, "does not do what the flags say", "do not do what the flags say"),
        said(unknown, "can't be looked at", "can't be looked at"),
    ];
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn words(flags: Flags) -> &'static str {
    flags.stage().map_or("neither", Stage::words)
}

#[component]
fn Function(function: FlagFunction) -> impl IntoView {
    let (tone, word) = match function.found {
        None => (Tone::Unknown, "not known"),
        Some(found) if found == function.wanted => (Tone::Pass, words(found)),
        Some(found) => (Tone::Warn, words(found)),
    };
    let wanted = words(function.wanted);
    let whose = if function.scope == GLOBAL_SCOPE { "all" } else { &function.scope };
    view! {
        <div class="op">
            <div class="row">
                <b class="mono">{function.function}</b>
                <span class="push">
                    <StateSign tone=Signal::stored(tone) word=word.to_owned() />
                </span>
            </div>
            <div class="dim">{format!("should read: {wanted}, as {whose}")}</div>
            {function.settling.then(|| view! { <div class="dim">"What was written is being applied to the instances that run."</div> })}
            {function.fault.map(|fault| view! { <div class="fault">{fault}</div> })}
        </div>
    }
}
