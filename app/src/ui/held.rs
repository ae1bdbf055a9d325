//! Lists that stand still while somebody walks through them with the keyboard: a row that moves takes the focus with it.

use leptos::leptos_dom::helpers::queue_microtask;
use leptos::prelude::*;

/// A list's data, held while the focus is inside.
pub struct Held<T: Send + Sync + 'static> {
    /// What is to be shown.
    pub shown: Signal<T>,
    /// What holds it.
    pub grip: Grip,
    /// Whether something newer waits.
    pub waiting: Signal<bool>,
}

/// Holds a list: to be closed when the focus comes in, and opened when it leaves, or when something is chosen, which may well
/// ask for another list.
#[derive(Clone, Copy)]
pub struct Grip(RwSignal<bool>);

impl Grip {
    /// Holds.
    pub fn close(self) {
        self.turn(true);
    }

    /// Lets go.
    pub fn open(self) {
        self.turn(false);
    }

    /// A list that goes with its page loses the focus in the middle of its going: looked at when it is gone, or is not.
    fn turn(self, closed: bool) {
        queue_microtask(move || {
            if self.0.try_get_untracked().is_some_and(|now| now != closed) {
                self.0.set(closed);
            }
        });
    }
}

/// Holds `data` while the grip is closed.
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
        grip: Grip(busy),
        waiting: Signal::derive(move || busy.get() && shown.with(|shown| data.with(|data| shown != data))),
    }
}
