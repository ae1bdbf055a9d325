//! The frame around every page: navigation, how the connection is, what serves it.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use pipeline::criteria::group;
use serde::{Deserialize, Serialize};

use super::icon::{self, Icon};
use super::keys::Keys;
use super::range::use_range_query;
use super::theme::ThemeChoice;
use super::time::{Moment, ZoneName};
use crate::error::AppError;
use crate::live::{Connection, Live, Pulse, Refresh};
use crate::routes;

/// What the frame shows of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameInfo {
    /// `embedded` or `aws`.
    pub backend: String,
    /// Whether the demo application runs.
    pub demo: bool,
    /// Whether it made some of what is shown, now or earlier.
    pub demo_data: bool,
    /// The first message, before any has arrived.
    pub pulse: Pulse,
}

/// What the frame shows.
#[server(prefix = "/fn", endpoint = "frame", input = leptos::server_fn::codec::GetUrl, output = crate::wire::Wire)]
pub async fn read_frame() -> Result<FrameInfo, AppError> {
    let desk = crate::context::desk();
    let pulse = crate::pages::overview::api::pulse(&desk).await?;
    Ok(FrameInfo {
        backend: desk.backend.to_owned(),
        demo: desk.demo.is_some(),
        demo_data: desk.demo_data,
        pulse,
    })
}

/// The frame.
#[component]
pub fn Frame(
    /// The page.
    children: Children,
) -> impl IntoView {
    let live = Live::get();
    let info = Resource::new_blocking(|| (), |()| read_frame());
    provide_context(FrameData(info));
    let letters = move || {
        live.pulse
            .get()
            .or_else(|| info.get()?.ok().map(|i| i.pulse))
            .and_then(|p| p.dead_letters)
            .unwrap_or(0)
    };
    view! {
        <a class="skip" href="#main">
            "To the content"
        </a>
        <div class="shell">
            <nav class="rail" aria-label="Pages">
                <span class="brand">
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M2 6h5.5l5 8H18M2 14h3M15 3.5L18 6l-3 2.5M11 6h7"></path>
                    </svg>
                    "Cutover"
                </span>
                <Entry path=routes::OVERVIEW icon=icon::OVERVIEW label="Overview" ranged=true />
                <Entry path=routes::CONSUMERS icon=icon::CONSUMERS label="Consumers" ranged=true />
                <Entry path=routes::EVENTS icon=icon::EVENTS label="Events" />
                <Entry path=routes::LETTERS icon=icon::LETTERS label="Dead letters">
                    <Transition>
                        {move || {
                            let count = letters();
                            (count > 0)
                                .then(|| {
                                    view! {
                                        <span class="count" title="open dead letters">
                                            {if count > 999 { "999+".to_owned() } else { group(count) }}
                                        </span>
                                    }
                                })
                        }}
                    </Transition>
                </Entry>
                <Entry path=routes::CUTOVER icon=icon::CUTOVER label="Cutover" ranged=true />
                <Entry path=routes::FINDINGS icon=icon::FINDINGS label="Findings" />
                <Entry path=routes::ACTIVITY icon=icon::ACTIVITY label="Activity" />
                <Transition>
                    {move || {
                        info.get()
                            .and_then(Result::ok)
                            .is_some_and(|i| i.demo)
                            .then(|| view! { <Entry path=routes::DEMO icon=icon::DEMO label="Demo" /> })
                    }}
                </Transition>
                <div class="foot">
                    <Transition>
                        {move || info.get().and_then(Result::ok).map(|i| view! { <span>{i.backend}{if i.demo { " · demo" } else { "" }}</span> })}
                        {move || {
                            let now = live.pulse.get().or_else(|| info.get()?.ok().map(|i| i.pulse)).map(|p| p.now);
                            now.map(|now| view! { <span><Moment at=now /></span> })
                        }}
                    </Transition>
                    <span>
                        <ZoneName />
                    </span>
                    <ThemeChoice />
                    <span>
                        <kbd>"?"</kbd>
                        " for keys"
                    </span>
                </div>
            </nav>
            <main id="main" tabindex="-1">
                {children()} <footer class="phone-foot">
                    <span>
                        "times in " <ZoneName />
                    </span>
                    <ThemeChoice />
                </footer>
            </main>
        </div>
        <Keys />
    }
}

/// A page's entry in the rail.
#[component]
fn Entry(
    path: &'static str,
    icon: &'static str,
    label: &'static str,
    /// Whether the page is of a time range: it then is of the same as the page before.
    #[prop(optional)]
    ranged: bool,
    /// What stands after the label.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (location, range) = (use_location(), use_range_query());
    let href = move || {
        if ranged {
            routes::with_query(path, range.get())
        } else {
            path.to_owned()
        }
    };
    let current = move || location.pathname.with(|now| leads_to(path, now)).then_some("page");
    view! {
        <a href=href aria-current=current>
            <Icon path=icon />
            <span>{label}</span>
            {children.map(|children| children())}
        </a>
    }
}

/// Whether the rail's entry `path` is where the page `now` belongs.
fn leads_to(path: &str, now: &str) -> bool {
    let below = |path: &str| now.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match path {
        routes::OVERVIEW => now == routes::OVERVIEW,
        routes::LETTERS => below(routes::LETTERS) || below(routes::OPERATIONS),
        path => below(path),
    }
}

/// The frame's reading, for the page's head.
#[derive(Clone, Copy)]
struct FrameData(Resource<Result<FrameInfo, AppError>>);

/// The head of a page: its name, whether the traffic is the demo's, how the connection is, and what the page adds.
#[component]
pub fn Head(
    /// The page's name.
    #[prop(into)]
    title: String,
    /// Such as the range.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let FrameData(info) = expect_context();
    view! {
        <leptos_meta::Title text=format!("{title} · Cutover") />
        <header class="bar">
            <h1>{title}</h1>
            <Transition>
                {move || {
                    info.get()
                        .and_then(Result::ok)
                        .filter(|i| i.demo_data)
                        .map(|i| {
                            let words = if i.demo { "demo traffic" } else { "demo data" };
                            view! { <span class="chip demo" title="What you see was made, all or in part, by the built-in demo application">{words}</span> }
                        })
                }}
            </Transition>
            <LiveChip />
            {children.map(|c| c())}
        </header>
    }
}

#[component]
fn LiveChip() -> impl IntoView {
    let live = Live::get();
    // What the server says that it couldn't read.
    let missing = Memo::new(move |_| {
        live.pulse
            .with(|pulse| pulse.as_ref().map(|p| p.unanswered.in_short()).unwrap_or_default())
    });
    // What the server waits for, for too long.
    let late = Memo::new(move |_| live.late.with(|services| (!services.is_empty()).then(|| services.join(", "))));
    let class = move || match live.connection.get() {
        Connection::Lost => "dot off",
        _ if live.silent.get() || late.with(Option::is_some) => "dot off",
        Connection::Live if missing.with(|m| !m.is_empty()) => "dot part",
        Connection::Live if live.refresh.get() != Refresh::Off => "dot on",
        Connection::Live | Connection::Paused | Connection::Connecting => "dot idle",
    };
    let words = move || match (live.connection.get(), late.get()) {
        (Connection::Lost, _) => "connection lost, retrying".to_owned(),
        (_, Some(services)) => format!("old: no answer from {services}"),
        _ if live.silent.get() => "old: no news from the server".to_owned(),
        (Connection::Live, _) if missing.with(|m| !m.is_empty()) => missing.with(|m| format!("partly old: {m}")),
        (Connection::Live, _) if live.refresh.get() == Refresh::Off => "stopped".to_owned(),
        (Connection::Live, _) => "live".to_owned(),
        (Connection::Connecting, _) => "connecting".to_owned(),
        (Connection::Paused, _) => "paused".to_owned(),
    };
    let since = move || {
        let old = live.silent.get() || late.with(Option::is_some) || live.connection.get() == Connection::Lost;
        old.then(|| live.pulse.get().map(|pulse| view! { " · as of " <Moment at=pulse.now /> }))
    };
    let options = move || {
        Refresh::ALL
            .map(|r| {
                let label = if r == Refresh::Off {
                    "never".to_owned()
                } else {
                    format!("every {}", r.name())
                };
                view! {
                    <option value=r.name() selected=move || live.refresh.get() == r prop:selected=move || live.refresh.get() == r>
                        {label}
                    </option>
                }
            })
            .collect_view()
    };
    let choose = move |event| {
        let value = event_target_value(&event);
        if let Some(refresh) = Refresh::ALL.into_iter().find(|r| r.name() == value) {
            live.refresh.set(refresh);
            live.read_now();
        }
    };
    view! {
        <span class="chip live">
            <span class=class></span>
            <span role="status">{words} {since}</span>
            <label>
                <span class="visually-hidden">"Refresh"</span>
                <select on:change=choose>{options()}</select>
            </label>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_one_entry() {
        for (path, now, current) in [
            (routes::OVERVIEW, "/", true),
            (routes::OVERVIEW, "/events", false),
            (routes::EVENTS, "/events", true),
            (routes::EVENTS, "/events/01a2", true),
            (routes::EVENTS, "/eventual", false),
            (routes::LETTERS, "/operations/01a2", true),
            (routes::LETTERS, "/dead-letters/01a2", true),
        ] {
            assert_eq!(leads_to(path, now), current, "{path} at {now}");
        }
    }
}
