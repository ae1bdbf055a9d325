//! The newest operations, with their progress.

use leptos::prelude::*;
use pipeline::operation::{Operation, OperationStatus};

use super::api::{CancelOperation, LetterList};
use crate::ui::confirm::{Said, follow};
use crate::ui::number::group;
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::Moment;

/// The list.
#[component]
pub(super) fn OperationList(data: Signal<LetterList>) -> impl IntoView {
    let cancel = ServerAction::<CancelOperation>::new();
    follow(move || cancel.value().get());
    let ids = move || data.with(|d| d.operations.iter().map(|o| o.id.clone()).collect::<Vec<_>>());
    view! {
        <section class="panel" aria-labelledby="operations-title">
            <h2 id="operations-title">"Operations"</h2>
            <Said value=cancel.value() done=|said| said.clone() />
            <Show
                when=move || data.with(|d| !d.operations.is_empty())
                fallback=|| view! { <Empty title="None yet" text="Redrives and discards appear here, with their progress and outcome." /> }
            >
                <For each=ids key=Clone::clone let:id>
                    <OneOperation operation=Memo::new(move |_| data.with(|d| d.operations.iter().find(|o| o.id == id).cloned())) cancel />
                </For>
            </Show>
        </section>
    }
}

fn tone(operation: &Operation) -> (Tone, &'static str) {
    match operation.status {
        OperationStatus::Running => (Tone::Warn, "running"),
        OperationStatus::Cancelled => (Tone::Unknown, "cancelled"),
        OperationStatus::DryRun => (Tone::Unknown, "dry run"),
        OperationStatus::Done if operation.failed > 0 => (Tone::Fail, "done, with failures"),
        OperationStatus::Done => (Tone::Pass, "done"),
    }
}

#[component]
fn OneOperation(operation: Memo<Option<Operation>>, cancel: ServerAction<CancelOperation>) -> impl IntoView {
    let of = move |f: fn(&Operation) -> String| move || operation.with(|o| o.as_ref().map(f).unwrap_or_default());
    let running = move || operation.with(|o| o.as_ref().is_some_and(|o| o.status == OperationStatus::Running));
    let created = operation.with_untracked(|o| o.as_ref().map(|o| o.created_at));
    view! {
        <div class="op">
            <div class="row">
                <b>{of(|o| format!("{} {}", o.kind.name(), group(o.total)))}</b>
                <StateSign
                    tone=Signal::derive(move || operation.with(|o| o.as_ref().map_or(Tone::Unknown, |o| tone(o).0)))
                    word=Signal::derive(of(|o| tone(o).1.to_owned()))
                />
                <span class="push">
                    {of(|o| format!("{} verified, {} failed, {} passed over, of {}", group(o.succeeded), group(o.failed), group(o.skipped), group(o.total)))}
                </span>
            </div>
            <progress value=of(|o| o.settled().to_string()) max=of(|o| o.total.max(1).to_string())></progress>
            <div class="row dim">
                <span>{of(|o| o.actor.clone())} ", " {created.map(|at| view! { <Moment at=at /> })} ": “" {of(|o| o.reason.clone())} "”"</span>
                <Show when=running>
                    <span class="push">
                        <ActionForm action=cancel>
                            <input type="hidden" name="id" value=of(|o| o.id.clone()) />
                            <button class="button">"Cancel"</button>
                        </ActionForm>
                    </span>
                </Show>
            </div>
        </div>
    }
}
