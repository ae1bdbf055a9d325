//! One dead letter's page.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use pipeline::letter::{LetterDetail, LetterStatus};

use super::api::{LetterView, StartOperation, read_letter};
use crate::charts::hue;
use crate::pages::operations::detail::Outcome;
use crate::routes;
use crate::ui::confirm::{Reason, Said, Sheet, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::seconds;
use crate::ui::state::{Empty, StateSign};
use crate::ui::time::{Moment, ZoneName};

/// The page.
#[component]
pub fn LetterPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get("id").unwrap_or_default()));
    let reading = read_live(move || id.get(), read_letter);
    let start = ServerAction::<StartOperation>::new();
    follow(move || start.value().get());
    view! {
        <Head title="Dead letter" />
        <Said value=start.value() done=|said| said.replace("see its progress above", "its status here changes when the consumer has completed it") />
        {loaded(
            reading,
            move |page: Signal<LetterView>| {
                let data = Signal::derive(move || page.with(|page| page.detail.clone()));
                let acts = Signal::derive(move || page.with(|page| page.acts));
                view! {
                    <div class="two">
                        <div class="stack">
                            <Facts data acts start />
                            <Attempts data />
                            <Deeds data />
                        </div>
                        <section class="panel" aria-labelledby="body-title">
                            <h2 id="body-title">"Event, as it was delivered"</h2>
                            <pre tabindex="0">{move || data.with(LetterDetail::pretty_body)}</pre>
                        </section>
                    </div>
                }
            },
        )}
    }
}

#[component]
fn Facts(data: Signal<LetterDetail>, acts: Signal<bool>, start: ServerAction<StartOperation>) -> impl IntoView {
    let of = move |f: fn(&LetterDetail) -> String| move || data.with(f);
    let id = data.with_untracked(|d| d.letter.id.clone());
    let consumer = data.with_untracked(|d| d.letter.consumer.clone());
    let status = Memo::new(move |_| data.with(|d| d.letter.status));
    let act = move |kind: &'static str, verb: &'static str, what: String, main: bool| {
        let id = id.clone();
        view! {
            <Sheet label=verb main=main>
                <ActionForm action=start>
                    <p>{what}</p>
                    <input type="hidden" name="kind" value=kind />
                    <input type="hidden" name="ids[]" value=id />
                    <Reason id=format!("{kind}-reason") />
                    <button class="button main">{verb}</button>
                </ActionForm>
            </Sheet>
        }
    };
    let to = consumer.clone();
    let actions = move || {
        if !acts.get() {
            return ().into_any();
        }
        match status.get() {
        LetterStatus::Open => view! {
            {act("redrive", "Redrive", format!("Send this event back to {to}, and to no other consumer? It counts as done when {to} has completed it."), true)}
            {act("discard", "Discard", "Set this letter aside? It is not deleted and can be restored.".to_owned(), false)}
        }
        .into_any(),
        LetterStatus::Discarded => act("restore", "Restore", "Open this letter again?".to_owned(), true).into_any(),
        LetterStatus::Redriving | LetterStatus::Redriven => ().into_any(),
    }
    };
    view! {
        <section class="panel" aria-labelledby="letter-title">
            <h2 id="letter-title">
                {of(|d| d.letter.event_type.clone().unwrap_or_else(|| "unreadable".to_owned()))}
                <StateSign
                    tone=Signal::derive(move || status.get().into())
                    word=Signal::derive(move || status.get().name().to_owned())
                />
            </h2>
            <dl class="kv">
                <dt>"Failed in"</dt>
                <dd>
                    <i class=format!("swatch {}", hue(&consumer).class())></i>
                    <a href=routes::consumer(&consumer)>{consumer.clone()}</a>
                    {of(|d| if d.letter.permanent { ", a permanent error: it fails again until data or consumer change".to_owned() } else { ", after its attempts were spent".to_owned() })}
                </dd>
                <dt>"Error"</dt>
                <dd>
                    <b>{of(|d| d.letter.error_code.clone())}</b>
                    " "
                    {of(|d| d.letter.error_message.clone())}
                </dd>
                <dt>"Event"</dt>
                <dd class="mono">
                    {move || {
                        data.with(|d| d.letter.event_id.clone())
                            .map_or_else(|| view! { "unreadable" }.into_any(), |id| view! { <a href=routes::event(&id)>{id.clone()}</a> }.into_any())
                    }}
                </dd>
                <dt>"User"</dt>
                <dd class="mono">{of(|d| d.letter.user_id.clone().unwrap_or_else(|| "–".to_owned()))}</dd>
                <dt>"Already done by"</dt>
                <dd>{of(|d| if d.done_by.is_empty() { "no other consumer".to_owned() } else { format!("{} (not run again)", d.done_by.join(", ")) })}</dd>
                <dt>"Published"</dt>
                <dd>
                    <Moment at=Signal::derive(move || data.with(|d| d.letter.published_at)) />
                </dd>
                <dt>"First failed"</dt>
                <dd>
                    <Moment at=Signal::derive(move || data.with(|d| d.letter.first_failed_at)) />
                </dd>
                <dt>"Last failed"</dt>
                <dd>
                    <Moment at=Signal::derive(move || data.with(|d| d.letter.failed_at)) /> {of(|d| match d.letter.failed_redrives { 0 => String::new(), 1 => ", after a failed redrive".to_owned(), n => format!(", after {n} failed redrives") })}
                </dd>
            </dl>
            <div class="tools">{actions}</div>
        </section>
    }
}

#[component]
fn Attempts(data: Signal<LetterDetail>) -> impl IntoView {
    let history = Memo::new(move |_| data.with(|d| d.history.clone()));
    view! {
        <section class="panel" aria-labelledby="attempts-title">
            <h2 id="attempts-title">"Attempts " <small>"times in " <ZoneName /></small></h2>
            <ol class="attempts">
                {move || {
                    history
                        .get()
                        .into_iter()
                        .map(|attempt| {
                            #[allow(clippy::cast_precision_loss)]
                            let took = seconds(attempt.duration_us as f64 / 1e6);
                            view! {
                                <li>
                                    <Moment at=attempt.at />
                                    <span class="num">{took}</span>
                                    <span class="wrap">{attempt.error.unwrap_or_else(|| "completed".to_owned())}</span>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ol>
        </section>
    }
}

/// What people did with it.
#[component]
fn Deeds(data: Signal<LetterDetail>) -> impl IntoView {
    let operations = Memo::new(move |_| data.with(|d| d.operations.clone()));
    view! {
        <section class="panel" aria-labelledby="deeds-title">
            <h2 id="deeds-title">"What was done " <small>"times in " <ZoneName /></small></h2>
            {move || {
                let operations = operations.get();
                if operations.is_empty() {
                    return view! { <Empty title="Nothing yet" text="Redrives and discards of this letter are listed here, with who, why, and how each ended." /> }
                        .into_any();
                }
                operations
                    .into_iter()
                    .map(|deed| {
                        view! {
                            <div class="op">
                                <div class="row">
                                    <a href=routes::operation(&deed.operation)>
                                        <b>{deed.kind.name()}</b>
                                    </a>
                                    <Outcome status=deed.status kind=deed.kind />
                                    <span class="push dim">
                                        <Moment at=deed.created_at />
                                    </span>
                                </div>
                                <div>{deed.actor} ": “" {deed.reason} "”"</div>
                                {deed.note.map(|note| view! { <div class="dim wrap">{note}</div> })}
                            </div>
                        }
                    })
                    .collect_view()
                    .into_any()
            }}
        </section>
    }
}
