//! States, each with a shape and a word beside its colour.

use leptos::prelude::*;
use pipeline::consumer::Health;
use pipeline::criteria::Status;
use pipeline::ledger::DeliveryState;
use pipeline::letter::LetterStatus;

use crate::error::{AppError, Unanswered};

/// How a state is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// Needs a look.
    Warn,
    /// Not known, or of no account.
    Unknown,
    /// Not in use.
    Off,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Pass => "state pass",
            Self::Fail => "state fail",
            Self::Warn => "state warn",
            Self::Unknown | Self::Off => "state unknown",
        }
    }

    const fn shape(self) -> &'static str {
        match self {
            Self::Pass => "M2 6.5l2.7 2.7L10 3.5",
            Self::Fail => "M3 3l6 6M9 3l-6 6",
            Self::Warn => "M6 2.5v4.5M6 9.3v.4",
            Self::Off => "M2.5 6h7",
            Self::Unknown => "M3.8 4.2c0-2.6 4.4-2.6 4.4 0 0 1.6-2.2 1.6-2.2 3.1M6 9.6v.4",
        }
    }
}

impl From<Status> for Tone {
    fn from(status: Status) -> Self {
        match status {
            Status::Passing => Self::Pass,
            Status::Failing => Self::Fail,
            Status::Unknown => Self::Unknown,
        }
    }
}

impl From<Health> for Tone {
    fn from(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Pass,
            Health::Failing => Self::Fail,
            Health::Paused => Self::Warn,
            Health::Idle => Self::Off,
            Health::Unknown => Self::Unknown,
        }
    }
}

impl From<DeliveryState> for Tone {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Completed => Self::Pass,
            DeliveryState::DeadLettered => Self::Fail,
            DeliveryState::Open => Self::Warn,
        }
    }
}

impl From<LetterStatus> for Tone {
    fn from(status: LetterStatus) -> Self {
        match status {
            LetterStatus::Open => Self::Fail,
            LetterStatus::Redriving => Self::Warn,
            LetterStatus::Redriven => Self::Pass,
            LetterStatus::Discarded => Self::Off,
        }
    }
}

/// A state's sign: shape, colour and word.
#[component]
pub fn StateSign(
    /// How it is meant.
    #[prop(into)]
    tone: Signal<Tone>,
    /// What it is called.
    #[prop(into)]
    word: Signal<String>,
) -> impl IntoView {
    view! {
        <span class=move || tone.get().class()>
            <svg viewBox="0 0 12 12" aria-hidden="true">
                <path d=move || tone.get().shape()></path>
            </svg>
            {move || word.get()}
        </span>
    }
}

/// A fault in place of what could not be shown.
#[component]
pub fn Fault(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    match error {
        AppError::NotFound(what) => view! { <Missing what /> }.into_any(),
        error => {
            let asked = matches!(error, AppError::Invalid { .. });
            let path = leptos_router::hooks::use_location().pathname;
            view! {
                <section class="panel empty" role="alert">
                    <h2>"This can't be shown"</h2>
                    <p>{error.to_string()}</p>
                    {asked
                        .then(|| {
                            view! {
                                <p>
                                    <a href=move || path.get()>"Show it without range and filter"</a>
                                    ", or go back and change them."
                                </p>
                            }
                        })}
                </section>
            }
            .into_any()
        }
    }
}

/// There is no such thing.
#[component]
pub fn Missing(
    /// What there isn't.
    what: String,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <section class="panel empty" role="alert">
            <h2>{format!("There is no {what}")}</h2>
            <p>
                "It may never have been there, or its time has passed. " <a href=crate::routes::OVERVIEW>"To the overview"</a>
            </p>
        </section>
    }
}

/// That some of what is shown is old or not known, because what it rests on doesn't answer; nothing while all does.
#[component]
pub fn PartlyOld(
    /// What doesn't answer.
    unanswered: Signal<Unanswered>,
) -> impl IntoView {
    let sentence = Memo::new(move |_| unanswered.with(Unanswered::sentence));
    move || {
        sentence.with(|s| {
            (!s.is_empty()).then(
                || view! { <p class="stale" role="status">{s.clone()} " " <a href=crate::routes::FINDINGS>"See the findings"</a> "."</p> },
            )
        })
    }
}

/// Nothing, and why that is so.
#[component]
pub fn Empty(
    /// In a few words.
    title: &'static str,
    /// In a sentence.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h3>{title}</h3>
            <p>{text}</p>
        </div>
    }
}
