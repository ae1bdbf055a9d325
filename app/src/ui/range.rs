//! The time range of a page: in the URL, as `range=1h` or `range=<from>-<to>` in milliseconds.

use std::fmt;
use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use pipeline::time::{DAY, HOUR, MINUTE, Span, Timestamp};

use crate::error::AppError;
use crate::routes;

/// A range: up to now, or between two instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// The last so many milliseconds.
    Last(i64),
    /// From, to: milliseconds.
    Fixed(i64, i64),
}

/// The ranges to choose from.
pub const PRESETS: [(&str, i64); 6] = [
    ("15m", 15 * MINUTE),
    ("1h", HOUR),
    ("6h", 6 * HOUR),
    ("24h", DAY),
    ("7d", 7 * DAY),
    ("30d", 30 * DAY),
];

/// The longest range: what metrics are kept for.
const LONGEST: i64 = 400 * DAY;

impl Default for Range {
    fn default() -> Self {
        Self::Last(HOUR)
    }
}

impl Range {
    /// The span it stands for at `now`.
    #[must_use]
    pub const fn span(self, now: Timestamp) -> Span {
        match self {
            Self::Last(millis) => Span::ending(now, millis),
            Self::Fixed(from, to) => Span {
                from: Timestamp(from),
                to: Timestamp(to),
            },
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(millis) => match PRESETS.iter().find(|(_, m)| m == millis) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "{}m", millis / MINUTE),
            },
            Self::Fixed(from, to) => write!(f, "{from}-{to}"),
        }
    }
}

impl FromStr for Range {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let fault = |reason: &str| AppError::Invalid {
            field: "range".to_owned(),
            reason: reason.to_owned(),
        };
        if text.is_empty() {
            return Ok(Self::default());
        }
        if let Some((_, millis)) = PRESETS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Last(*millis));
        }
        let Some((from, to)) = text.split_once('-') else {
            return Err(fault("must be one of 15m, 1h, 6h, 24h, 7d, 30d, or from-to in milliseconds"));
        };
        let instant = |text: &str| text.parse::<i64>().map_err(|_| fault("from and to must be Unix milliseconds"));
        let (from, to) = (instant(from)?, instant(to)?);
        if to <= from {
            return Err(fault("must end after it begins"));
        }
        if to - from < MINUTE {
            return Err(fault("must be at least a minute long"));
        }
        if to - from > LONGEST {
            return Err(fault("must be at most 400 days long"));
        }
        Ok(Self::Fixed(from, to))
    }
}

/// The text of the URL's range; parsed where it is used, so that a fault is shown and not passed over.
#[must_use]
pub fn use_range_text() -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|q| q.get("range").unwrap_or_default()))
}

/// Goes to a range between two instants: what a chart's drag asks for.
#[must_use]
pub fn use_zoom() -> Callback<(i64, i64)> {
    let (location, navigate) = (use_location(), use_navigate());
    Callback::new(move |(from, to)| {
        let range = Range::Fixed(from, to).to_string();
        navigate(
            &routes::with_query(&location.pathname.get_untracked(), [("range", range)]),
            NavigateOptions {
                scroll: false,
                ..Default::default()
            },
        );
    })
}

/// Goes to a range twice as wide around the same middle: what a chart's double click asks for.
#[must_use]
pub fn use_zoom_out(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Callback<()> {
    let (text, zoom) = (use_range_text(), use_zoom());
    Callback::new(move |()| {
        let now = now();
        let span = text.get_untracked().parse::<Range>().unwrap_or_default().span(now);
        let half = span.millis() / 2;
        zoom.run((span.from.millis() - half, (span.to.millis() + half).min(now.millis())));
    })
}

/// The choice of ranges, as links: they work without script.
#[component]
pub fn RangePicker() -> impl IntoView {
    let (text, location) = (use_range_text(), use_location());
    let chosen = Memo::new(move |_| text.get().parse::<Range>().unwrap_or_default());
    let links = PRESETS.map(|(name, millis)| {
        let href = move || routes::with_query(&location.pathname.get(), [("range", name.to_owned())]);
        let current = move || (chosen.get() == Range::Last(millis)).then_some("true");
        // A plain anchor: the router follows it, and `aria-current` is ours to say.
        view! {
            <a href=href aria-current=current>
                {label(name)}
            </a>
        }
    });
    view! {
        <nav class="seg" aria-label="Time range">
            {links}
            <Show when=move || matches!(chosen.get(), Range::Fixed(..))>
                <span class="seg-fixed" aria-current="true">"selected"</span>
            </Show>
        </nav>
    }
}

fn label(name: &str) -> String {
    match name.split_at(name.len() - 1) {
        (n, "m") => format!("{n} min"),
        (n, unit) => format!("{n} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_round_trip_and_nonsense_is_refused() {
        for (name, millis) in PRESETS {
            assert_eq!(name.parse(), Ok(Range::Last(millis)));
            assert_eq!(Range::Last(millis).to_string(), name);
        }
        let fixed = Range::Fixed(1_790_000_000_000, 1_790_003_600_000);
        assert_eq!(fixed.to_string().parse(), Ok(fixed));
        assert_eq!("".parse(), Ok(Range::default()));
        for nonsense in ["1y", "5-1", "0-1", "a-b", "0-99999999999999", "-"] {
            assert!(nonsense.parse::<Range>().is_err(), "{nonsense}");
        }
    }
}
