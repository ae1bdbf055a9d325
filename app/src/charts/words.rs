//! A chart in words: for its label, its legend and its crosshair.

use pipeline::time::{DAY, HOUR, MINUTE};

use super::clock::Offsets;
use super::format;
use super::layout::Layout;
use super::spec::ChartSpec;

/// What stands where a value is unknown.
pub const UNKNOWN: &str = "–";

/// A value in full, or the sign for unknown.
#[must_use]
pub fn value(spec: &ChartSpec, value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |v| format::value(v, spec.unit))
}

/// A line's value beside its name. Rates go without their unit, which the chart's caption says.
#[must_use]
pub fn legend(spec: &ChartSpec, line: usize, index: Option<usize>) -> String {
    let text = value(spec, index.or_else(|| spec.latest()).and_then(|i| spec.value(line, i)));
    text.strip_suffix("/min").map_or(text.clone(), str::to_owned)
}

/// What the chart's head says at step `index`, or of the newest complete step: `p99 1.9 s`.
#[must_use]
pub fn headline(spec: &ChartSpec, index: Option<usize>) -> String {
    match index.or_else(|| spec.latest()).and_then(|i| spec.headline(i)) {
        Some((Some(label), v)) => format!("{label} {}", format::value(v, spec.unit)),
        Some((None, v)) => format::value(v, spec.unit),
        None => UNKNOWN.to_owned(),
    }
}

/// A step's name: when it starts, and that it is still filling if it is.
#[must_use]
pub fn step(spec: &ChartSpec, index: usize, offsets: &Offsets) -> String {
    let start = offsets.wall(spec.start(index)).long();
    match spec.partial() {
        Some((partial, millis)) if partial == index => format!("{start}, first {}", duration(millis)),
        _ => start,
    }
}

/// Everything known about a step, for a reader who doesn't see the crosshair.
#[must_use]
pub fn readout(spec: &ChartSpec, index: usize, offsets: &Offsets, zone: &str) -> String {
    let mut text = format!("{} {zone}", step(spec, index, offsets));
    for (n, line) in spec.lines.iter().enumerate() {
        let value = spec
            .value(n, index)
            .map_or_else(|| "unknown".to_owned(), |v| format::value(v, spec.unit));
        text.push_str(&format!(", {} {value}", line.label));
    }
    text
}

/// The chart in a sentence: its range, its newest and its highest number, and its limit.
#[must_use]
pub fn summary(spec: &ChartSpec, title: &str, offsets: &Offsets, zone: &str) -> String {
    let span = spec.span();
    let mut text = format!(
        "{title}, {} to {} {zone}",
        offsets.wall(span.from).long(),
        offsets.wall(span.to).long()
    );
    if spec.is_empty() {
        text.push_str(": ");
        text.push_str(spec.note.as_deref().unwrap_or("no data in this range"));
    } else {
        text.push_str(&format!(": latest {}", headline(spec, None)));
        let edges = Layout::of(spec).edges;
        let known = edges
            .iter()
            .flat_map(|e| e.iter().enumerate())
            .filter_map(|(i, v)| Some((i, (*v)?)));
        if let Some((index, highest)) = known.max_by(|a, b| a.1.total_cmp(&b.1)) {
            text.push_str(&format!(
                ", highest {} at {}",
                format::value(highest, spec.unit),
                offsets.wall(spec.start(index)).long()
            ));
        }
    }
    if let Some(limit) = &spec.limit {
        text.push_str(&format!("; {}", limit.label));
    }
    text
}

/// `12 s`, `5 min`, `1 h`, `1 d`.
#[must_use]
pub fn duration(millis: i64) -> String {
    match millis {
        m if m >= DAY && m % DAY == 0 => format!("{} d", m / DAY),
        m if m >= HOUR && m % HOUR == 0 => format!("{} h", m / HOUR),
        m if m >= MINUTE => format!("{} min", m / MINUTE),
        m => format!("{} s", m / 1000),
    }
}
