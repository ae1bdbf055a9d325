//! One consumer's page.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use pipeline::consumer::ConsumerFault;
use pipeline::event::Json;
use pipeline::metric::Metric;

use super::api::{ConsumerPage, Measured, PauseConsumer, read_consumer};
use super::platform::Platform;
use crate::charts::{Chart, ChartSpec, Crosshair, Marker};
use crate::routes;
use crate::ui::confirm::{Reason, Said, Sheet, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, part, read_live};
use crate::ui::number::{duration, group, or_dash, percent, rate, seconds, short_id};
use crate::ui::range::{RangePicker, use_range_text, use_zoom, use_zoom_out};
use crate::ui::source::SourceNote;
use crate::ui::state::{Empty, PartlyOld, StateSign};
use crate::ui::time::{Moment, ZoneName};

/// The page.
#[component]
pub fn ConsumerDetail() -> impl IntoView {
    provide_context(Crosshair::new());
    let params = use_params_map();
    let name = Memo::new(move |_| params.with(|p| p.get("name").unwrap_or_default()));
    let range = use_range_text();
    let reading = read_live(move || (name.get(), range.get()), |(name, range)| read_consumer(name, range));
    let pause = ServerAction::<PauseConsumer>::new();
    follow(move || pause.value().get());
    view! {
        <Head title=name.get_untracked()>
            <RangePicker />
        </Head>
        <Said value=pause.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<ConsumerPage>| {
                view! {
                    <PartlyOld unanswered=Signal::derive(move || data.with(|d| d.unanswered.clone())) />
                    <Summary data pause />
                    {part(
                        Signal::derive(move || data.with(|d| d.measured.clone())),
                        "Charts",
                        move |measured| {
                            view! {
                                <Charts data measured />
                                <Platform vitals=Signal::derive(move || measured.with(|m| m.vitals.clone())) />
                            }
                                .into_any()
                        },
                    )}
                    <SourceNote source=Signal::derive(move || data.with(|d| d.source.clone())) />
                    {part(
                        Signal::derive(move || data.with(|d| d.faults.clone())),
                        "Last errors",
                        |faults| view! { <Faults faults /> }.into_any(),
                    )}
                }
            },
        )}
    }
}

#[component]
fn Summary(data: Signal<ConsumerPage>, pause: ServerAction<PauseConsumer>) -> impl IntoView {
    let of = move |f: fn(&ConsumerPage) -> String| move || data.with(f);
    let rules = move || {
        data.with(|d| {
            d.status
                .rules
                .iter()
                .map(|(name, pattern)| {
                    let pretty = Json::from_text(pattern.clone()).map_or_else(|_| pattern.clone(), |json| json.pretty());
                    view! {
                        <details class="fold">
                            <summary>"Rule " <b>{name.clone()}</b></summary>
                            <pre>{pretty}</pre>
                        </details>
                    }
                })
                .collect_view()
        })
    };
    let paused = Memo::new(move |_| data.with(|d| d.status.paused == Some(true)));
    view! {
        <section class="panel" aria-label="At a glance">
            <div class="lead">
                <p>{of(|d| d.status.does.clone())}</p>
                <StateSign tone=Signal::derive(move || data.with(|d| d.status.health.into())) word=Signal::derive(of(|d| d.status.health.word().to_owned())) />
                {move || {
                    let (paused, name) = (paused.get(), data.with_untracked(|d| d.status.name.clone()));
                    let (verb, text) = if paused {
                        ("Resume", "It takes up what has been waiting, oldest first.")
                    } else {
                        ("Pause", "It finishes what it has in hand. New events wait for it, durably; other consumers go on.")
                    };
                    view! {
                        <Sheet label=verb>
                            <ActionForm action=pause>
                                <p>{format!("{verb} {name}? {text}")}</p>
                                <input type="hidden" name="name" value=name.clone() />
                                <input type="hidden" name="paused" value=(!paused).to_string() />
                                <Reason id="pause-reason" />
                                <button class="button main">{format!("{verb} {name}")}</button>
                            </ActionForm>
                        </Sheet>
                    }
                }}
            </div>
            <dl class="figures">
                <div>
                    <dt>"Events/min"</dt>
                    <dd>{of(|d| or_dash(d.status.per_minute, rate))}</dd>
                </div>
                <div>
                    <dt>"Attempts"</dt>
                    <dd>{of(|d| or_dash(d.status.attempts(), group))}</dd>
                </div>
                <div>
                    <dt>"Processed"</dt>
                    <dd>{of(|d| or_dash(d.status.processed, group))}</dd>
                </div>
                <div>
                    <dt>"Failed attempts"</dt>
                    <dd>{of(|d| or_dash(d.status.failed, group))}</dd>
                </div>
                <div>
                    <dt>"Error rate"</dt>
                    <dd>{of(|d| or_dash(d.status.error_rate, percent))}</dd>
                </div>
                <div>
                    <dt>"p50"</dt>
                    <dd>{of(|d| or_dash(d.status.p50, seconds))}</dd>
                </div>
                <div>
                    <dt>"p95"</dt>
                    <dd>{of(|d| or_dash(d.status.p95, seconds))}</dd>
                </div>
                <div>
                    <dt>"p99"</dt>
                    <dd>{of(|d| or_dash(d.status.p99, seconds))}</dd>
                </div>
                <div>
                    <dt>"In flight"</dt>
                    <dd>{of(|d| or_dash(d.status.in_flight, group))}</dd>
                </div>
                <div>
                    <dt>"Waiting to retry"</dt>
                    <dd>{of(|d| or_dash(d.status.retrying, group))}</dd>
                </div>
                <div>
                    <dt>"Dead letters"</dt>
                    <dd>
                        <a href=move || data.with(|d| routes::with_query(routes::LETTERS, [("consumer", d.status.name.clone()), ("status", "open".to_owned())]))>
                            {of(|d| or_dash(d.status.dead_letters, group))}
                        </a>
                    </dd>
                </div>
            </dl>
            <p class="note">{of(|d| format!("Counts and percentiles over the last {}.", duration(d.status.window)))}</p>
            {rules}
        </section>
    }
}

#[component]
fn Charts(data: Signal<ConsumerPage>, measured: Signal<Measured>) -> impl IntoView {
    let markers = move || data.with(|d| d.deeds.iter().map(Marker::from).collect::<Vec<_>>());
    let span = move || data.with(|d| d.span);
    let (zoom, wider) = (use_zoom(), use_zoom_out(move || data.with_untracked(|d| d.now)));
    let throughput = Signal::derive(move || {
        measured
            .with(|m| ChartSpec::stacked(&m.throughput).over(span()))
            .with_markers(markers())
    });
    let latency = Signal::derive(move || {
        measured
            .with(|m| {
                ChartSpec::percentiles(&m.latency)
                    .unwrap_or_else(|| ChartSpec::lines(&m.error_rate))
                    .over(span())
                    .with_limit(30.0, "limit: 30 s")
            })
            .with_markers(markers())
    });
    let errors = Signal::derive(move || {
        measured
            .with(|m| ChartSpec::lines(&m.error_rate).over(span()).with_limit(1.0, "limit: 1 %"))
            .with_markers(markers())
    });
    let in_flight = Signal::derive(move || {
        measured
            .with(|m| ChartSpec::lines(&m.in_flight).over(span()))
            .with_markers(markers())
    });
    view! {
        <section class="charts" aria-label="Charts">
            <Chart id="throughput" title="Throughput" caption="completed a minute" definition=Metric::Throughput.definition() spec=throughput on_zoom=zoom on_zoom_out=wider />
            <Chart id="latency" title="Latency" caption="published to processed" definition=Metric::LatencyP99.definition() spec=latency on_zoom=zoom on_zoom_out=wider />
            <Chart id="error-rate" title="Error rate" caption="failed attempts" definition=Metric::ErrorRate.definition() spec=errors on_zoom=zoom on_zoom_out=wider />
            <Chart id="in-flight" title="In flight" caption="waiting or being processed" definition=Metric::InFlight.definition() spec=in_flight on_zoom=zoom on_zoom_out=wider />
        </section>
    }
}

#[component]
fn Faults(faults: Signal<Vec<ConsumerFault>>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="faults-title">
            <h2 id="faults-title">"Last errors" <small>"newest first; times in " <ZoneName /></small></h2>
            {move || {
                let faults = faults.get();
                if faults.is_empty() {
                    return view! { <Empty title="No errors" text="No attempt of this consumer is known to have failed." /> }.into_any();
                }
                let rows = faults
                    .into_iter()
                    .map(|fault| {
                        view! {
                            <tr>
                                <td>
                                    <Moment at=fault.at />
                                </td>
                                <td>
                                    <a class="mono" href=routes::event(&fault.event_id) title=fault.event_id.clone()>
                                        {short_id(&fault.event_id)}
                                    </a>
                                </td>
                                <td>{fault.event_type}</td>
                                <td class="num">{fault.attempt}</td>
                                <td class="wrap">{fault.error}</td>
                            </tr>
                        }
                    })
                    .collect_view();
                view! {
                    <div class="scroll">
                        <table>
                            <thead>
                                <tr>
                                    <th scope="col">"When"</th>
                                    <th scope="col">"Event"</th>
                                    <th scope="col">"Type"</th>
                                    <th scope="col" class="num">
                                        "Attempt"
                                    </th>
                                    <th scope="col">"Error"</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }
                    .into_any()
            }}
        </section>
    }
}
