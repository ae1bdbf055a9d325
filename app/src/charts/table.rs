//! A chart's numbers as an HTML table, for those who read rather than look, and for copying.

use std::fmt::Write;

use super::clock::{Offsets, offset_name};
use super::flags::flags;
use super::layout::Layout;
use super::spec::ChartSpec;
use super::svg::escape;
use super::words;

/// The `<table>`, newest step first, and under it what people did. As text, because hundreds of rows that never react
/// to anything need no nodes of their own in the view.
#[must_use]
pub fn table(spec: &ChartSpec, title: &str, offsets: &Offsets, zone: &str) -> String {
    let (title, zone, step) = (escape(title), escape(zone), words::duration(spec.step));
    let mut html = format!(
        r#"<table><caption>{title}, newest first: steps of {step}, named by their start</caption><thead><tr><th scope="col">Time ({zone})</th>"#
    );
    for line in &spec.lines {
        let _ = write!(html, r#"<th scope="col" class="num">{}</th>"#, escape(&line.label));
    }
    html.push_str("</tr></thead><tbody>");
    let ambiguous = offsets.within(spec.span()).nth(1).is_some();
    for index in (0..spec.begun().min(spec.steps)).rev() {
        let start = spec.start(index);
        let mut name = offsets.wall(start).iso();
        if ambiguous {
            let _ = write!(name, " {}", offset_name(offsets.at(start)));
        }
        match spec.partial() {
            Some((partial, millis)) if partial == index => {
                let _ = write!(
                    html,
                    r#"<tr class="so-far"><th scope="row">{name} <small>first {}</small></th>"#,
                    words::duration(millis)
                );
            }
            _ => {
                let _ = write!(html, r#"<tr><th scope="row">{name}</th>"#);
            }
        }
        for n in 0..spec.lines.len() {
            let _ = write!(html, r#"<td class="num">{}</td>"#, words::value(spec, spec.value(n, index)));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html.push_str(&doings(spec, offsets));
    html
}

fn doings(spec: &ChartSpec, offsets: &Offsets) -> String {
    let layout = Layout::of(spec);
    let mut items = String::new();
    for marker in flags(spec, &layout).into_iter().flat_map(|f| f.markers) {
        let (time, title) = (offsets.wall(marker.at).iso(), escape(&marker.title));
        let _ = match own_path(marker.href.as_deref()) {
            Some(href) => write!(items, r#"<li>{time} <a href="{}">{title}</a></li>"#, escape(href)),
            None => write!(items, "<li>{time} {title}</li>"),
        };
    }
    if items.is_empty() {
        items
    } else {
        format!("<p>What people did</p><ul>{items}</ul>")
    }
}

/// A link that stays on this site; any other is dropped.
#[must_use]
pub fn own_path(href: Option<&str>) -> Option<&str> {
    href.filter(|h| h.starts_with('/') && !h.starts_with("//"))
}
