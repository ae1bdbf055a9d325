//! Where measurements come from, what that costs, and whether it answers.

use leptos::prelude::*;
use pipeline::metric::MetricsSource;

use super::time::{Moment, ZoneName};

/// A line under what was measured; nothing, where the measurements are Cutover's own.
#[component]
pub fn SourceNote(
    /// The source.
    source: Signal<Option<MetricsSource>>,
) -> impl IntoView {
    let fault = Memo::new(move |_| source.with(|s| s.as_ref().and_then(|s| Some((s.name.clone(), s.fault.clone()?)))));
    let until = Memo::new(move |_| source.with(|s| s.as_ref().and_then(|s| s.until)));
    let price = move || source.with(|s| s.as_ref().map(price).unwrap_or_default());
    let there = Memo::new(move |_| source.with(|s| s.as_ref().map(|s| s.name.clone())));
    move || {
        let name = there.get()?;
        let since = move || until.get().map(|at| view! { ", up to " <Moment at /> " " <ZoneName /> });
        let stale = move || {
            let (name, why) = fault.get()?;
            Some(view! {
                <p class="stale measured" role="status">
                    {format!("{name} can't be read: {why}. What was read before is shown")} {since} ". It is tried again by itself."
                </p>
            })
        };
        Some(view! {
            {stale}
            <p class="note source">
                {format!("Measured by {name}")} {since} {price}
            </p>
        })
    }
}

/// What reading costs, in words.
fn price(source: &MetricsSource) -> String {
    let MetricsSource {
        spent_today,
        a_day,
        ceiling,
        ..
    } = source;
    let slowed = if source.slowed {
        ", so that it is read less often than each minute"
    } else {
        ""
    };
    format!(". Reading it cost ${spent_today:.2} today and costs about ${a_day:.2} a day; at most ${ceiling:.2} are spent{slowed}.")
}
