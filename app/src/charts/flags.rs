//! Markers made fit to stand side by side: close ones share a flag, and a label is written only where there is room.

use super::layout::Layout;
use super::spec::{ChartSpec, Marker};

/// Widths, in pixels, of the narrowest plots that labels are placed for: beside a second chart, and on a phone.
const WIDE: f64 = 460.0;
const NARROW: f64 = 260.0;
/// Pixels of a letter, on the safe side.
const LETTER: f64 = 5.9;
/// Pixels from a flag's pole to its label.
const INDENT: f64 = 7.0;
/// Flags closer than this, in percent of the width, become one.
const CLOSE: f64 = 1.6;
const LONGEST: usize = 22;

/// On which widths something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fit {
    Always,
    /// Not on a phone.
    Wide,
    /// On a phone only.
    Narrow,
    Never,
}

impl Fit {
    /// Its class in `charts.css`.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Always => "",
            Self::Wide => "wide",
            Self::Narrow => "narrow",
            Self::Never => "never",
        }
    }
}

/// One flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag<'a> {
    /// How far across, percent.
    pub x: f64,
    /// What is written beside it.
    pub label: String,
    /// Where there is room for that.
    pub fit: Fit,
    /// Whether the label stands left of the pole, because the right edge is near.
    pub leftwards: bool,
    /// What it stands for: one marker, or several close ones.
    pub markers: Vec<&'a Marker>,
}

/// The flags of the markers inside the chart, from left to right.
#[must_use]
pub fn flags<'a>(spec: &'a ChartSpec, layout: &Layout) -> Vec<Flag<'a>> {
    let mut inside: Vec<&Marker> = spec
        .markers
        .iter()
        .filter(|m| layout.span.from <= m.at && m.at < layout.span.to)
        .collect();
    inside.sort_by_key(|m| m.at);
    let mut flags: Vec<Flag<'a>> = Vec::new();
    for marker in inside {
        let x = layout.x(marker.at);
        match flags.last_mut() {
            Some(flag) if x - flag.x < CLOSE => flag.markers.push(marker),
            _ => flags.push(Flag {
                x,
                label: String::new(),
                fit: Fit::Never,
                leftwards: false,
                markers: vec![marker],
            }),
        }
    }
    for flag in &mut flags {
        flag.label = match flag.markers.as_slice() {
            [one] => shortened(&one.label),
            several => format!("{} changes", several.len()),
        };
        flag.leftwards = flag.x > 70.0;
    }
    let (wide, narrow) = (roomy(&flags, WIDE), roomy(&flags, NARROW));
    for ((flag, wide), narrow) in flags.iter_mut().zip(wide).zip(narrow) {
        flag.fit = match (wide, narrow) {
            (true, true) => Fit::Always,
            (true, false) => Fit::Wide,
            (false, true) => Fit::Narrow,
            (false, false) => Fit::Never,
        };
    }
    flags
}

/// For each flag, whether its label has room on a plot of `width` pixels; the later flag goes first, being news.
fn roomy(flags: &[Flag<'_>], width: f64) -> Vec<bool> {
    let pole = |f: &Flag<'_>| f.x / 100.0 * width;
    let mut taken: Vec<(f64, f64)> = flags.iter().map(|f| (pole(f) - 5.0, pole(f) + 5.0)).collect();
    let mut fits = vec![false; flags.len()];
    for (index, flag) in flags.iter().enumerate().rev() {
        let length = flag.label.chars().count() as f64 * LETTER;
        let x = pole(flag);
        let (from, to) = if flag.leftwards {
            (x - INDENT - length, x - INDENT)
        } else {
            (x + INDENT, x + INDENT + length)
        };
        if from >= -20.0 && to <= width + 12.0 && taken.iter().all(|(a, b)| to < *a || *b < from) {
            taken.push((from, to));
            fits[index] = true;
        }
    }
    fits
}

fn shortened(label: &str) -> String {
    match label.char_indices().nth(LONGEST - 1) {
        Some((at, last)) if label.len() > at + last.len_utf8() => format!("{}…", label[..at].trim_end()),
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_cut_at_letters() {
        assert_eq!(shortened("redrive 40"), "redrive 40");
        assert_eq!(shortened("éééééééééééééééééééééé"), "éééééééééééééééééééééé");
        assert_eq!(shortened("a label that goes on and on"), "a label that goes on…");
    }
}
