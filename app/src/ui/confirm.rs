//! Changes: a button that opens a sheet with what will happen, a reason, and the button that does it.

use leptos::prelude::*;

use crate::error::AppError;

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
