//! Our own plotters backend: SVG text with classes instead of colours.
//!
//! plotters' units here are tenths: of a thousandth of the width across, of a pixel down. (Its coordinates are whole
//! numbers, and whole pixels make jagged lines.) Shapes and text are kept apart: shapes go into a nested SVG that
//! stretches, text and dots beside it stand at percentages. Nothing ever asks plotters to measure a text; in a browser
//! it would do so with an inline style, which the page's policy forbids.

use std::convert::Infallible;
use std::fmt::Write;

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::flags::Fit;
use super::hue::Hue;
use super::layout::HEIGHT;

/// plotters' units across.
pub const ACROSS: i32 = 10_000;
/// plotters' units in a pixel, downwards.
pub const DOWN: i32 = 10;

/// What a shape or a text is, which says how the sheet draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Role {
    Grid,
    Floor,
    Day,
    Ahead,
    Unknown,
    Area,
    AreaTail,
    Line,
    Tail,
    Dot,
    Ring,
    Limit,
    Pole,
    Pennant,
    ValueLabel,
    TimeLabel,
    DayLabel,
    LimitLabel,
    FlagLabel,
    Note,
}

impl Role {
    const ALL: [Self; 20] = [
        Self::Grid,
        Self::Floor,
        Self::Day,
        Self::Ahead,
        Self::Unknown,
        Self::Area,
        Self::AreaTail,
        Self::Line,
        Self::Tail,
        Self::Dot,
        Self::Ring,
        Self::Limit,
        Self::Pole,
        Self::Pennant,
        Self::ValueLabel,
        Self::TimeLabel,
        Self::DayLabel,
        Self::LimitLabel,
        Self::FlagLabel,
        Self::Note,
    ];

    const fn class(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Floor => "floor",
            Self::Day => "day",
            Self::Ahead => "ahead",
            Self::Unknown => "unknown-step",
            Self::Area => "area",
            Self::AreaTail => "area tail",
            Self::Line => "line",
            Self::Tail => "line tail",
            Self::Dot => "point",
            Self::Ring => "point ring",
            Self::Limit => "limit",
            Self::Pole => "pole",
            Self::Pennant => "pennant",
            Self::ValueLabel => "t-value",
            Self::TimeLabel => "t-time",
            Self::DayLabel => "t-time t-day",
            Self::LimitLabel => "t-limit",
            Self::FlagLabel => "t-flag",
            Self::Note => "t-note",
        }
    }
}

/// The "colour" of a shape or a text: plotters carries it as RGB, and [`Paper`] writes it as classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Of the chart itself, on some widths.
    Plain(Role, Fit),
    /// Of the `n`th line.
    Series(Role, Hue, u8),
}

const FITS: [Fit; 4] = [Fit::Always, Fit::Wide, Fit::Narrow, Fit::Never];
/// Green channel of [`Ink::Plain`], where series have their hue's number.
const PLAIN: u8 = u8::MAX;

impl Ink {
    fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Plain(role, fit) => (role as u8, PLAIN, fit as u8),
            Self::Series(role, hue, n) => (role as u8, hue as u8, n),
        }
    }

    fn classes((role, hue, rest): (u8, u8, u8)) -> String {
        let role = Role::ALL.get(usize::from(role)).map_or("", |r| r.class());
        match Hue::ALL.get(usize::from(hue)) {
            Some(hue) => format!("{role} {} n{rest}", hue.class()),
            None => format!("{role} {}", FITS.get(usize::from(rest)).map_or("", |f| f.class()))
                .trim_end()
                .to_owned(),
        }
    }

    /// As a stroke.
    #[must_use]
    pub fn stroke(self) -> ShapeStyle {
        let (r, g, b) = self.rgb();
        ShapeStyle {
            color: RGBColor(r, g, b).into(),
            filled: false,
            stroke_width: 1,
        }
    }

    /// As a filling.
    #[must_use]
    pub fn fill(self) -> ShapeStyle {
        self.stroke().filled()
    }

    /// As a text, anchored at its start, middle or end. The sheet chooses the font.
    #[must_use]
    pub fn text(self, anchor: HPos) -> TextStyle<'static> {
        TextStyle {
            font: FontDesc::new(FontFamily::SansSerif, 11.0, FontStyle::Normal),
            color: BackendColor {
                alpha: 1.0,
                rgb: self.rgb(),
            },
            pos: Pos::new(anchor, VPos::Bottom),
        }
    }
}

/// The SVG while it is written.
#[derive(Debug, Default)]
pub struct Paper {
    shapes: String,
    texts: String,
}

impl Paper {
    /// The finished drawing.
    #[must_use]
    pub fn into_svg(self) -> String {
        format!(
            r#"<svg class="chart-svg" width="100%" height="{HEIGHT}" aria-hidden="true" focusable="false"><svg viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none" width="100%" height="{HEIGHT}">{}</svg>{}</svg>"#,
            self.shapes, self.texts
        )
    }

    fn path<S: BackendStyle>(&mut self, points: impl IntoIterator<Item = BackendCoord>, style: &S, closed: bool) {
        let _ = write!(self.shapes, r#"<path class="{}" d=""#, Ink::classes(style.color().rgb));
        for (n, (x, y)) in points.into_iter().enumerate() {
            let _ = write!(self.shapes, "{}{} {}", if n == 0 { 'M' } else { 'L' }, Tenths(x), Tenths(y));
        }
        self.shapes.push_str(if closed { "Z\"/>" } else { "\"/>" });
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

// Writing to a `String` can't fail, which is why the results of `write!` are dropped here.
impl DrawingBackend for &mut Paper {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        // plotters' last unit is the one before the size; ours is the edge itself.
        (ACROSS.unsigned_abs() + 1, (HEIGHT as i32 * DOWN).unsigned_abs() + 1)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Drawn {
        Ok(()) // nothing we draw is made of pixels
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.path([from, to], style, false);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.path(path, style, false);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        self.path(corners, style, true);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, _: bool) -> Drawn {
        self.path([from, (to.0, from.1), to, (from.0, to.1)], style, true);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, _: bool) -> Drawn {
        let (class, x, y) = (Ink::classes(style.color().rgb), Hundredths(x), Tenths(y));
        let _ = write!(self.texts, r#"<circle class="{class}" cx="{x}%" cy="{y}" r="{radius}"/>"#);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let (class, x, y) = (Ink::classes(style.color().rgb), Hundredths(x), Tenths(y));
        let nudge = match (class.split(' ').next(), anchor) {
            (Some("t-value"), _) => r#" dx="-8""#,
            (Some("t-flag"), "start") => r#" dx="7""#,
            (Some("t-flag"), _) => r#" dx="-7""#,
            _ => "",
        };
        let text = escape(text);
        let _ = write!(
            self.texts,
            r#"<text class="{class}" x="{x}%" y="{y}"{nudge} text-anchor="{anchor}">{text}</text>"#
        );
        Ok(())
    }
}

struct Tenths(i32);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", f64::from(self.0) / 10.0)
    }
}

struct Hundredths(i32);

impl std::fmt::Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", f64::from(self.0) / 100.0)
    }
}

/// Text made safe between tags and inside quoted attributes, of SVG and HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
