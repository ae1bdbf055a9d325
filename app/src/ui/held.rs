//! Lists that stand still while somebody walks through them with the keyboard: a row that moves takes the focus with it.

use leptos::prelude::*;

/// A list's data, held while the focus is inside.
pub struct Held<T: Send + Sync + 'static> {
    /// What is to be shown.
    pub shown: Signal<T>,
    /// Whether it is held.
    pub busy: RwSignal<bool>,
    /// Whether something newer waits.
    pub waiting: Signal<bool>,
}

/// Holds `data` while `busy`; whoever shows it sets that when the focus comes in, and takes it back when it leaves, or when
/// something is chosen, which may well ask for another list.
#[must_use]
pub fn held<T>(data: Signal<T>) -> Held<T>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let busy = RwSignal::new(false);
    let shown = Memo::new(move |before: Option<&T>| match before {
        Some(before) if busy.get() => before.clone(),
        _ => data.get(),
    });
    Held {
        shown: shown.into(),
        busy,
        waiting: Signal::derive(move || busy.get() && shown.with(|shown| data.with(|data| shown != data))),
    }
}
