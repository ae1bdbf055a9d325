//! What the server's side of the pages works with.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use pipeline::activity::{NewActivity, Outcome};
use pipeline::demo::Faults;
use pipeline::ports::Ports;
use pipeline::time::Timestamp;
use quick_cache::sync::Cache;

use crate::error::AppError;

/// Readings that many viewers share are computed once in this long, milliseconds.
const SHARED_FOR: i64 = 1_000;
/// How many shared readings of a kind are kept.
const SHARED: usize = 64;

/// Who is in front of the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Their name, as it goes on the record.
    pub name: String,
}

impl Actor {
    /// Whoever sits at this machine: as long as there is no access control, the server only listens to it.
    #[must_use]
    pub fn local() -> Self {
        Self {
            name: "local operator".to_owned(),
        }
    }
}

/// A change that someone wants to make.
#[derive(Clone, Debug)]
pub struct Action {
    /// What, dotted: `flags.change`.
    pub name: &'static str,
    /// To what.
    pub target: String,
    /// In one sentence.
    pub summary: String,
    /// Why.
    pub reason: Option<String>,
}

/// The embedded demo, if it runs.
#[derive(Clone)]
pub struct DemoSwitch {
    /// Its faults.
    pub faults: Faults,
}

/// Everything that a server function, or the JSON API, works with. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The ports.
    pub ports: Ports,
    /// Which backend they are of: `embedded` or `aws`.
    pub backend: &'static str,
    /// The demo, if it runs.
    pub demo: Option<DemoSwitch>,
    /// Whether some of the events were made by the demo, now or earlier.
    pub demo_data: bool,
    /// Whether nothing may be changed here.
    pub read_only: bool,
    /// How many changes were made: what was read before the last one is not shown to who made it.
    changes: Arc<AtomicU64>,
    /// How many entries wait to be written to the record.
    unrecorded: Arc<AtomicUsize>,
    readings: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

/// A second between two changes: what is read in it may be shared.
pub type Moment = (i64, u64);

impl Desk {
    /// Over the ports of a backend.
    #[must_use]
    pub fn new(ports: Ports, backend: &'static str, demo: Option<DemoSwitch>, demo_data: bool) -> Self {
        Self {
            ports,
            backend,
            demo,
            demo_data,
            read_only: false,
            changes: Arc::default(),
            unrecorded: Arc::default(),
            readings: Arc::default(),
        }
    }

    /// As one at which nothing may be changed.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Now, as far as shared readings go.
    #[must_use]
    pub fn moment(&self) -> Moment {
        (Timestamp::now().0 / SHARED_FOR, self.changes.load(Ordering::Acquire))
    }

    /// What `read` gives, shared by all who ask for a `V` with the same `key` within a second.
    ///
    /// # Errors
    /// `read`'s own; an error is not shared.
    pub async fn shared<K, V>(&self, key: K, read: impl Future<Output = Result<V, AppError>>) -> Result<V, AppError>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let known = {
            let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Cache::<(K, Moment), V>::new(SHARED)) as Arc<dyn Any + Send + Sync>;
            Arc::clone(readings.entry(TypeId::of::<(K, V)>()).or_insert_with(new))
        };
        match known.downcast::<Cache<(K, Moment), V>>() {
            Ok(cache) => cache.get_or_insert_async(&(key, self.moment()), read).await,
            // It was put there under its own type's id.
            Err(_) => read.await,
        }
    }

    /// The one way to change anything: authorise, act, record. What was refused or failed is recorded too.
    ///
    /// # Errors
    /// The actor may not, or `f`'s own error, or the record can't be written.
    pub async fn act<T, E>(&self, actor: &Actor, action: Action, f: impl Future<Output = Result<T, E>>) -> Result<T, AppError>
    where
        E: Into<AppError>,
    {
        self.act_and_tell(actor, action, f, |_, _| {}).await
    }

    /// As [`Self::act`], where some of what is recorded is known only when it is done: `tell` completes the action.
    ///
    /// # Errors
    /// As of [`Self::act`].
    pub async fn act_and_tell<T, E>(
        &self,
        actor: &Actor,
        mut action: Action,
        f: impl Future<Output = Result<T, E>>,
        tell: impl FnOnce(&T, &mut Action),
    ) -> Result<T, AppError>
    where
        E: Into<AppError>,
    {
        if self.read_only {
            // Nor can it be recorded here.
            return Err(AppError::Forbidden("change anything at this dashboard: it only looks".to_owned()));
        }
        let result = match authorise(actor, &action) {
            Ok(()) => f.await.map_err(Into::into),
            Err(refusal) => Err(refusal),
        };
        if let Ok(done) = &result {
            tell(done, &mut action);
        }
        let outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(e) => Outcome::Refused(cut(e.to_string())),
        };
        let entry = NewActivity {
            actor: actor.name.clone(),
            action: action.name.to_owned(),
            // What was refused may be of any length.
            target: cut(action.target),
            summary: cut(action.summary),
            reason: action.reason.map(cut),
            outcome,
        };
        let recorded = self.ports.activity.record(entry.clone()).await;
        self.changes.fetch_add(1, Ordering::Release);
        if let Err(error) = recorded {
            self.record_later(entry);
            return Err(error.into());
        }
        result
    }

    /// Writes an entry as soon as it can be: what was done is on the record, though whoever did it was told that it isn't yet.
    fn record_later(&self, entry: NewActivity) {
        if self.unrecorded.fetch_add(1, Ordering::Relaxed) >= UNRECORDED {
            self.unrecorded.fetch_sub(1, Ordering::Relaxed);
            tracing::error!(?entry, "an entry is lost to the record: too many wait to be written");
            return;
        }
        let desk = self.clone();
        tokio::spawn(async move {
            let mut pause = Duration::from_millis(500);
            loop {
                tokio::time::sleep(pause).await;
                match desk.ports.activity.record(entry.clone()).await {
                    Ok(_) => break,
                    Err(error) => {
                        tracing::error!(action = entry.action, target = entry.target, %error, "what was done is not on the record yet")
                    }
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
            desk.unrecorded.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// How many entries wait to be written, at most.
const UNRECORDED: usize = 100;
/// The longest pause before an entry is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest text on the record, characters.
const LONGEST: usize = 1_000;

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Until there is access control, whoever reaches the server may do everything; it listens on loopback only.
#[allow(clippy::unnecessary_wraps)] // the seam: access control refuses here
fn authorise(_actor: &Actor, _action: &Action) -> Result<(), AppError> {
    Ok(())
}

fn sent_by_form() -> bool {
    use_context::<Parts>().is_some_and(|request| {
        let accepts = request.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        request.method == Method::POST && accepts.is_some_and(|types| types.contains("text/html"))
    })
}

/// The desk of this request.
#[must_use]
pub fn desk() -> Desk {
    expect_context::<Desk>()
}

/// Who makes this request.
#[must_use]
pub fn actor() -> Actor {
    use_context::<Actor>().unwrap_or_else(Actor::local)
}

/// Has the response carry the error's status. Not that to a form sent without script: the browser is on its way back to
/// the page, which says what was wrong, and a status would keep it from going.
pub fn answer<T>(result: Result<T, AppError>) -> Result<T, AppError> {
    if let (Err(error), Some(response), false) = (&result, use_context::<ResponseOptions>(), sent_by_form())
        && let Ok(status) = axum::http::StatusCode::from_u16(error.status())
    {
        response.set_status(status);
    }
    result
}
