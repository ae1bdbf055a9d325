//! Changes: a button that opens a sheet with what will happen, a reason, and the button that does it.

use leptos::prelude::*;

use crate::error::AppError;
use crate::live::Live;

/// The button and its sheet. Made of a disclosure, so that it works without script.
#[component]
pub fn Sheet(
    /// On the button.
    #[prop(into)]
    label: String,
    /// Whether it is the page's main action.
    #[prop(optional)]
    main: bool,
    /// The form.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="sheet">
            <summary class=if main { "button main" } else { "button" }>{label}"…"</summary>
            <div class="sheet-body panel">{children()}</div>
        </details>
    }
}

/// The reason, which goes on the record.
#[component]
pub fn Reason(
    /// Tells this page's reasons apart.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let for_id = id.clone();
    view! {
        <label class="field" for=for_id>
            <span>"Reason, for the record"</span>
            <input id=id name="reason" required maxlength="500" autocomplete="off" />
        </label>
    }
}

/// Has the page read again, and closes the sheets, when a change was made; when it was refused, the sheet stays as it was filled in.
pub fn follow<T>(value: impl Fn() -> Option<Result<T, AppError>> + 'static)
where
    T: 'static,
{
    let live = Live::get();
    Effect::new(move |_| {
        let Some(result) = value() else { return };
        live.read_now();
        if result.is_ok() {
            #[cfg(feature = "hydrate")]
            close_sheets();
        }
    });
}

#[cfg(feature = "hydrate")]
fn close_sheets() {
    use wasm_bindgen::JsCast;
    let Ok(open) = document().query_selector_all("details.sheet[open]") else {
        return;
    };
    for n in 0..open.length() {
        if let Some(sheet) = open.item(n).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) {
            // Removing an attribute that is there can't fail.
            let _ = sheet.remove_attribute("open");
        }
    }
}

/// What came of the last change made on this page.
#[component]
pub fn Said<T>(
    /// The action's answer.
    #[prop(into)]
    value: Signal<Option<Result<T, AppError>>>,
    /// What to say when it went well.
    done: fn(&T) -> String,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
{
    view! {
        <div class="said" role="status" aria-live="polite">
            {move || {
                value
                    .get()
                    .map(|result| match result {
                        Ok(value) => view! { <p class="said-done">{done(&value)}</p> }.into_any(),
                        Err(error) => view! { <p class="said-refused">{error.to_string()}</p> }.into_any(),
                    })
            }}
        </div>
    }
}
