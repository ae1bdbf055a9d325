//! What a chart shows: its lines over common steps, a limit and markers.

use pipeline::metric::{Metric, Reading, Unit};
use pipeline::time::{Span, Timestamp};

use super::hue::{Hue, hue};

/// Lines side by side, or layers on top of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each line from zero.
    Lines,
    /// Each layer upon the one before; a line called `all` is drawn over them, not stacked.
    Stacked,
}

/// One line, or one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The consumer, the type, a percentile, or `all`.
    pub label: String,
    /// Its colour and dash.
    pub hue: Hue,
    /// One value a step; `None` is unknown, which is not zero. Finite and not negative.
    pub values: Vec<Option<f64>>,
}

impl Line {
    /// Whether it is a layer of a stack: not their sum, and something is known of it.
    #[must_use]
    pub fn is_layer(&self) -> bool {
        self.label != "all" && self.values.iter().any(Option::is_some)
    }
}

/// A value that matters, with its name: "limit 30 s".
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// In the chart's unit.
    pub value: f64,
    /// What is written at the line.
    pub label: String,
}

/// Something that somebody did, at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// When.
    pub at: Timestamp,
    /// A word or two beside the flag; cut at 22 characters.
    pub label: String,
    /// The whole sentence, shown on hover and in the table.
    pub title: String,
    /// Where it is told in full.
    pub href: Option<String>,
}

/// A chart before it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartSpec {
    /// Unit of every value.
    pub unit: Unit,
    /// Lines or layers.
    pub shape: Shape,
    /// Start of the first step.
    pub from: Timestamp,
    /// Width of a step, milliseconds, at least one.
    pub step: i64,
    /// How many steps the chart is wide.
    pub steps: usize,
    /// Up to when the data goes; the step that holds it is still filling, and later ones have no values.
    pub until: Timestamp,
    /// The lines; of layers, the lowest first.
    pub lines: Vec<Line>,
    /// A value to compare with.
    pub limit: Option<Limit>,
    /// What people did.
    pub markers: Vec<Marker>,
    /// Whether a step in which nothing is known is shaded: where rest is a zero, an unknown is an outage.
    pub shade_unknown: bool,
    /// Whether a value is a level at the end of its step: how many there are, not how many came.
    pub level: bool,
    /// Written across an empty chart instead of "No data in this range".
    pub note: Option<String>,
}

impl ChartSpec {
    /// A line for each series.
    #[must_use]
    pub fn lines(reading: &Reading) -> Self {
        Self::of(reading, Shape::Lines)
    }

    /// A layer for each series, in the reading's order from the bottom.
    #[must_use]
    pub fn stacked(reading: &Reading) -> Self {
        Self::of(reading, Shape::Stacked)
    }

    /// A line for each reading's first series, named after the percentile. Readings of another `step` than the first's are left out.
    #[must_use]
    pub fn percentiles(readings: &[Reading]) -> Option<Self> {
        let (first, rest) = readings.split_first()?;
        let mut spec = Self::of(first, Shape::Lines);
        spec.lines.truncate(1);
        for reading in rest.iter().filter(|r| r.step == first.step) {
            let shift = reading.from.since(first.from) / spec.step;
            let known = |i: usize| {
                let own = usize::try_from(i64::try_from(i).ok()?.checked_sub(shift)?).ok()?;
                *reading.series.first()?.values.get(own)?
            };
            spec.until = spec.until.min(reading.until);
            let values = (0..spec.steps).map(known).collect();
            spec.lines.push(Line {
                label: String::new(),
                hue: Hue::Ink,
                values,
            });
        }
        for (line, reading) in spec
            .lines
            .iter_mut()
            .zip(readings.iter().filter(|r| r.step == first.step && !r.series.is_empty()))
        {
            line.label = percentile_name(reading.metric).to_owned();
            line.hue = Hue::percentile(reading.metric);
        }
        spec.forget_the_unknowable();
        Some(spec)
    }

    fn of(reading: &Reading, shape: Shape) -> Self {
        let lines = reading
            .series
            .iter()
            .map(|s| Line {
                label: s.label.clone(),
                hue: hue(&s.label),
                values: s.values.clone(),
            })
            .collect();
        let mut spec = Self {
            unit: reading.unit,
            shape,
            from: reading.from,
            step: reading.step.max(1),
            steps: reading.steps(),
            until: reading.until,
            lines,
            limit: None,
            markers: Vec::new(),
            shade_unknown: reading.metric.absent_is_zero() || reading.metric == Metric::InFlight,
            level: matches!(reading.metric, Metric::DeadLetters | Metric::InFlight),
            note: None,
        };
        spec.forget_the_unknowable();
        spec
    }

    /// Values that can't be drawn, or of steps that have not begun, are unknown.
    fn forget_the_unknowable(&mut self) {
        let begun = self.begun();
        for line in &mut self.lines {
            for (index, value) in line.values.iter_mut().enumerate() {
                *value = value.filter(|v| v.is_finite() && *v >= 0.0 && index < begun);
            }
        }
    }

    /// The same chart with a limit.
    #[must_use]
    pub fn with_limit(mut self, value: f64, label: impl Into<String>) -> Self {
        self.limit = Some(Limit {
            value,
            label: label.into(),
        });
        self
    }

    /// The same chart with what people did.
    #[must_use]
    pub fn with_markers(mut self, markers: Vec<Marker>) -> Self {
        self.markers = markers;
        self
    }

    /// The same chart with what to write when there is nothing to draw.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The same chart, at least as wide as `span`: a reading without series still has axes.
    #[must_use]
    pub fn over(mut self, span: Span) -> Self {
        if self.steps == 0 {
            self.from = span.from.floor(self.step);
        }
        let missing = span.to.since(self.from).div_euclid(self.step) + i64::from(span.to.since(self.from).rem_euclid(self.step) > 0);
        self.steps = self.steps.max(usize::try_from(missing).unwrap_or(0));
        self
    }

    /// From the start of the first step to the end of the last.
    #[must_use]
    pub fn span(&self) -> Span {
        Span {
            from: self.from,
            to: self.start(self.steps),
        }
    }

    /// The start of step `index`.
    #[must_use]
    pub fn start(&self, index: usize) -> Timestamp {
        self.from.plus(self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// The step that holds `at`, if the chart has it.
    #[must_use]
    pub fn index_of(&self, at: Timestamp) -> Option<usize> {
        usize::try_from(at.since(self.from).div_euclid(self.step))
            .ok()
            .filter(|i| *i < self.steps)
    }

    /// How many steps have begun by `until`.
    #[must_use]
    pub fn begun(&self) -> usize {
        let millis = self.until.since(self.from);
        usize::try_from(millis.div_euclid(self.step) + i64::from(millis.rem_euclid(self.step) > 0)).unwrap_or(0)
    }

    /// The step that is still filling, and how many milliseconds of it are in.
    #[must_use]
    pub fn partial(&self) -> Option<(usize, i64)> {
        let millis = self.until.since(self.from).rem_euclid(self.step);
        (millis > 0 && self.until > self.from)
            .then(|| self.begun() - 1)
            .filter(|i| *i < self.steps)
            .map(|i| (i, millis))
    }

    /// Where on the time axis the value of step `index` stands: in the middle of what it covers.
    #[must_use]
    pub fn middle(&self, index: usize) -> Timestamp {
        let covered = self.partial().filter(|(i, _)| *i == index).map_or(self.step, |(_, millis)| millis);
        self.start(index).plus(covered / 2)
    }

    /// The value of a line at a step.
    #[must_use]
    pub fn value(&self, line: usize, index: usize) -> Option<f64> {
        *self.lines.get(line)?.values.get(index)?
    }

    /// The newest complete step in which anything is known; of what is a level and not a sum, the one that is still filling too.
    #[must_use]
    pub fn latest(&self) -> Option<usize> {
        let complete = self.begun() - usize::from(self.partial().is_some() && !self.level);
        (0..complete.min(self.steps))
            .rev()
            .find(|i| self.lines.iter().any(|l| l.values.get(*i).is_some_and(Option::is_some)))
    }

    /// The sum of the layers at a step, if every one of them is known.
    fn total(&self, index: usize) -> Option<f64> {
        let mut layers = self.lines.iter().filter(|line| line.is_layer()).peekable();
        layers.peek()?;
        layers.map(|line| line.values.get(index).copied().flatten()).sum()
    }

    /// The number at the head of the chart at step `index`: of layers their total (or `all`), of lines the highest, with its label.
    #[must_use]
    pub fn headline(&self, index: usize) -> Option<(Option<&str>, f64)> {
        if let Some(total) = self.lines.iter().position(|l| l.label == "all") {
            return self.value(total, index).map(|v| (None, v));
        }
        match self.shape {
            Shape::Stacked => self.total(index).map(|v| (None, v)),
            Shape::Lines => (0..self.lines.len())
                .filter_map(|n| Some((Some(self.lines[n].label.as_str()), self.value(n, index)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1)),
        }
    }

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|l| l.values.iter().all(Option::is_none))
    }
}

fn percentile_name(metric: Metric) -> &'static str {
    match metric {
        Metric::LatencyP50 => "p50",
        Metric::LatencyP95 => "p95",
        Metric::LatencyP99 => "p99",
        other => other.name(),
    }
}
