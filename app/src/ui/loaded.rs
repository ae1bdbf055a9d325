//! Reading for a page, and showing what was read.

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::{Empty, Fault};
use crate::error::AppError;
use crate::live::Live;

/// What a page reads.
pub type Reading<T> = Resource<Result<T, AppError>>;

/// Reads with `read` whenever `query` changes, and again with every live tick.
pub fn read_live<Q, T, F>(query: impl Fn() -> Q + Send + Sync + 'static, read: impl Fn(Q) -> F + Send + Sync + 'static) -> Reading<T>
where
    Q: Clone + PartialEq + Send + Sync + 'static,
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let live = Live::get();
    Resource::new(move || (query(), live.tick.get()), move |(query, _)| read(query))
}

/// Shows what was read. The view is made once and follows the data through its signal, so that nothing jumps and
/// nothing that a viewer opened or selected is lost when newer data arrives. If a later reading fails because the
/// server doesn't answer, what there is stays, and the page says that it is old.
pub fn loaded<T, V>(reading: Reading<T>, show: impl Fn(Signal<T>) -> V + Clone + Send + Sync + 'static) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static,
    V: IntoView + 'static,
{
    view! {
        <Transition fallback=Loading>
            {move || {
                let show = show.clone();
                let data = Memo::new(move |before: Option<&Option<T>>| match reading.get() {
                    Some(Ok(data)) => Some(data),
                    // What was there is kept only if it still may be true.
                    Some(Err(AppError::Unavailable(_))) | None => before.cloned().flatten(),
                    Some(Err(_)) => None,
                });
                let error = Memo::new(move |_| reading.get().and_then(Result::err));
                let there = Memo::new(move |_| data.with(Option::is_some));
                move || {
                    let Some(first) = there.get().then(|| data.get_untracked()).flatten() else {
                        return view! { {move || error.get().map(|error| view! { <Fault error /> })} }.into_any();
                    };
                    // Between the data's going and this view's end, the first reading stands in.
                    let latest = Memo::new(move |_| data.get().unwrap_or_else(|| first.clone()));
                    view! {
                        {move || error.get().map(|e| view! { <p class="stale" role="status">{e.to_string()}</p> })}
                        {show(latest.into())}
                    }
                    .into_any()
                }
            }}
        </Transition>
    }
}

/// Shows a part of a page, or, where it is missing on its own, why. What was there stays while its source only doesn't answer, and is said to be old.
pub fn part<T>(reading: Signal<Result<T, AppError>>, title: &'static str, show: impl Fn(Signal<T>) -> AnyView + Send + 'static) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let known = Memo::new(move |before: Option<&Option<T>>| match reading.get() {
        Ok(data) => Some(data),
        Err(AppError::Unavailable(_)) => before.cloned().flatten(),
        Err(_) => None,
    });
    let fault = Memo::new(move |_| reading.with(|r| r.as_ref().err().map(ToString::to_string)));
    let there = Memo::new(move |_| known.with(Option::is_some));
    (move || {
        let Some(first) = there.get().then(|| known.get_untracked()).flatten() else {
            return view! {
                <section class="panel" aria-label=title>
                    <h2>{title}</h2>
                    <Empty title="Not known" text=fault.get().unwrap_or_default() />
                </section>
            }
            .into_any();
        };
        // Between the part's going and this view's end, the first reading stands in.
        let latest = Signal::derive(move || known.get().unwrap_or_else(|| first.clone()));
        view! {
            {move || fault.get().map(|fault| view! { <p class="stale" role="status">{fault}</p> })}
            {show(latest)}
        }
        .into_any()
    })
    .into_any()
}

/// What stands where something is being read for the first time.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="loading" role="status" aria-live="polite">
            <span class="visually-hidden">"Loading"</span>
            <i></i>
            <i></i>
            <i></i>
        </div>
    }
}
