//! What the criteria come to, in words.

use super::{Criterion, Status};
use crate::flag::Stage;

/// The verdict in a sentence or two: what stage, and what stands in the way.
#[must_use]
pub fn verdict(stage: Option<Stage>, criteria: &[Criterion]) -> (String, String) {
    let of = |status| criteria.iter().filter(|c| c.status == status).collect::<Vec<_>>();
    let (failing, unknown) = (of(Status::Failing), of(Status::Unknown));
    let names = |list: &[&Criterion]| {
        let names: Vec<_> = list.iter().map(|c| c.name.to_lowercase()).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [most @ .., last] => format!("{} and {last}", most.join(", ")),
        }
    };
    let head = match stage {
        None => "The stage is not known.",
        Some(Stage::EventsOnly) if failing.is_empty() && unknown.is_empty() => "Cut over, and all is well.",
        Some(Stage::EventsOnly) if failing.is_empty() => "Cut over; not everything can be judged.",
        Some(Stage::EventsOnly) => "Cut over, but not all is well.",
        Some(Stage::DirectOnly) => "Events are off.",
        Some(Stage::Shadow) if failing.is_empty() && unknown.is_empty() => "Ready to cut over.",
        Some(Stage::Shadow) => "Not ready to cut over.",
    };
    let rest = match (failing.as_slice(), unknown.as_slice()) {
        _ if stage == Some(Stage::DirectOnly) => "Only the direct path runs, so there is nothing new to judge.".to_owned(),
        ([], []) => "All six criteria pass.".to_owned(),
        ([], unknown) => format!("Not yet known: {}.", names(unknown)),
        (failing, []) => format!("Failing: {}.", names(failing)),
        (failing, unknown) => format!("Failing: {}. Not yet known: {}.", names(failing), names(unknown)),
    };
    (head.to_owned(), rest)
}
