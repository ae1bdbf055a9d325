//! Where an instant and a value stand on the paper. Across, in percent of the plot's width; down, in pixels.

use pipeline::time::{Span, Timestamp};

use super::scale::Scale;
use super::spec::ChartSpec;
use super::stack;

/// Pixels above the plot: the flags' and their labels' room.
pub const ABOVE: f64 = 22.0;
/// Pixels of the plot's height.
pub const PLOT: f64 = 148.0;
/// Pixels below the plot: the time axis.
pub const BELOW: f64 = 24.0;
/// A chart's whole height, pixels, at every width.
pub const HEIGHT: f64 = ABOVE + PLOT + BELOW;
/// Pixels down to the zero line.
pub const FLOOR: f64 = ABOVE + PLOT;

/// A chart's coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// What the width stands for.
    pub span: Span,
    /// What the height stands for.
    pub scale: Scale,
    /// Upper edge of each line, see [`stack::edges`].
    pub edges: Vec<Vec<Option<f64>>>,
}

impl Layout {
    /// The coordinates of a chart.
    #[must_use]
    pub fn of(spec: &ChartSpec) -> Self {
        let edges = stack::edges(spec);
        let highest = edges
            .iter()
            .flatten()
            .filter_map(|v| *v)
            .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        let scale = Scale::of(highest, spec.limit.as_ref().map(|l| l.value), spec.unit);
        Self {
            span: spec.span(),
            scale,
            edges,
        }
    }

    /// How far across an instant is: 0 at the left edge, 100 at the right.
    #[must_use]
    pub fn x(&self, at: Timestamp) -> f64 {
        100.0 * at.since(self.span.from) as f64 / self.span.millis().max(1) as f64
    }

    /// How far down a value is, pixels.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        FLOOR - PLOT * value / self.scale.top
    }

    /// The instant at a fraction of the width.
    #[must_use]
    pub fn at(&self, fraction: f64) -> Timestamp {
        self.span.from.plus((fraction * self.span.millis() as f64) as i64)
    }
}
