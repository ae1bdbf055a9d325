//! Changes: a button that opens a sheet with what will happen, a reason, and the button that does it.

use std::time::Duration;

use leptos::prelude::*;

use crate::error::AppError;
use crate::live::Live;

/// How long it is said that something went well.
const SHOWN_FOR: Duration = Duration::from_secs(12);

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

/// Closes every open sheet; the focus, if it was inside one, goes to the button that opened it.
#[cfg(feature = "hydrate")]
pub(crate) fn close_sheets() {
    use wasm_bindgen::JsCast;
    let Ok(open) = document().query_selector_all("details.sheet[open]") else {
        return;
    };
    for n in 0..open.length() {
        if let Some(sheet) = open.item(n).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) {
            let focused = document().active_element().is_some_and(|focus| sheet.contains(Some(&focus)));
            // Removing an attribute that is there can't fail.
            let _ = sheet.remove_attribute("open");
            let opener = sheet
                .query_selector("summary")
                .ok()
                .flatten()
                .and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(opener) = opener.filter(|_| focused) {
                let _ = opener.focus();
            }
        }
    }
}

/// Why a change was not made. Of one that nobody answered, that it isn't known.
fn refusal(error: &AppError) -> String {
    match error {
        AppError::Unavailable(what) => {
            format!("{what} does not answer, so it is not known whether this was done. Look again before you repeat it.")
        }
        error => error.to_string(),
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
    // An answer is shown until somebody puts it away, or, if all went well, some time does.
    let away = RwSignal::new(false);
    Effect::new(move |_| {
        let done = value.with(|v| matches!(v, Some(Ok(_))));
        away.set(false);
        if done {
            set_timeout(
                move || {
                    let _ = away.try_set(true);
                },
                SHOWN_FOR,
            );
        }
    });
    let dismiss = move || view! { <button type="button" aria-label="Dismiss" on:click=move |_| away.set(true)>"×"</button> };
    view! {
        <div class="said" role="status" aria-live="polite">
            {move || {
                value
                    .get()
                    .filter(|_| !away.get())
                    .map(|result| match result {
                        Ok(value) => view! { <p class="said-done"><span>{done(&value)}</span> {dismiss()}</p> }.into_any(),
                        Err(error) => view! { <p class="said-refused"><span>{refusal(&error)}</span> {dismiss()}</p> }.into_any(),
                    })
            }}
        </div>
    }
}
