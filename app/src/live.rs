//! What is new, as the server says it: server-sent events become signals.
//!
//! There is one connection for the whole application. A page that shows live data reads again when [`Live::tick`]
//! moves. While the tab is hidden the connection is closed; coming back opens it and reads at once.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use pipeline::flag::Stage;
use pipeline::time::Timestamp;

use crate::error::Unanswered;

/// What every message says, whatever the page: enough for the frame around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The server's clock.
    pub now: Timestamp,
    /// The stage; `None` if the flags don't answer.
    pub stage: Option<Stage>,
    /// Dead letters that are open, or in queues that nothing takes over from; `None` if they don't answer.
    pub dead_letters: Option<u64>,
    /// Criteria that pass, fail, are unknown.
    pub criteria: [u8; 3],
    /// What didn't answer.
    pub unanswered: Unanswered,
}

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing has been heard yet: before the script has taken over, or just after.
    Connecting,
    /// Messages arrive: an open connection over which nothing comes is none.
    Live,
    /// The tab is hidden, or the viewer stopped it.
    Paused,
    /// It broke; it is being opened again.
    Lost,
}

/// How often a page reads again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// With every message: each two seconds.
    Live,
    /// Each ten seconds.
    Slow,
    /// Each minute.
    Minute,
    /// Only when asked.
    Off,
}

impl Refresh {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::Live, Self::Slow, Self::Minute, Self::Off];

    /// The choice's name in the URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "2s",
            Self::Slow => "10s",
            Self::Minute => "1m",
            Self::Off => "off",
        }
    }

    /// Every how many messages a page reads; `None` for never.
    #[must_use]
    pub const fn every(self) -> Option<u64> {
        match self {
            Self::Live => Some(1),
            Self::Slow => Some(5),
            Self::Minute => Some(30),
            Self::Off => None,
        }
    }
}

/// The live signals.
#[derive(Clone, Copy)]
pub struct Live {
    /// Moves when pages should read again.
    pub tick: RwSignal<u64>,
    /// The connection.
    pub connection: RwSignal<Connection>,
    /// The newest message.
    pub pulse: RwSignal<Option<Pulse>>,
    /// How often pages read.
    pub refresh: RwSignal<Refresh>,
    /// Whether the server has been silent for too long, over a connection that seems open.
    pub silent: RwSignal<bool>,
    /// The services whose answers the server waits for, since longer than they should take.
    pub late: RwSignal<Vec<String>>,
}

/// How long the server may be silent before what is shown counts as old, milliseconds: two beats.
#[cfg(feature = "hydrate")]
const SILENCE: f64 = 4_000.0;

impl Live {
    /// Makes the signals and, in a browser, connects them.
    pub fn provide() {
        let live = Self {
            tick: RwSignal::new(0),
            connection: RwSignal::new(Connection::Connecting),
            pulse: RwSignal::new(None),
            refresh: RwSignal::new(Refresh::Live),
            silent: RwSignal::new(false),
            late: RwSignal::new(Vec::new()),
        };
        provide_context(live);
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            browser::recall(live.refresh);
            browser::connect(live);
        });
    }

    /// The signals.
    #[must_use]
    pub fn get() -> Self {
        expect_context()
    }

    /// Has pages read again now.
    pub fn read_now(self) {
        self.tick.update(|n| *n += 1);
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    use super::{Connection, Live, Pulse, Refresh, SILENCE};
    use crate::routes;

    type Slot = Rc<RefCell<Option<Link>>>;

    /// An open connection and the handlers that it calls.
    struct Link {
        source: EventSource,
        _on_message: Closure<dyn FnMut(MessageEvent)>,
        _on_late: Closure<dyn FnMut(MessageEvent)>,
        _on_error: Closure<dyn FnMut(web_sys::Event)>,
    }

    impl Drop for Link {
        fn drop(&mut self) {
            self.source.close();
        }
    }

    /// How often the silence is looked at, and how long a connection that the browser gave up is left before the next try.
    const LOOK: Duration = Duration::from_millis(500);
    const AGAIN: f64 = 5_000.0;

    /// Where the browser keeps how often pages read.
    const KEPT: &str = "refresh";

    /// Takes up how often pages were read the last time, and keeps it when it changes.
    pub(super) fn recall(refresh: RwSignal<Refresh>) {
        // A browser that keeps nothing begins with the default each time.
        let storage = || window().local_storage().ok().flatten();
        let kept = storage().and_then(|storage| storage.get_item(KEPT).ok().flatten());
        if let Some(kept) = Refresh::ALL.into_iter().find(|choice| kept.as_deref() == Some(choice.name())) {
            refresh.set(kept);
        }
        Effect::new(move |before: Option<Refresh>| {
            let now = refresh.get();
            if let Some(storage) = storage().filter(|_| before.is_some_and(|before| before != now)) {
                let _ = storage.set_item(KEPT, now.name());
            }
            now
        });
    }

    pub(super) fn connect(live: Live) {
        let slot: Slot = Rc::new(RefCell::new(None));
        let heard = Rc::new(Cell::new(js_sys::Date::now()));
        let hidden = || document().visibility_state() == VisibilityState::Hidden;
        if hidden() {
            live.connection.set(Connection::Paused);
        } else {
            *slot.borrow_mut() = open(live, &heard);
        }
        watch(live, &slot, &heard);
        let toggle = Closure::<dyn FnMut()>::new(move || {
            if hidden() {
                slot.borrow_mut().take();
                live.connection.set(Connection::Paused);
                live.silent.set(false);
            } else if slot.borrow().is_none() {
                heard.set(js_sys::Date::now());
                *slot.borrow_mut() = open(live, &heard);
                live.read_now();
            }
        });
        // Lives as long as the page.
        let _ = document().add_event_listener_with_callback("visibilitychange", toggle.as_ref().unchecked_ref());
        toggle.forget();
    }

    /// Says so when the server falls silent, and opens a connection again that the browser has given up.
    fn watch(live: Live, slot: &Slot, heard: &Rc<Cell<f64>>) {
        let (slot, heard) = (Rc::clone(slot), Rc::clone(heard));
        let look = move || {
            if slot.borrow().is_none() {
                return;
            }
            let silence = js_sys::Date::now() - heard.get();
            let silent = silence > SILENCE;
            if live.silent.get_untracked() != silent {
                live.silent.set(silent);
            }
            let given_up = slot
                .borrow()
                .as_ref()
                .is_some_and(|link| link.source.ready_state() == EventSource::CLOSED);
            if given_up && silence > AGAIN {
                *slot.borrow_mut() = open(live, &heard);
                live.connection.set(Connection::Lost);
            }
        };
        // Lives as long as the page.
        set_interval(look, LOOK);
    }

    fn open(live: Live, heard: &Rc<Cell<f64>>) -> Option<Link> {
        live.connection.set(Connection::Connecting);
        let source = EventSource::new(routes::LIVE).ok()?;
        let heard = Rc::clone(heard);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            heard.set(js_sys::Date::now());
            if live.silent.get_untracked() {
                live.silent.set(false);
            }
            live.connection.set(Connection::Live);
            if live.late.with_untracked(|late| !late.is_empty()) {
                live.late.set(Vec::new());
            }
            let Some(pulse) = message
                .data()
                .as_string()
                .and_then(|text| serde_json::from_str::<Pulse>(&text).ok())
            else {
                return;
            };
            let beat = u64::try_from(pulse.now.millis() / 2_000).unwrap_or(0);
            live.pulse.set(Some(pulse));
            if live.refresh.get_untracked().every().is_some_and(|every| beat.is_multiple_of(every)) {
                live.read_now();
            }
        });
        // No news, but a word of why there is none.
        let on_late = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let text = message.data().as_string().unwrap_or_default();
            if let Ok(services) = serde_json::from_str::<Vec<String>>(&text)
                && live.late.with_untracked(|late| *late != services)
            {
                live.late.set(services);
            }
        });
        let _ = source.add_event_listener_with_callback("late", on_late.as_ref().unchecked_ref());
        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| live.connection.set(Connection::Lost));
        let _ = source.add_event_listener_with_callback("overview", on_message.as_ref().unchecked_ref());
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Link {
            source,
            _on_message: on_message,
            _on_late: on_late,
            _on_error: on_error,
        })
    }
}
