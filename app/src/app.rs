//! The application: its frame and its routes.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{ParamSegment, SsrMode, StaticSegment};

use crate::live::Live;
use crate::pages::parts;
use crate::ui::frame::{Frame, Head};
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
                <FlatRoutes fallback=NotFound>
                    <Route path=StaticSegment("") view=parts::overview ssr=SsrMode::Async />
                    <Route path=StaticSegment("consumers") view=parts::consumers ssr=SsrMode::Async />
                    <Route path=(StaticSegment("consumers"), ParamSegment("name")) view=parts::consumer ssr=SsrMode::Async />
                    <Route path=StaticSegment("events") view=parts::events ssr=SsrMode::Async />
                    <Route path=(StaticSegment("events"), ParamSegment("id")) view=parts::event ssr=SsrMode::Async />
                    <Route path=StaticSegment("dead-letters") view=parts::letters ssr=SsrMode::Async />
                    <Route path=(StaticSegment("dead-letters"), ParamSegment("id")) view=parts::letter ssr=SsrMode::Async />
                    <Route path=StaticSegment("operations") view=parts::operations ssr=SsrMode::Async />
                    <Route path=(StaticSegment("operations"), ParamSegment("id")) view=parts::operation ssr=SsrMode::Async />
                    <Route path=StaticSegment("cutover") view=parts::cutover ssr=SsrMode::Async />
                    <Route path=StaticSegment("activity") view=parts::activity ssr=SsrMode::Async />
                    <Route path=StaticSegment("findings") view=parts::findings ssr=SsrMode::Async />
                    <Route path=StaticSegment("demo") view=parts::demo ssr=SsrMode::Async />
                </FlatRoutes>
            </Frame>
        </Router>
    }
}

/// What stands at an address that no page has.
#[component]
fn NotFound() -> impl IntoView {
    view! {
        <Head title="Not found" />
        <Missing what="page at this address".to_owned() />
    }
}
