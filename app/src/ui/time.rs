//! Times, in the viewer's zone once the browser has said which; in UTC before.

use leptos::prelude::*;
use pipeline::time::Timestamp;

use crate::charts::Zone;

/// Provides the zone to the whole application: UTC until the page is alive, then the viewer's.
pub fn provide_zone() {
    let zone = Zone::utc();
    provide_context(zone);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| zone.detect());
}

/// An instant: `23 Nov 10:02:14`, with the whole of it, and the zone, on hover.
#[component]
pub fn Moment(
    /// When.
    #[prop(into)]
    at: Signal<Timestamp>,
) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let text = move || {
        let at = at.get();
        zone.offsets
            .with(|offsets| format!("{} {}", offsets.wall(at).date(), clock(at, &offsets.wall(at).time())))
    };
    let title = move || {
        let at = at.get();
        zone.offsets
            .with(|offsets| format!("{} {} ({at})", offsets.wall(at).iso(), zone.name.get()))
    };
    view! { <time class="moment" datetime=move || at.get().to_string() title=title>{text}</time> }
}

fn clock(at: Timestamp, hours_and_minutes: &str) -> String {
    format!("{hours_and_minutes}:{:02}", at.millis().div_euclid(1000).rem_euclid(60))
}

/// The name of the zone that the page's times are in.
#[component]
pub fn ZoneName() -> impl IntoView {
    let zone = expect_context::<Zone>();
    view! { <span class="zone">{move || zone.name.get()}</span> }
}
