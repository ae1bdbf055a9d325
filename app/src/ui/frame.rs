//! The frame around every page: navigation, how the connection is, what serves it.

use leptos::prelude::*;
use leptos_router::components::A;
use pipeline::criteria::group;
use serde::{Deserialize, Serialize};

use super::icon::{self, Icon};
use super::keys::Keys;
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
            .map_or(0, |p| p.dead_letters)
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
                <A href=routes::OVERVIEW exact=true>
                    <Icon path=icon::OVERVIEW />
                    <span>"Overview"</span>
                </A>
                <A href=routes::CONSUMERS>
                    <Icon path=icon::CONSUMERS />
                    <span>"Consumers"</span>
                </A>
                <A href=routes::EVENTS>
                    <Icon path=icon::EVENTS />
                    <span>"Events"</span>
                </A>
                <A href=routes::LETTERS>
                    <Icon path=icon::LETTERS />
                    <span>"Dead letters"</span>
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
                </A>
                <A href=routes::CUTOVER>
                    <Icon path=icon::CUTOVER />
                    <span>"Cutover"</span>
                </A>
                <A href=routes::ACTIVITY>
                    <Icon path=icon::ACTIVITY />
                    <span>"Activity"</span>
                </A>
                <Transition>
                    {move || {
                        info.get()
                            .and_then(Result::ok)
                            .is_some_and(|i| i.demo)
                            .then(|| {
                                view! {
                                    <A href=routes::DEMO>
                                        <Icon path=icon::DEMO />
                                        <span>"Demo"</span>
                                    </A>
                                }
                            })
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
    let class = move || match live.connection.get() {
        Connection::Lost => "dot off",
        _ if live.silent.get() => "dot off",
        Connection::Live if live.refresh.get() != Refresh::Off => "dot on",
        Connection::Live | Connection::Paused | Connection::Connecting => "dot idle",
    };
    let words = move || match live.connection.get() {
        Connection::Lost => "connection lost, retrying",
        _ if live.silent.get() => "old: no news from the server",
        Connection::Live if live.refresh.get() == Refresh::Off => "stopped",
        Connection::Live => "live",
        Connection::Connecting => "connecting",
        Connection::Paused => "paused",
    };
    let since = move || {
        let old = live.silent.get() || live.connection.get() == Connection::Lost;
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
                    <option value=r.name() selected=move || live.refresh.get() == r>
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
