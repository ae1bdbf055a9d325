//! Forms that say what to show.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

/// A form whose fields become the query of `action`: by loading the page without script, by going there with it.
///
/// The router's own `Form` does this and more (posting, files, answers), and what it brings along for that is a tenth of what
/// a first visit loads.
#[component]
pub fn QueryForm(
    #[prop(into)] action: Signal<String>,
    #[prop(default = "tools")] class: &'static str,
    children: Children,
) -> impl IntoView {
    let submit = submit(action);
    view! {
        <form method="GET" action=move || action.get() class=class on:submit=submit>
            {children()}
        </form>
    }
}

#[cfg(feature = "hydrate")]
fn submit(action: Signal<String>) -> impl Fn(SubmitEvent) {
    use leptos::web_sys::{FormData, HtmlFormElement};
    use wasm_bindgen::JsCast;

    let navigate = leptos_router::hooks::use_navigate();
    move |event: SubmitEvent| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        // Without a reading of its fields the browser sends the form by itself.
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else {
            return;
        };
        event.prevent_default();
        let fields = js_sys::try_iter(&data).ok().flatten().into_iter().flatten().flatten();
        let fields: Vec<(String, String)> = fields.filter_map(|field| pair(&field.unchecked_into())).collect();
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
        navigate(&crate::routes::with_query(&action.get_untracked(), pairs), Default::default());
    }
}

#[cfg(feature = "hydrate")]
fn pair(field: &js_sys::Array) -> Option<(String, String)> {
    Some((field.get(0).as_string()?, field.get(1).as_string()?))
}

/// The server attaches no handlers.
#[cfg(not(feature = "hydrate"))]
fn submit(_action: Signal<String>) -> impl Fn(SubmitEvent) {
    |_event| {}
}
