//! An event's page.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use pipeline::ledger::Delivery;

use super::api::{EventPage, EventRow, read_event};
use crate::charts::hue;
use crate::routes;
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::number::{seconds, short_id};
use crate::ui::state::{Empty, StateSign};
use crate::ui::time::{Moment, ZoneName};

/// The page.
#[component]
pub fn EventDetail() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get("id").unwrap_or_default()));
    let reading = read_live(move || id.get(), read_event);
    view! {
        <Head title="Event" />
        {loaded(
            reading,
            |data: Signal<EventPage>| {
                view! {
                    <div class="two">
                        <div class="stack">
                            <Fields data />
                            <Payload data />
                        </div>
                        <div class="stack">
                            <Deliveries data />
                            <Chain data />
                        </div>
                    </div>
                }
            },
        )}
    }
}

#[component]
fn Fields(data: Signal<EventPage>) -> impl IntoView {
    let fields = Memo::new(move |_| data.with(|d| d.fields.clone()));
    let at = Signal::derive(move || data.with(|d| d.at));
    let rows = move || {
        fields
            .get()
            .into_iter()
            .map(|(name, value)| {
                let key = match name.as_str() {
                    "eventType" => Some("type"),
                    "source" => Some("source"),
                    "userId" => Some("user"),
                    "correlationId" => Some("correlation"),
                    _ => None,
                };
                let value = match key {
                    Some(key) => {
                        view! { <a href=routes::with_query(routes::EVENTS, [(key, value.clone())])>{value.clone()}</a> }.into_any()
                    }
                    None if name == "causationId" => view! { <a href=routes::event(&value)>{value.clone()}</a> }.into_any(),
                    None => value.into_any(),
                };
                view! {
                    <dt>{name}</dt>
                    <dd class="mono">{value}</dd>
                }
            })
            .collect_view()
    };
    view! {
        <section class="panel" aria-labelledby="fields-title">
            <h2 id="fields-title">"Fields"</h2>
            <dl class="kv">
                {rows}
                <dt>"timestamp"</dt>
                <dd>
                    <Moment at /> " " <span class="dim"><ZoneName /> " · " {move || at.get().millis().to_string()}</span>
                </dd>
                <dt>"in the event store"</dt>
                <dd>
                    {move || match data.with(|d| d.stored_at) {
                        Some(at) => view! { "since " <Moment at=at /> }.into_any(),
                        None => view! { "not yet: the audit consumer has not completed it" }.into_any(),
                    }}
                </dd>
            </dl>
        </section>
    }
}

#[component]
fn Payload(data: Signal<EventPage>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="payload-title">
            <h2 id="payload-title">"Payload"</h2>
            <pre tabindex="0">{move || data.with(|d| d.data.clone())}</pre>
            {move || {
                data.with(|d| d.metadata.clone())
                    .map(|metadata| {
                        view! {
                            <details class="fold">
                                <summary>"Metadata"</summary>
                                <pre>{metadata}</pre>
                            </details>
                        }
                    })
            }}
        </section>
    }
}

#[component]
fn Deliveries(data: Signal<EventPage>) -> impl IntoView {
    let deliveries = Memo::new(move |_| data.with(|d| d.ledger.as_ref().map(|l| l.deliveries.clone()).unwrap_or_default()));
    view! {
        <section class="panel" aria-labelledby="deliveries-title">
            <h2 id="deliveries-title">"Deliveries" <small>"times in " <ZoneName /></small></h2>
            {move || {
                let deliveries = deliveries.get();
                if let Some(fault) = data.with(|d| d.ledger_fault.clone()) {
                    view! { <Empty title="Deliveries are not known" text=fault.to_string() /> }.into_any()
                } else if deliveries.is_empty() {
                    view! { <Empty title="No deliveries" text="No rule sends this event to a consumer, or the ledger doesn't know it." /> }.into_any()
                } else {
                    view! {
                        <ul class="deliveries">
                            {deliveries.into_iter().map(|delivery| view! { <OneDelivery delivery /> }).collect_view()}
                        </ul>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

#[component]
fn OneDelivery(delivery: Delivery) -> impl IntoView {
    let attempts = delivery
        .attempts
        .iter()
        .map(|attempt| {
            #[allow(clippy::cast_precision_loss)] // microseconds of one attempt
            let took = seconds(attempt.duration_us as f64 / 1e6);
            view! {
                <li>
                    <Moment at=attempt.at />
                    <span class="num">{took}</span>
                    <span class="wrap">{attempt.error.clone().unwrap_or_else(|| "completed".to_owned())}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <li>
            <div class="row">
                <i class=format!("swatch {}", hue(&delivery.consumer).class())></i>
                <a href=routes::consumer(&delivery.consumer)>
                    <b>{delivery.consumer.clone()}</b>
                </a>
                <StateSign tone=Signal::stored(delivery.state.into()) word=delivery.state.word().to_owned() />
                {delivery.next_at.map(|at| view! { <span class="dim">"next attempt " <Moment at=at /></span> })}
            </div>
            <ol class="attempts">{attempts}</ol>
        </li>
    }
}

#[component]
fn Chain(data: Signal<EventPage>) -> impl IntoView {
    let links = |rows: Vec<EventRow>| {
        rows.into_iter()
            .map(|row| {
                view! {
                    <li>
                        <a href=routes::event(&row.event_id)>{row.event_type.clone()}</a>
                        " "
                        <span class="mono dim">{short_id(&row.event_id)}</span>
                        " "
                        <Moment at=row.at />
                    </li>
                }
            })
            .collect_view()
    };
    let chain = Memo::new(move |_| data.with(|d| (d.causes.clone(), d.effects.clone(), d.orphan_of.clone(), d.chain_fault.clone())));
    view! {
        <section class="panel" aria-labelledby="chain-title">
            <h2 id="chain-title">"Causes and effects"</h2>
            {move || {
                let (causes, effects, orphan_of, fault) = chain.get();
                if let Some(fault) = fault {
                    return view! { <Empty title="Causes and effects are not known" text=fault.to_string() /> }.into_any();
                }
                if causes.is_empty() && effects.is_empty() && orphan_of.is_none() {
                    return view! { <Empty title="None" text="This event names no cause, and no event names it as theirs." /> }.into_any();
                }
                view! {
                    <ol class="chain">
                        {orphan_of.map(|id| view! { <li class="state fail">{format!("cause {id} was never seen")}</li> })}
                        {links(causes)}
                        <li aria-current="true">
                            <b>"this event"</b>
                        </li>
                        {links(effects)}
                    </ol>
                }
                    .into_any()
            }}
        </section>
    }
}
