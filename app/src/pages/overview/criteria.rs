//! The six criteria as cards.

use leptos::prelude::*;
use pipeline::criteria::{Criterion, Status};

use super::api::Overview;
use crate::ui::number::{duration, group, percent, rate, seconds};
use crate::ui::state::{StateSign, Tone};

/// The cards, each a link to its evidence.
#[component]
pub(super) fn Criteria(data: Signal<Overview>) -> impl IntoView {
    let count = data.with_untracked(|d| d.criteria.len());
    let cards = (0..count)
        .map(|i| view! { <Card criterion=Memo::new(move |_| data.with(|d| d.criteria.get(i).cloned())) /> })
        .collect_view();
    view! {
        <section class="criteria" aria-label="Success criteria">
            {cards}
        </section>
    }
}

#[component]
fn Card(criterion: Memo<Option<Criterion>>) -> impl IntoView {
    let of = move |f: fn(&Criterion) -> String| move || criterion.with(|c| c.as_ref().map(f).unwrap_or_default());
    let tone = Signal::derive(move || criterion.with(|c| c.as_ref().map_or(Tone::Unknown, |c| c.status.into())));
    let word = Signal::derive(of(|c| c.status.word().to_owned()));
    view! {
        <a class="panel crit" href=of(|c| c.evidence.clone())>
            <span class="crit-name">{of(|c| c.name.clone())}</span>
            <span class="crit-value">{of(figure)} " " <small>{of(|c| c.target.clone())}</small></span>
            <StateSign tone word />
            <span class="crit-why">{of(|c| c.why.clone())}</span>
            <span class="crit-why">{of(foundation)}</span>
        </a>
    }
}

/// The value with its unit; an unknown one is a question mark, whatever was last measured.
fn figure(criterion: &Criterion) -> String {
    let Some(value) = criterion
        .value
        .filter(|_| criterion.status != Status::Unknown || criterion.samples > 0)
    else {
        return "?".to_owned();
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts are whole and not negative
    match criterion.unit.as_str() {
        "percent" => percent(value),
        "seconds" => seconds(value),
        "per_minute" => rate(value),
        _ => group(value as u64),
    }
}

/// What the value rests on.
fn foundation(criterion: &Criterion) -> String {
    let window = if criterion.window == 0 {
        "ever".to_owned()
    } else {
        format!("in {}", duration(criterion.window))
    };
    format!("{} samples {window}", group(criterion.samples))
}
