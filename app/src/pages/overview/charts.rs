//! The overview's four charts.

use leptos::prelude::*;
use pipeline::metric::Metric;

use super::api::{Overview, Readings};
use crate::charts::{Chart, ChartSpec, Marker};
use crate::ui::range::{use_zoom, use_zoom_out};

/// Throughput, latency, error rate and dead letters, over the same range and under one crosshair.
#[component]
pub(super) fn OverviewCharts(data: Signal<Overview>, readings: Signal<Readings>) -> impl IntoView {
    let markers = move || data.with(|d| d.deeds.iter().map(Marker::from).collect::<Vec<_>>());
    let (zoom, wider) = (use_zoom(), use_zoom_out(move || data.with_untracked(|d| d.now)));
    let span = move || data.with(|d| d.span);
    let throughput = Signal::derive(move || {
        readings
            .with(|r| {
                ChartSpec::lines(&r.throughput)
                    .over(span())
                    .with_limit(100.0, "needed at peak: 100 a minute")
            })
            .with_markers(markers())
    });
    let latency = Signal::derive(move || {
        readings
            .with(|r| {
                ChartSpec::percentiles(&r.latency)
                    .unwrap_or_else(|| ChartSpec::lines(&r.error_rate))
                    .over(span())
                    .with_limit(30.0, "limit: 30 s")
            })
            .with_markers(markers())
    });
    let errors = Signal::derive(move || {
        readings
            .with(|r| ChartSpec::lines(&r.error_rate).over(span()).with_limit(1.0, "limit: 1 %"))
            .with_markers(markers())
    });
    let letters = Signal::derive(move || {
        readings
            .with(|r| ChartSpec::stacked(&r.letters).over(span()))
            .with_markers(markers())
    });
    view! {
        <section class="charts" aria-label="Charts">
            <Chart id="throughput" title="Throughput" caption="a minute: all published, each completed" definition=Metric::Throughput.definition() spec=throughput on_zoom=zoom on_zoom_out=wider />
            <Chart id="latency" title="Latency" caption="published to processed" definition=Metric::LatencyP99.definition() spec=latency on_zoom=zoom on_zoom_out=wider />
            <Chart id="error-rate" title="Error rate" caption="failed attempts, by consumer" definition=Metric::ErrorRate.definition() spec=errors on_zoom=zoom on_zoom_out=wider />
            <Chart id="dead-letters" title="Dead letters" caption="open, by consumer" definition=Metric::DeadLetters.definition() spec=letters on_zoom=zoom on_zoom_out=wider />
        </section>
    }
}
