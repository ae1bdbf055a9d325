//! What lies over a drawing: the crosshair, the selection, and the flags' titles and links. SVG text like the drawing
//! itself, at the same percentages, so that positions need no inline style.

use std::fmt::Write;

use super::clock::Offsets;
use super::flags::flags;
use super::gesture::Selection;
use super::layout::{ABOVE, FLOOR, HEIGHT, Layout, PLOT};
use super::spec::ChartSpec;
use super::svg::escape;
use super::table::own_path;
use super::words;

/// Pixels of a letter in the time's box.
const LETTER: f64 = 6.7;

/// The crosshair at step `at` and the band of a selection.
#[must_use]
pub fn crosshair(spec: &ChartSpec, layout: &Layout, offsets: &Offsets, at: Option<usize>, selection: Option<Selection>) -> String {
    let mut svg = open("chart-cross");
    if let Some(selection) = selection {
        let (first, last) = selection.ends();
        let (from, to) = (layout.x(spec.start(first)), layout.x(spec.start(last + 1)));
        let _ = write!(
            svg,
            r#"<rect class="selection" x="{from:.2}%" width="{:.2}%" y="{ABOVE}" height="{PLOT}"/>"#,
            to - from
        );
    }
    if let Some(index) = at.filter(|i| *i < spec.steps) {
        let x = layout.x(spec.middle(index));
        let _ = write!(svg, r#"<line class="hair" x1="{x:.2}%" x2="{x:.2}%" y1="{ABOVE}" y2="{FLOOR}"/>"#);
        for (n, line) in spec.lines.iter().enumerate().rev() {
            if let Some(edge) = layout.edges[n].get(index).copied().flatten() {
                let _ = write!(
                    svg,
                    r#"<circle class="point {} n{n}" cx="{x:.2}%" cy="{:.1}" r="3.5"/>"#,
                    line.hue.class(),
                    layout.y(edge)
                );
            }
        }
        let time = words::step(spec, index, offsets);
        let width = time.chars().count() as f64 * LETTER + 14.0;
        // Near an edge the box stands beside the line rather than in its middle.
        let (shift, middle) = match x {
            x if x < 20.0 => (-12.0, width / 2.0 - 12.0),
            x if x > 80.0 => (12.0 - width, 12.0 - width / 2.0),
            _ => (-width / 2.0, 0.0),
        };
        let _ = write!(
            svg,
            r#"<rect class="when" x="{x:.2}%" y="{:.1}" width="{width:.0}" height="18" rx="4" transform="translate({shift:.1} 0)"/><text class="when" x="{x:.2}%" dx="{middle:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            FLOOR + 4.0,
            FLOOR + 17.0,
            escape(&time)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// For each flag an area that says on hover what it stands for and, for a single marker, leads there.
#[must_use]
pub fn handles(spec: &ChartSpec, layout: &Layout, offsets: &Offsets) -> String {
    let mut svg = open("chart-handles");
    for flag in flags(spec, layout) {
        let titles: Vec<String> = flag
            .markers
            .iter()
            .map(|m| format!("{} {}", offsets.wall(m.at).time(), escape(&m.title)))
            .collect();
        let area = format!(
            r#"<rect x="{:.2}%" y="0" width="18" height="{ABOVE}" transform="translate(-9 0)"/>"#,
            flag.x
        );
        let body = format!("<g><title>{}</title>{area}</g>", titles.join("\n"));
        let href = if let [one] = flag.markers.as_slice() {
            own_path(one.href.as_deref())
        } else {
            None
        };
        match href {
            // In the table the same link takes part in the tab order.
            Some(href) => svg.push_str(&format!(r#"<a href="{}" tabindex="-1">{body}</a>"#, escape(href))),
            None => svg.push_str(&body),
        }
    }
    svg.push_str("</svg>");
    svg
}

fn open(class: &str) -> String {
    format!(r#"<svg class="{class}" width="100%" height="{HEIGHT}" aria-hidden="true" focusable="false">"#)
}
