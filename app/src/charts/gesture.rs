//! What a hand does to a chart, apart from how a browser tells it.

use super::spec::ChartSpec;

/// Pixels that a pointer must move before a press becomes a selection: below, it is a click.
pub const DRAG: f64 = 8.0;

/// Steps from where a selection began to where it is now, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: usize,
    /// Where it is now.
    pub head: usize,
}

impl Selection {
    /// First and last step.
    #[must_use]
    pub fn ends(self) -> (usize, usize) {
        (self.anchor.min(self.head), self.anchor.max(self.head))
    }

    /// The range it stands for, milliseconds, whole steps; a single step is none.
    #[must_use]
    pub fn range(self, spec: &ChartSpec) -> Option<(i64, i64)> {
        let (first, last) = self.ends();
        (last > first && last < spec.steps).then(|| (spec.start(first).millis(), spec.start(last + 1).millis()))
    }
}

/// What is chosen on a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hand {
    /// The step under the crosshair.
    pub at: Option<usize>,
    /// The steps being selected.
    pub selection: Option<Selection>,
}

/// A key's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// This is chosen now.
    Choose(Hand),
    /// Zoom to this range, milliseconds.
    Zoom(i64, i64),
}

/// Arrows, Page and Home/End move the crosshair, with Shift they select, Enter zooms, Escape lets go. `None`: not our key.
#[must_use]
pub fn key(key: &str, shift: bool, hand: Hand, spec: &ChartSpec) -> Option<Stroke> {
    let last = spec.begun().min(spec.steps).checked_sub(1)?;
    let to = |from: usize| match key {
        "ArrowLeft" => Some(from.saturating_sub(1)),
        "ArrowRight" => Some(from + 1),
        "PageUp" => Some(from.saturating_sub(10)),
        "PageDown" => Some(from + 10),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    };
    match key {
        "Escape" => (hand != Hand::default()).then_some(Stroke::Choose(Hand::default())),
        "Enter" => hand.selection.and_then(|s| s.range(spec)).map(|(from, to)| Stroke::Zoom(from, to)),
        _ => {
            // The first arrow brings the crosshair to the newest step.
            let head = hand
                .at
                .map_or_else(|| to(0).map(|_| if key == "Home" { 0 } else { last }), to)?
                .min(last);
            let anchor = hand.selection.map(|s| s.anchor).or(hand.at).unwrap_or(head);
            Some(Stroke::Choose(Hand {
                at: Some(head),
                selection: shift.then_some(Selection { anchor, head }),
            }))
        }
    }
}
