//! The drawing as a whole.

use pipeline::metric::{Metric, Reading, Series};
use pipeline::time::{HOUR, MINUTE, Timestamp};
use proptest::prelude::*;

use super::clock::Offsets;
use super::draw::draw;
use super::gesture::{Hand, Selection, Stroke, key};
use super::layout::Layout;
use super::spec::{ChartSpec, Marker};
use super::{overlay, table, words};

const NINE: Timestamp = Timestamp(1_795_424_400_000); // Mon 23 Nov 2026 09:00 UTC

fn reading(metric: Metric, series: &[(&str, &[Option<f64>])], filled: i64) -> Reading {
    let series: Vec<Series> = series
        .iter()
        .map(|(label, values)| Series {
            label: (*label).to_owned(),
            values: values.to_vec(),
        })
        .collect();
    let steps = series.iter().map(|s| s.values.len()).max().unwrap_or(0) as i64;
    let until = NINE.plus(steps * MINUTE - if filled == MINUTE { 0 } else { MINUTE - filled });
    Reading {
        metric,
        unit: metric.unit(),
        from: NINE,
        step: MINUTE,
        until,
        series,
    }
}

fn marker(minute: i64, label: &str) -> Marker {
    Marker {
        at: NINE.plus(minute * MINUTE),
        label: label.to_owned(),
        title: format!("title of {label}"),
        href: Some("/activity/7".to_owned()),
    }
}

fn drawn(spec: &ChartSpec) -> String {
    let svg = draw(spec, &Offsets::utc());
    assert_well_formed(&svg);
    svg
}

/// The `d` of the paths whose class begins with `class`.
fn paths<'a>(svg: &'a str, class: &str) -> Vec<&'a str> {
    let opening = format!("<path class=\"{class}");
    svg.split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split(" d=\"").nth(1)?.split('"').next())
        .collect()
}

/// Tags nest, attributes are quoted, nothing needs an inline style.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('"') && !text.contains('>'), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.contains(" style=") && !tag.contains(" on"), "{tag}");
        assert!(!tag.contains("NaN") && !tag.contains("inf"), "{tag}");
        let name = |t: &str| t.split([' ', '/']).next().unwrap_or_default().to_owned();
        match tag.strip_prefix('/') {
            Some(closing) => assert_eq!(open.pop(), Some(closing.to_owned())),
            None if tag.ends_with('/') => {}
            None => open.push(name(tag)),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_gap_is_a_break_and_a_lone_value_a_dot() {
    let values = [Some(1.0), Some(2.0), None, Some(0.0), Some(0.0), None, Some(3.0), None];
    let svg = drawn(&ChartSpec::lines(&reading(Metric::LatencyP99, &[("analytics", &values)], MINUTE)));
    let lines = paths(&svg, "line h-c1");
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|d| d.matches('M').count() == 1));
    // Zero is zero: on the floor, 170 px down.
    assert_eq!(lines.iter().filter(|d| **d == "M437.5 170L562.5 170").count(), 1, "{lines:?}");
    assert_eq!(svg.matches("<circle class=\"point h-c1").count(), 1);
}

#[test]
fn the_step_that_is_still_filling_looks_so_and_stands_where_its_data_ends() {
    let values = [Some(4.0), Some(4.0), Some(4.0), Some(1.0)];
    let spec = ChartSpec::stacked(&reading(Metric::Throughput, &[("audit", &values)], 30_000));
    assert_eq!(spec.partial(), Some((3, 30_000)));
    let svg = drawn(&spec);
    assert_eq!(paths(&svg, "line h-c4").len(), 1);
    let tail = paths(&svg, "line tail h-c4");
    // 3 min 15 s of 4 min.
    assert!(tail.len() == 1 && tail[0].contains("L812.5 "), "{tail:?}");
    assert_eq!(svg.matches("point ring").count(), 1);
    assert_eq!(paths(&svg, "ahead"), ["M875 22L1000 22L1000 170L875 170Z"]);
    assert_eq!(
        (words::headline(&spec, None), words::headline(&spec, Some(3))),
        ("4/min".to_owned(), "1/min".to_owned())
    );
}

#[test]
fn steps_that_have_not_begun_have_no_value() {
    let mut reading = reading(Metric::Throughput, &[("audit", &[Some(5.0), Some(0.0), Some(0.0)])], MINUTE);
    reading.until = NINE.plus(MINUTE);
    let spec = ChartSpec::stacked(&reading);
    assert_eq!(spec.lines[0].values, [Some(5.0), None, None]);
    assert_eq!((spec.begun(), spec.partial(), spec.latest()), (1, None, Some(0)));
}

#[test]
fn layers_stack_but_not_above_an_unknown() {
    let (a, b) = ([Some(1.0), Some(1.0), None], [Some(2.0), Some(2.0), Some(2.0)]);
    let spec = ChartSpec::stacked(&reading(
        Metric::DeadLetters,
        &[("analytics", &a), ("silent", &[None, None, None]), ("audit", &b)],
        MINUTE,
    ));
    let edges = Layout::of(&spec).edges;
    assert_eq!(edges[2], [Some(3.0), Some(3.0), None]);
    assert_eq!(words::headline(&spec, None), words::UNKNOWN);
    assert_eq!(words::headline(&spec, Some(1)), "3");
    drawn(&spec);
}

#[test]
fn unknown_steps_are_shaded_only_where_rest_is_a_zero() {
    let values = [Some(1.0), None, None, Some(1.0)];
    let shaded = |metric| {
        paths(
            &drawn(&ChartSpec::lines(&reading(metric, &[("audit", &values)], MINUTE))),
            "unknown-step",
        )
        .len()
    };
    assert_eq!((shaded(Metric::Throughput), shaded(Metric::LatencyP50)), (1, 0));
}

#[test]
fn a_far_limit_is_named_at_the_edge_and_a_near_one_is_a_line() {
    let near = |value| {
        let reading = reading(Metric::LatencyP99, &[("all", &[Some(value), Some(value)])], MINUTE);
        drawn(&ChartSpec::lines(&reading).with_limit(30.0, "limit 30 s"))
    };
    assert!(near(0.05).contains(">limit 30 s ↑</text>") && paths(&near(0.05), "limit").is_empty());
    assert!(near(28.0).contains(">limit 30 s</text>") && paths(&near(28.0), "limit").len() == 1);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let empty = ChartSpec::lines(&reading(Metric::ErrorRate, &[], MINUTE)).over(pipeline::time::Span {
        from: NINE,
        to: NINE.plus(HOUR),
    });
    assert_eq!(empty.steps, 60);
    assert!(drawn(&empty).contains("No data in this range"));
    assert!(drawn(&empty.clone().with_note("The store did not answer <since 10:01>")).contains("answer &lt;since 10:01&gt;"));
    assert!(words::summary(&empty, "Error rate", &Offsets::utc(), "UTC").ends_with("no data in this range"));
}

#[test]
fn labels_are_escaped_everywhere() {
    let nasty = "</svg><script>\"'&";
    let spec = ChartSpec::lines(&reading(Metric::Errors, &[(nasty, &[Some(1.0), Some(2.0)])], MINUTE))
        .with_limit(1.0, nasty)
        .with_markers(vec![
            Marker {
                href: Some("javascript:alert(1)".to_owned()),
                ..marker(1, nasty)
            },
            marker(0, nasty),
        ]);
    let layout = Layout::of(&spec);
    let utc = Offsets::utc();
    for html in [
        drawn(&spec),
        table::table(&spec, nasty, &utc, nasty),
        overlay::handles(&spec, &layout, &utc),
        overlay::crosshair(&spec, &layout, &utc, Some(1), Some(Selection { anchor: 1, head: 0 })),
    ] {
        assert_well_formed(&html);
        assert!(!html.contains("<script") && !html.contains("javascript:"), "{html}");
    }
}

#[test]
fn close_flags_become_one_and_labels_go_where_there_is_room() {
    let values = [Some(1.0); 60];
    let spec = ChartSpec::lines(&reading(Metric::Errors, &[("all", &values)], MINUTE)).with_markers(vec![
        marker(20, "v12 categorization"),
        marker(26, "redrive 40"),
        marker(55, "shadow on"),
        marker(55, "shadow off"),
        marker(90, "outside"),
    ]);
    let svg = drawn(&spec);
    assert_eq!(paths(&svg, "pole").len(), 3);
    assert!(svg.contains(">2 changes</text>") && svg.contains(">redrive 40</text>"));
    assert!(!svg.contains(">v12 categorization</text>"), "the next flag is in its way");
}

#[test]
fn keys() {
    let spec = ChartSpec::lines(&reading(Metric::Errors, &[("all", &[Some(1.0); 10])], 30_000));
    let at = |at| Hand {
        at: Some(at),
        selection: None,
    };
    let press = |name: &str, hand| key(name, false, hand, &spec);
    assert_eq!(press("ArrowLeft", Hand::default()), Some(Stroke::Choose(at(9))));
    assert_eq!(press("ArrowRight", at(9)), Some(Stroke::Choose(at(9))));
    assert_eq!(press("ArrowLeft", at(0)), Some(Stroke::Choose(at(0))));
    assert_eq!(press("Home", at(5)), Some(Stroke::Choose(at(0))));
    assert_eq!(press("Tab", at(5)), None);
    assert_eq!(press("Escape", at(5)), Some(Stroke::Choose(Hand::default())));
    let Some(Stroke::Choose(selected)) = key("ArrowRight", true, at(5), &spec) else {
        panic!("shift selects")
    };
    assert_eq!(selected.selection, Some(Selection { anchor: 5, head: 6 }));
    assert_eq!(
        press("Enter", selected),
        Some(Stroke::Zoom(spec.start(5).millis(), spec.start(7).millis()))
    );
    assert_eq!(press("Enter", at(5)), None, "one step is no range");
}

#[test]
fn the_table_has_the_exact_numbers_and_says_what_is_unfinished() {
    let html = table::table(
        &ChartSpec::lines(&reading(
            Metric::DeadLetters,
            &[("audit", &[Some(48_210.0), None, Some(0.0)])],
            12_000,
        )),
        "Dead letters",
        &Offsets::new(vec![(0, 60)]),
        "Europe/London",
    );
    assert_well_formed(&html);
    for part in [
        "Time (Europe/London)",
        "2026-11-23 10:00</th><td class=\"num\">48,210",
        "10:01</th><td class=\"num\">–",
        "10:02 <small>first 12 s</small></th><td class=\"num\">0<",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn percentiles_share_a_chart() {
    let of = |metric, value| reading(metric, &[("all", &[Some(value), None])], MINUTE);
    let mut late = of(Metric::LatencyP50, 1.0);
    late.from = NINE.plus(MINUTE);
    let spec = ChartSpec::percentiles(&[of(Metric::LatencyP99, 3.0), of(Metric::LatencyP95, 2.0), late]).expect("readings");
    let labels: Vec<&str> = spec.lines.iter().map(|l| l.label.as_str()).collect();
    assert_eq!(labels, ["p99", "p95", "p50"]);
    assert_eq!(spec.lines[2].values, [None, Some(1.0)]);
    assert_eq!(words::headline(&spec, Some(0)), "p99 3 s");
    assert!(ChartSpec::percentiles(&[]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_reading_draws_well_inside_the_paper(
        lines in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, prop::num::f64::ANY), 0..90), 0..5),
        filled in 1_i64..=MINUTE,
        stacked: bool,
        limit in prop::option::of(0.0..1e6_f64),
    ) {
        let labels = ["analytics", "audit", "all", "x", "y"];
        let series: Vec<(&str, &[Option<f64>])> = labels.into_iter().zip(lines.iter().map(Vec::as_slice)).collect();
        let reading = reading(Metric::Throughput, &series, filled);
        let mut spec = if stacked { ChartSpec::stacked(&reading) } else { ChartSpec::lines(&reading) };
        if let Some(limit) = limit {
            spec = spec.with_limit(limit, "limit");
        }
        let svg = drawn(&spec);
        prop_assert_eq!(&svg, &draw(&spec, &Offsets::utc()));
        for d in paths(&svg, "line") {
            for point in d.trim_start_matches('M').split('L') {
                let (x, y) = point.split_once(' ').expect("two numbers");
                let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
                prop_assert!((0.0..=1000.0).contains(&x) && (22.0..=170.0).contains(&y), "{} {}", x, y);
            }
        }
    }
}
