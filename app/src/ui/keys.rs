//! The keyboard: `g` then a letter goes to a page, `/` to the filter, `?` lists the keys.

use leptos::html;
use leptos::prelude::*;

use crate::routes;

/// What can be typed, and what it does.
pub const KEYS: [(&str, &str); 10] = [
    ("g o", "Overview"),
    ("g c", "Consumers"),
    ("g e", "Events"),
    ("g d", "Dead letters"),
    ("g x", "Cutover"),
    ("g a", "Activity"),
    ("/", "To the filter"),
    ("← →", "Move a chart's crosshair, when it has the focus"),
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
        "a" => routes::ACTIVITY,
        _ => return None,
    })
}

/// Listens, and holds the list.
#[component]
pub fn Keys() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    #[cfg(feature = "hydrate")]
    browser::listen(dialog);
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

    pub(super) fn listen(dialog: NodeRef<html::Dialog>) {
        let navigate = use_navigate();
        let after_g = StoredValue::new(false);
        let handle = window_event_listener(ev::keydown, move |event| {
            let typing = event
                .target()
                .and_then(|t| t.dyn_into::<Element>().ok())
                .is_some_and(|e| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
            if typing || event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let key = event.key();
            if after_g.get_value() {
                after_g.set_value(false);
                if let Some(path) = super::page(&key) {
                    event.prevent_default();
                    navigate(path, Default::default());
                }
                return;
            }
            match key.as_str() {
                "g" => after_g.set_value(true),
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
