//! Draws a chart: the same text for the same chart, on the server and in the browser.

use std::convert::Infallible;

use pipeline::time::Timestamp;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::series::LineSeries;
use plotters_backend::text_anchor::HPos;

use super::clock::Offsets;
use super::downsample::downsample;
use super::flags::{Fit, flags};
use super::format;
use super::hue::Hue;
use super::layout::{ABOVE, BELOW, FLOOR, HEIGHT, Layout, PLOT};
use super::pieces::{Piece, pieces};
use super::scale::Reach;
use super::spec::{ChartSpec, Shape};
use super::svg::{ACROSS, DOWN, Ink, Paper, Role};
use super::ticks::ticks;

/// Points of a line, at most: about one a pixel on a large screen, so that a peak is never narrower than it is.
const POINTS: usize = 800;
/// Time labels, at most: wide and on a phone.
const LABELS: (usize, usize) = (8, 4);

type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;
type Plot<'a> = ChartContext<'a, &'a mut Paper, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The whole chart as an `<svg>` element, in the wall time of a zone.
#[must_use]
pub fn draw(spec: &ChartSpec, offsets: &Offsets) -> String {
    let layout = Layout::of(spec);
    let mut paper = Paper::default();
    // Neither writing to a string nor borrowing the paper one shape at a time can fail; were it to, the chart lacks a shape.
    let _ = sketch(spec, &layout, offsets, &mut paper);
    paper.into_svg()
}

fn sketch(spec: &ChartSpec, layout: &Layout, offsets: &Offsets, paper: &mut Paper) -> Drawn {
    let sheet = paper.into_drawing_area();
    let mut plot = ChartBuilder::on(&sheet)
        .margin_top(ABOVE as i32 * DOWN)
        .margin_bottom(BELOW as i32 * DOWN)
        .build_cartesian_2d(0.0..layout.span.millis().max(1) as f64, 0.0..layout.scale.top)?;
    let pen = Pen { spec, layout };
    pen.bands(&mut plot)?;
    pen.grid(&mut plot, &sheet)?;
    pen.time_axis(&mut plot, &sheet, offsets)?;
    if spec.shape == Shape::Stacked {
        pen.layers(&mut plot)?;
    }
    pen.limit(&mut plot, &sheet)?;
    pen.lines(&mut plot)?;
    pen.flags(&sheet)?;
    pen.note(&sheet)
}

struct Pen<'c> {
    spec: &'c ChartSpec,
    layout: &'c Layout,
}

impl Pen<'_> {
    fn x(&self, at: Timestamp) -> f64 {
        at.since(self.layout.span.from) as f64
    }

    /// Steps in which nothing is known, and the time that has not come yet.
    fn bands(&self, plot: &mut Plot<'_>) -> Drawn {
        let (spec, top) = (self.spec, self.layout.scale.top);
        let mut band = |from: Timestamp, to: Timestamp, role| {
            let corners = [(self.x(from), top), (self.x(to), 0.0)];
            plot.draw_series([Rectangle::new(corners, Ink::Plain(role, Fit::Always).fill())])
                .map(|_| ())
        };
        let end = self.layout.span.to;
        if spec.until < end {
            band(spec.until.max(spec.from), end, Role::Ahead)?;
        }
        if spec.shade_unknown && !spec.is_empty() {
            let begun = spec.begun().min(spec.steps);
            let known = |i: &usize| (0..spec.lines.len()).any(|n| spec.value(n, *i).is_some());
            let mut from = 0;
            while from < begun {
                let to = (from..begun).find(known).unwrap_or(begun);
                if from < to {
                    band(spec.start(from), spec.start(to).min(spec.until), Role::Unknown)?;
                }
                from = to + 1;
            }
        }
        Ok(())
    }

    fn grid(&self, plot: &mut Plot<'_>, sheet: &Sheet<'_>) -> Drawn {
        let (scale, width) = (self.layout.scale, self.layout.span.millis().max(1) as f64);
        for value in scale.grid() {
            let role = if value == 0.0 { Role::Floor } else { Role::Grid };
            plot.draw_series([PathElement::new(
                [(0.0, value), (width, value)],
                Ink::Plain(role, Fit::Always).stroke(),
            )])?;
            let text = format::axis(value, scale.step, scale.top, self.spec.unit);
            label(
                sheet,
                text,
                0.0,
                self.layout.y(value) + 3.5,
                Ink::Plain(Role::ValueLabel, Fit::Always),
                HPos::Right,
            )?;
        }
        Ok(())
    }

    /// Labels for both widths; those that only one of them has are hidden on the other.
    fn time_axis(&self, plot: &mut Plot<'_>, sheet: &Sheet<'_>, offsets: &Offsets) -> Drawn {
        let wide = ticks(self.layout.span, offsets, LABELS.0);
        let narrow = ticks(self.layout.span, offsets, LABELS.1);
        let only_narrow = narrow.iter().filter(|n| wide.iter().all(|w| w.at != n.at || w.label != n.label));
        for (tick, from_wide) in wide.iter().map(|t| (t, true)).chain(only_narrow.map(|t| (t, false))) {
            let fit = match (from_wide, narrow.contains(tick)) {
                (true, true) => Fit::Always,
                (true, false) => Fit::Wide,
                (false, _) => Fit::Narrow,
            };
            let (x, y) = (self.x(tick.at), self.layout.scale.top);
            let days_are_news = tick.new_day && wide.iter().any(|t| !t.new_day);
            let role = if days_are_news { Role::Day } else { Role::Grid };
            plot.draw_series([PathElement::new([(x, 0.0), (x, y)], Ink::Plain(role, fit).stroke())])?;
            let role = if days_are_news { Role::DayLabel } else { Role::TimeLabel };
            label(
                sheet,
                tick.label.clone(),
                self.layout.x(tick.at),
                HEIGHT - 7.0,
                Ink::Plain(role, fit),
                HPos::Center,
            )?;
        }
        Ok(())
    }

    fn layers(&self, plot: &mut Plot<'_>) -> Drawn {
        let mut floor: Option<&Vec<Option<f64>>> = None;
        for (n, line) in self.spec.lines.iter().enumerate().filter(|(_, l)| l.is_layer()) {
            let edge = &self.layout.edges[n];
            let below = |index: usize| floor.and_then(|f| *f.get(index)?).unwrap_or(0.0);
            for piece in self.pieces(edge) {
                let (points, role) = match piece {
                    Piece::Run(points) => (points, Role::Area),
                    Piece::Tail(Some(before), last) => (vec![before, last], Role::AreaTail),
                    Piece::Tail(None, _) | Piece::Dot(_) => continue,
                };
                let upper = points.iter().map(|(i, v)| (self.x(self.spec.middle(*i)), *v));
                let lower = points.iter().rev().map(|(i, _)| (self.x(self.spec.middle(*i)), below(*i)));
                let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
                plot.draw_series([Polygon::new(outline, series(role, line.hue, n).fill())])?;
            }
            floor = Some(edge);
        }
        Ok(())
    }

    fn lines(&self, plot: &mut Plot<'_>) -> Drawn {
        // The first line is the one that matters most, so it is drawn last, on top; `all` likewise comes first in readings.
        for (n, line) in self.spec.lines.iter().enumerate().rev() {
            let at = |(index, value): (usize, f64)| (self.x(self.spec.middle(index)), value);
            for piece in self.pieces(&self.layout.edges[n]) {
                match piece {
                    Piece::Run(points) => {
                        plot.draw_series(LineSeries::new(
                            points.into_iter().map(at),
                            series(Role::Line, line.hue, n).stroke(),
                        ))?;
                    }
                    Piece::Dot(point) => {
                        plot.draw_series([Circle::new(at(point), 2, series(Role::Dot, line.hue, n).fill())])?;
                    }
                    Piece::Tail(before, last) => {
                        let tail = before.into_iter().chain([last]).map(at);
                        plot.draw_series(LineSeries::new(tail, series(Role::Tail, line.hue, n).stroke()))?;
                        plot.draw_series([Circle::new(at(last), 2, series(Role::Ring, line.hue, n).stroke())])?;
                    }
                }
            }
        }
        Ok(())
    }

    fn pieces(&self, values: &[Option<f64>]) -> Vec<Piece> {
        pieces(&downsample(values, POINTS), self.spec.partial().map(|(index, _)| index))
    }

    fn limit(&self, plot: &mut Plot<'_>, sheet: &Sheet<'_>) -> Drawn {
        let Some((limit, reach)) = self.spec.limit.as_ref().zip(self.layout.scale.limit) else {
            return Ok(());
        };
        let ink = Ink::Plain(Role::LimitLabel, Fit::Always);
        if reach == Reach::Above {
            return label(sheet, format!("{} ↑", limit.label), 100.0, ABOVE + 11.0, ink, HPos::Right);
        }
        let ends = [(0.0, limit.value), (self.layout.span.millis().max(1) as f64, limit.value)];
        plot.draw_series([PathElement::new(ends, Ink::Plain(Role::Limit, Fit::Always).stroke())])?;
        let y = self.layout.y(limit.value);
        let y = if y < ABOVE + 14.0 { y + 12.0 } else { y - 4.0 };
        label(sheet, limit.label.clone(), 100.0, y, ink, HPos::Right)
    }

    fn flags(&self, sheet: &Sheet<'_>) -> Drawn {
        for flag in flags(self.spec, self.layout) {
            let ink = |role| Ink::Plain(role, Fit::Always);
            let x = across(flag.x);
            sheet.draw(&PathElement::new(
                [(x, down(ABOVE - 8.0)), (x, down(FLOOR))],
                ink(Role::Pole).stroke(),
            ))?;
            label(sheet, "▼".to_owned(), flag.x, ABOVE - 8.0, ink(Role::Pennant), HPos::Center)?;
            if flag.fit != Fit::Never {
                let anchor = if flag.leftwards { HPos::Right } else { HPos::Left };
                label(
                    sheet,
                    flag.label,
                    flag.x,
                    ABOVE - 8.0,
                    Ink::Plain(Role::FlagLabel, flag.fit),
                    anchor,
                )?;
            }
        }
        Ok(())
    }

    fn note(&self, sheet: &Sheet<'_>) -> Drawn {
        if !self.spec.is_empty() {
            return Ok(());
        }
        let text = self.spec.note.clone().unwrap_or_else(|| "No data in this range".to_owned());
        label(
            sheet,
            text,
            50.0,
            ABOVE + PLOT / 2.0 + 4.0,
            Ink::Plain(Role::Note, Fit::Always),
            HPos::Center,
        )
    }
}

type Sheet<'a> = DrawingArea<&'a mut Paper, Shift>;

fn label(sheet: &Sheet<'_>, text: String, x: f64, y: f64, ink: Ink, anchor: HPos) -> Drawn {
    sheet.draw(&Text::new(text, (across(x), down(y)), ink.text(anchor)))
}

fn series(role: Role, hue: Hue, n: usize) -> Ink {
    Ink::Series(role, hue, u8::try_from(n).unwrap_or(u8::MAX))
}

fn across(percent: f64) -> i32 {
    (percent * f64::from(ACROSS) / 100.0).round() as i32
}

fn down(pixels: f64) -> i32 {
    (pixels * f64::from(DOWN)).round() as i32
}
