//! Light, dark, or as the system says. The choice is kept in the browser and set before the first paint by
//! `public/theme.js`.

use leptos::prelude::*;

/// The choice.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let theme = RwSignal::new(String::from("system"));
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(stored) = stored() {
            theme.set(stored);
        }
    });
    let choose = move |name: &'static str| {
        theme.set(name.to_owned());
        #[cfg(feature = "hydrate")]
        apply(name);
    };
    let option = move |name: &'static str, label: &'static str| {
        view! {
            <button type="button" aria-pressed=move || (theme.get() == name).to_string() on:click=move |_| choose(name)>
                {label}
            </button>
        }
    };
    view! {
        <div class="seg theme" role="group" aria-label="Theme">
            {option("light", "light")} {option("system", "auto")} {option("dark", "dark")}
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn stored() -> Option<String> {
    window().local_storage().ok()??.get_item("theme").ok()?
}

#[cfg(feature = "hydrate")]
fn apply(name: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A browser that keeps nothing still shows the choice.
        let _ = storage.set_item("theme", name);
    }
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", name);
    }
}
