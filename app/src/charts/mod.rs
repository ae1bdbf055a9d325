//! Charts: pure code from a reading to SVG text, and one component that shows it.
//!
//! | step | module |
//! |---|---|
//! | a reading becomes lines, a limit, markers | [`spec`], [`hue`] |
//! | what belongs on the value axis and on the time axis | [`scale`], [`ticks`], [`clock`] |
//! | what of a line is drawn | [`downsample`], [`pieces`], [`stack`] |
//! | where it is drawn | [`layout`], [`flags`] |
//! | drawing | [`draw`] with plotters on our own backend, [`svg`]; [`spark`] for table rows |
//! | what is said | [`format`](mod@format), [`words`], [`table`] |
//! | the page's part | [`chart`] (the component), [`overlay`] (crosshair, selection), [`gesture`], [`zone`] |
//!
//! One drawing serves every width: shapes stretch in a nested SVG without preserved aspect ratio (strokes don't),
//! while text and dots stand at a percentage across and a pixel down. So a chart has one height from the first byte
//! of HTML on, its text is 11 px on a phone and on a wall, and labels for which a phone has no room are hidden by a
//! container query. Colours are classes, so a theme changes without a redraw and nothing needs an inline style.

pub mod chart;
pub mod clock;
pub mod downsample;
pub mod draw;
pub mod flags;
pub mod format;
pub mod gesture;
pub mod hue;
pub mod layout;
pub mod overlay;
pub mod pieces;
pub mod scale;
pub mod spark;
pub mod spec;
pub mod stack;
pub mod svg;
pub mod table;
pub mod ticks;
pub mod words;
pub mod zone;

#[cfg(test)]
mod tests;

pub use chart::Chart;
pub use hue::{Hue, hue};
pub use spark::spark;
pub use spec::{ChartSpec, Limit, Line, Marker, Shape};
pub use zone::{Crosshair, Zone};
