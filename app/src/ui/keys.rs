//! The keyboard: `g` then a letter goes to a page, `/` to the filter, `?` lists the keys.

use leptos::html;
use leptos::prelude::*;

use crate::routes;

/// What can be typed, and what it does.
pub const KEYS: [(&str, &str); 13] = [
    ("g o", "Overview"),
    ("g c", "Consumers"),
    ("g e", "Events"),
    ("g d", "Dead letters"),
    ("g x", "Cutover"),
    ("g f", "Findings"),
    ("g a", "Activity"),
    ("/", "To the filter"),
    ("← → Home End", "Move a chart's crosshair, when it has the focus"),
    ("⇧ ← →", "Select a range on the chart"),
    ("Enter", "Zoom to what is selected"),
    ("Esc", "Close, or clear the crosshair"),
    ("?", "This list"),
];

/// The page behind `g` and this letter.
#[must_use]
pub fn page(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "o" => routes::OVERVIEW,
        "c" => routes::CONSUMERS,
        "e" => routes::EVENTS,
        "d" => routes::LETTERS,
        "x" => routes::CUTOVER,
        "f" => routes::FINDINGS,
        "a" => routes::ACTIVITY,
        _ => return None,
    })
}

/// Listens, and holds the list.
#[component]
pub fn Keys() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let on = RwSignal::new(true);
    #[cfg(feature = "hydrate")]
    browser::listen(dialog, on);
    let switch = move |event| {
        on.set(event_target_checked(&event));
        #[cfg(feature = "hydrate")]
        browser::remember(on.get_untracked());
    };
    let rows = KEYS.map(|(keys, does)| {
        view! {
            <tr>
                <th scope="row">
                    <kbd>{keys}</kbd>
                </th>
                <td>{does}</td>
            </tr>
        }
    });
    view! {
        <dialog class="keys panel" node_ref=dialog aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            <table>
                <tbody>{rows}</tbody>
            </table>
            <label class="choice">
                <input type="checkbox" prop:checked=on on:change=switch />
                <span>"Single keys are on. (“?” always opens this list.)"</span>
            </label>
            <form method="dialog">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::ev;
    use leptos::html;
    use leptos::leptos_dom::helpers::window_event_listener;
    use leptos::prelude::*;
    use leptos_router::hooks::use_navigate;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement};

    /// Where the browser keeps that single keys are off, and how long a `g` waits for its letter, milliseconds.
    const OFF: &str = "keys-off";
    const PATIENCE: f64 = 1_500.0;

    /// Keeps whether single keys are on, for the next visit.
    pub(super) fn remember(on: bool) {
        if let Ok(Some(storage)) = window().local_storage() {
            // A browser that keeps nothing asks again the next time.
            let _ = if on { storage.remove_item(OFF) } else { storage.set_item(OFF, "1") };
        }
    }

    pub(super) fn listen(dialog: NodeRef<html::Dialog>, on: RwSignal<bool>) {
        let navigate = use_navigate();
        let after_g = StoredValue::new(f64::NEG_INFINITY);
        Effect::new(move |_| {
            let off = window().local_storage().ok().flatten().and_then(|s| s.get_item(OFF).ok().flatten());
            on.set(off.is_none());
        });
        let handle = window_event_listener(ev::keydown, move |event| {
            let typing = event
                .target()
                .and_then(|t| t.dyn_into::<Element>().ok())
                .is_some_and(|e| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
            let key = event.key();
            if key == "Escape" {
                crate::ui::confirm::close_sheets();
                return;
            }
            let listing = dialog.get_untracked().is_some_and(|d| d.open());
            if typing || listing || event.ctrl_key() || event.meta_key() || event.alt_key() || (key != "?" && !on.get_untracked()) {
                return;
            }
            if js_sys::Date::now() - after_g.get_value() < PATIENCE {
                after_g.set_value(f64::NEG_INFINITY);
                if let Some(path) = super::page(&key) {
                    event.prevent_default();
                    navigate(path, Default::default());
                }
                return;
            }
            match key.as_str() {
                "g" => after_g.set_value(js_sys::Date::now()),
                "?" => {
                    if let Some(dialog) = dialog.get_untracked().filter(|d| !d.open()) {
                        let _ = dialog.show_modal();
                    }
                }
                "/" => {
                    if let Some(input) = document()
                        .query_selector("[data-filter]")
                        .ok()
                        .flatten()
                        .and_then(|e| e.dyn_into::<HtmlElement>().ok())
                    {
                        event.prevent_default();
                        let _ = input.focus();
                    }
                }
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    }
}
