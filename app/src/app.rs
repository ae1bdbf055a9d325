//! The application: its frame and its routes.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, SsrMode, StaticSegment};

use crate::live::Live;
use crate::pages::activity::ActivityPage;
use crate::pages::consumers::{ConsumerDetail, ConsumersPage};
use crate::pages::cutover::CutoverPage;
use crate::pages::demo::DemoPage;
use crate::pages::events::{EventDetail, EventsPage};
use crate::pages::letters::{LetterPage, LettersPage};
use crate::pages::overview::OverviewPage;
use crate::ui::frame::Frame;
use crate::ui::state::Missing;
use crate::ui::time::provide_zone;

/// The application.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_zone();
    Live::provide();
    // Every page is complete before it is sent: it reads without script, and its status is right.
    view! {
        <Router>
            <Frame>
                <Routes fallback=|| view! { <Missing what="page at this address".to_owned() /> }>
                    <Route path=StaticSegment("") view=OverviewPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("consumers") view=ConsumersPage ssr=SsrMode::Async />
                    <Route path=(StaticSegment("consumers"), ParamSegment("name")) view=ConsumerDetail ssr=SsrMode::Async />
                    <Route path=StaticSegment("events") view=EventsPage ssr=SsrMode::Async />
                    <Route path=(StaticSegment("events"), ParamSegment("id")) view=EventDetail ssr=SsrMode::Async />
                    <Route path=StaticSegment("dead-letters") view=LettersPage ssr=SsrMode::Async />
                    <Route path=(StaticSegment("dead-letters"), ParamSegment("id")) view=LetterPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("cutover") view=CutoverPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("activity") view=ActivityPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("demo") view=DemoPage ssr=SsrMode::Async />
                </Routes>
            </Frame>
        </Router>
    }
}
