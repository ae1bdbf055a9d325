//! An operation, as lists show it.

use leptos::prelude::*;
use pipeline::operation::{ItemStatus, Operation, OperationKind, OperationStatus};

use super::api::CancelOperation;
use crate::routes;
use crate::ui::number::group;
use crate::ui::state::{StateSign, Tone};
use crate::ui::time::Moment;

/// What success means: a redrive has succeeded when the consumer was seen to have completed the event.
pub(crate) const fn success(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Redrive => "verified",
        OperationKind::Discard | OperationKind::Restore => "done",
    }
}

/// How an operation stands.
pub(crate) fn standing(operation: &Operation) -> (Tone, &'static str) {
    match operation.status {
        OperationStatus::Running => (Tone::Warn, "running"),
        OperationStatus::Cancelled => (Tone::Unknown, "cancelled"),
        OperationStatus::DryRun => (Tone::Unknown, "dry run"),
        OperationStatus::Done if operation.failed > 0 => (Tone::Fail, "done, with failures"),
        OperationStatus::Done => (Tone::Pass, "done"),
    }
}

/// Its title, state, progress and counts, who asked for it and why, and, while it runs, a way to stop it.
#[component]
pub(crate) fn Card(
    /// The operation; `None` once the list has gone on without it.
    #[prop(into)]
    operation: Signal<Option<Operation>>,
    /// Stops it.
    cancel: ServerAction<CancelOperation>,
) -> impl IntoView {
    let of = move |f: fn(&Operation) -> String| move || operation.with(|o| o.as_ref().map(f).unwrap_or_default());
    let running = move || operation.with(|o| o.as_ref().is_some_and(|o| o.status == OperationStatus::Running));
    let failed = Memo::new(move |_| operation.with(|o| o.as_ref().map_or(0, |o| o.failed)));
    let (id, created) = operation.with_untracked(|o| o.as_ref().map(|o| (o.id.clone(), o.created_at)).unzip());
    let href = routes::operation(&id.unwrap_or_default());
    let failures = routes::with_query(&href, [("show", ItemStatus::Failed.name().to_owned())]);
    view! {
        <div class="op">
            <div class="row">
                <a href=href>
                    <b>{of(|o| format!("{} {}", o.kind.name(), group(o.total)))}</b>
                </a>
                <StateSign
                    tone=Signal::derive(move || operation.with(|o| o.as_ref().map_or(Tone::Unknown, |o| standing(o).0)))
                    word=Signal::derive(of(|o| standing(o).1.to_owned()))
                />
                <span class="push">
                    {of(|o| format!("{} {}, ", group(o.succeeded), success(o.kind)))}
                    {move || match failed.get() {
                        0 => "0 failed".into_any(),
                        n => view! { <a href=failures.clone()>{format!("{} failed", group(n))}</a> }.into_any(),
                    }}
                    {of(|o| format!(", {} passed over, of {}", group(o.skipped), group(o.total)))}
                </span>
            </div>
            <progress aria-label="Progress" value=of(|o| o.settled().to_string()) max=of(|o| o.total.max(1).to_string())></progress>
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

/// A list of them, newest first.
#[component]
pub(crate) fn Cards(
    /// The operations.
    #[prop(into)]
    operations: Signal<Vec<Operation>>,
    /// Stops one.
    cancel: ServerAction<CancelOperation>,
) -> impl IntoView {
    let ids = move || operations.with(|list| list.iter().map(|o| o.id.clone()).collect::<Vec<_>>());
    view! {
        <For each=ids key=Clone::clone let:id>
            <Card operation=Memo::new(move |_| operations.with(|list| list.iter().find(|o| o.id == id).cloned())) cancel />
        </For>
    }
}
