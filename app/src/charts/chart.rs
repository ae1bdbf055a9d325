//! The component: a chart's head, legend, drawing, crosshair and table.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html;
use leptos::leptos_dom::helpers::queue_microtask;
use leptos::prelude::*;
use pipeline::time::Timestamp;

use super::gesture::{DRAG, Hand, Selection, Stroke, key};
use super::hue::Hue;
use super::layout::Layout;
use super::spec::{ChartSpec, Shape};
use super::zone::{Crosshair, Zone};
use super::{draw, overlay, table, words};

/// A chart as a panel. `id` tells it apart from the page's others (its parts' ids begin with it).
///
/// It shares the contexts [`Crosshair`] and [`Zone`] with the page's other charts. Before any script runs, it is whole:
/// drawing, values, definition and table are in the server's HTML.
#[component]
pub fn Chart(
    /// Begins the ids of its parts: `throughput`.
    id: &'static str,
    /// Its name.
    #[prop(into)]
    title: String,
    /// A few words beside the name: `events a minute, by consumer`.
    #[prop(into)]
    caption: String,
    /// The one definition of what it shows, from `Metric::definition`.
    #[prop(into)]
    definition: String,
    /// What it shows.
    #[prop(into)]
    spec: Signal<ChartSpec>,
    /// Takes a range in milliseconds, whole steps, when one has been selected.
    #[prop(optional)]
    on_zoom: Option<Callback<(i64, i64)>>,
    /// Takes a wish for a wider range: a double click.
    #[prop(optional)]
    on_zoom_out: Option<Callback<()>>,
) -> impl IntoView {
    let zone = use_context::<Zone>().unwrap_or_else(Zone::utc);
    let crosshair = use_context::<Crosshair>().unwrap_or_default();
    let at = Memo::new(move |_| spec.with(|s| s.index_of(Timestamp(crosshair.0.get()?))));
    let zone_name = move || zone.name.get();
    let layout = Memo::new(move |_| spec.with(Layout::of));
    let drawing = Memo::new(move |_| spec.with(|s| zone.offsets.with(|o| draw::draw(s, o))));
    let summary = {
        let title = title.clone();
        move || spec.with(|s| zone.offsets.with(|o| words::summary(s, &title, o, &zone.name.read())))
    };
    let handles = move || spec.with(|s| zone.offsets.with(|o| overlay::handles(s, &layout.read(), o)));
    let headline = move || spec.with(|s| words::headline(s, at.get()));
    view! {
        <section class="panel chart" aria-labelledby=format!("{id}-title")>
            <header class="chart-head">
                <h2 id=format!("{id}-title")>{title.clone()}</h2>
                <small>{caption}</small>
                <Definition id title=title.clone() definition/>
                <span class="chart-now">{headline}</span>
            </header>
            <Legend spec at/>
            <div class="chart-frame">
                <div class="chart-drawing" role="img" aria-label=summary inner_html=move || drawing.get()></div>
                <Hands title=title.clone() spec layout zone crosshair at on_zoom on_zoom_out/>
                <div class="chart-flags" inner_html=handles></div>
            </div>
            <footer class="chart-foot">
                <Numbers title spec zone/>
                <span class="chart-zone">"times in " {zone_name}</span>
            </footer>
        </section>
    }
}

/// A question mark that explains the metric on hover, on focus and to a screen reader.
#[component]
fn Definition(id: &'static str, title: String, definition: String) -> impl IntoView {
    view! {
        <span class="chart-why">
            <button type="button" aria-label=format!("What {title} is") aria-describedby=format!("{id}-definition")>"?"</button>
            <span role="tooltip" id=format!("{id}-definition")>{definition}</span>
        </span>
    }
}

/// Every line's name with its swatch, and its value under the crosshair or at the newest complete step.
#[component]
fn Legend(spec: Signal<ChartSpec>, at: Memo<Option<usize>>) -> impl IntoView {
    // Live updates change the values only, so the items stay.
    let names = Memo::new(move |_| spec.with(|s| (s.shape, s.lines.iter().map(|l| (l.label.clone(), l.hue)).collect::<Vec<_>>())));
    let item = move |n: usize, shape: Shape, label: String, hue: Hue| {
        let value = move || spec.with(|s| words::legend(s, n, at.get()));
        let swatch = swatch(shape, &label, hue);
        view! {
            <li data-n=n.to_string()>
                <span class="chart-swatch" inner_html=swatch></span>
                <span>{label}</span>
                <b>{value}</b>
            </li>
        }
    };
    let items = move || {
        let (shape, lines) = names.get();
        lines
            .into_iter()
            .enumerate()
            .map(|(n, (label, hue))| item(n, shape, label, hue))
            .collect_view()
    };
    view! { <ul class="chart-legend">{items}</ul> }
}

fn swatch(shape: Shape, label: &str, hue: Hue) -> String {
    let area = if shape == Shape::Stacked && label != "all" {
        r#"<path class="area" d="M0 5h18v7H0z"/>"#
    } else {
        ""
    };
    let class = hue.class();
    format!(
        r#"<svg width="18" height="12" class="{class}" aria-hidden="true" focusable="false">{area}<path class="line" d="M0 5h18"/></svg>"#
    )
}

/// Where pointer and keyboard act: the crosshair and the selection.
#[component]
fn Hands(
    title: String,
    spec: Signal<ChartSpec>,
    layout: Memo<Layout>,
    zone: Zone,
    crosshair: Crosshair,
    at: Memo<Option<usize>>,
    on_zoom: Option<Callback<(i64, i64)>>,
    on_zoom_out: Option<Callback<()>>,
) -> impl IntoView {
    let field = NodeRef::<html::Div>::new();
    let selection = RwSignal::new(None::<Selection>);
    // Where a press began, in steps and pixels.
    let pressed = StoredValue::new(None::<(usize, f64)>);
    let point = move |index: Option<usize>| {
        let millis = spec.with_untracked(|s| index.map(|i| s.start(i).millis()));
        if crosshair.0.get_untracked() != millis {
            crosshair.0.set(millis);
        }
    };
    let index_under = move |ev: &PointerEvent| {
        let area = field.get_untracked()?.get_bounding_client_rect();
        let fraction = (f64::from(ev.client_x()) - area.left()) / area.width().max(1.0);
        spec.with_untracked(|s| {
            let last = s.steps.checked_sub(1)?;
            Some(s.index_of(layout.read_untracked().at(fraction.clamp(0.0, 1.0))).unwrap_or(last))
        })
    };
    let zoom = move |range: Option<(i64, i64)>| {
        if let Some((range, on_zoom)) = range.zip(on_zoom) {
            on_zoom.run(range);
        }
    };
    let let_go = move || {
        pressed.set_value(None);
        selection.set(None);
    };
    let down = move |ev: PointerEvent| {
        let Some(index) = index_under(&ev).filter(|_| ev.is_primary() && ev.button() == 0) else {
            return;
        };
        if let Some(field) = field.get_untracked() {
            // Without capture a selection ends at the chart's edge; that is all that is lost.
            let _ = field.set_pointer_capture(ev.pointer_id());
        }
        pressed.set_value(Some((index, f64::from(ev.client_x()))));
        point(Some(index));
    };
    let moved = move |ev: PointerEvent| {
        let Some(head) = index_under(&ev) else { return };
        point(Some(head));
        if let Some((anchor, x)) = pressed.get_value().filter(|_| on_zoom.is_some()) {
            let dragging = selection.get_untracked().is_some() || (f64::from(ev.client_x()) - x).abs() >= DRAG;
            let now = dragging.then_some(Selection { anchor, head });
            if selection.get_untracked() != now {
                selection.set(now);
            }
        }
    };
    let up = move |_: PointerEvent| {
        let range = spec.with_untracked(|s| selection.get_untracked()?.range(s));
        let pressed_here = pressed.get_value().is_some();
        let_go();
        zoom(range.filter(|_| pressed_here));
    };
    let left = move |ev: PointerEvent| {
        // A finger that is lifted leaves too; what it pointed at stays to be read.
        if pressed.get_value().is_none() && ev.pointer_type() != "touch" {
            point(None);
        }
    };
    let typed = move |ev: KeyboardEvent| {
        let hand = Hand {
            at: at.get_untracked(),
            selection: selection.get_untracked(),
        };
        match spec.with_untracked(|s| key(&ev.key(), ev.shift_key(), hand, s)) {
            Some(Stroke::Choose(hand)) => {
                point(hand.at);
                selection.set(hand.selection.filter(|_| on_zoom.is_some()));
                pressed.set_value(None);
            }
            Some(Stroke::Zoom(from, to)) => {
                let_go();
                zoom(Some((from, to)));
            }
            None => return,
        }
        ev.prevent_default();
    };
    // Leaving the page takes the focus too, in the middle of the page's going: looked at when it is gone, or is not.
    let blurred = move |_| {
        queue_microtask(move || {
            if selection.try_get_untracked().is_some() {
                let_go();
                point(None);
            }
        });
    };
    let svg = move || {
        spec.with(|s| match (at.get(), selection.get()) {
            (None, None) => String::new(),
            (at, selection) => zone.offsets.with(|o| overlay::crosshair(s, &layout.read(), o, at, selection)),
        })
    };
    let steps = move || spec.with(|s| s.steps.saturating_sub(1).to_string());
    let position = move || at.get().unwrap_or_default().to_string();
    let readout = move || match at.get() {
        Some(index) => spec.with(|s| zone.offsets.with(|o| words::readout(s, index, o, &zone.name.read()))),
        None => "no instant chosen".to_owned(),
    };
    view! {
        <div
            class="chart-hands"
            class:zooms=on_zoom.is_some()
            node_ref=field
            role="slider"
            tabindex="0"
            aria-label=format!("{title}: values at an instant")
            aria-valuemin="0"
            aria-valuemax=steps
            aria-valuenow=position
            aria-valuetext=readout
            inner_html=svg
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=move |_| let_go()
            on:pointerleave=left
            on:keydown=typed
            on:blur=blurred
            on:dblclick=move |_| if let Some(wider) = on_zoom_out { wider.run(()) }
        ></div>
    }
}

/// The numbers, on request. While closed they are left as they are: most charts are never opened.
#[component]
fn Numbers(title: String, spec: Signal<ChartSpec>, zone: Zone) -> impl IntoView {
    let details = NodeRef::<html::Details>::new();
    let open = RwSignal::new(false);
    let html = Memo::new(move |before: Option<&String>| match (before, open.get()) {
        (Some(before), false) => before.clone(),
        _ => spec.with(|s| zone.offsets.with(|o| table::table(s, &title, o, &zone.name.read()))),
    });
    view! {
        <details class="chart-numbers" node_ref=details on:toggle=move |_| open.set(details.get_untracked().is_some_and(|d| d.open()))>
            <summary>"Table"</summary>
            <div class="chart-table scroll" tabindex="0" role="region" aria-label="Numbers" inner_html=move || html.get()></div>
        </details>
    }
}
