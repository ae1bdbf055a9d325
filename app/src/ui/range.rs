//! The time range of a page: in the URL, as `range=1h` or `range=<from>-<to>` in milliseconds.

use std::fmt;
use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use pipeline::time::{DAY, HOUR, MINUTE, Span, Timestamp};

use crate::charts::Zone;
use crate::charts::clock::Offsets;
use crate::error::AppError;
use crate::routes;
use crate::ui::query_form::QueryForm;

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
        let (from, to) = if let Some((from, to)) = text.split_once('/') {
            let instant = |field: &str, text: &str| {
                text.parse::<Timestamp>().map(Timestamp::millis).map_err(|e| AppError::Invalid {
                    field: field.to_owned(),
                    reason: e.to_string(),
                })
            };
            (instant("from", from)?, instant("to", to)?)
        } else if let Some((from, to)) = text.split_once('-') {
            let instant = |text: &str| text.parse::<i64>().map_err(|_| fault("from and to must be Unix milliseconds"));
            (instant(from)?, instant(to)?)
        } else {
            return Err(fault("must be one of 15m, 1h, 6h, 24h, 7d, 30d, or from-to in milliseconds"));
        };
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

/// The text of the URL's range; parsed where it is used, so that a fault is shown and not passed over. What the form sends,
/// a time in `from` and one in `to`, is `from/to` here.
#[must_use]
pub fn use_range_text() -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|q| {
            let given = |key| q.get(key).filter(|text: &String| !text.is_empty());
            match (given("from"), given("to")) {
                (None, None) => given("range").unwrap_or_default(),
                (from, to) => format!("{}/{}", from.unwrap_or_default(), to.unwrap_or_default()),
            }
        })
    })
}

/// The range as the URL has it, for links to other pages that have one.
#[must_use]
pub fn use_range_query() -> Memo<Vec<(&'static str, String)>> {
    let query = use_query_map();
    Memo::new(move |_| {
        let given = |key| query.with(|q| q.get(key).unwrap_or_default());
        ["range", "from", "to"].map(|key| (key, given(key))).to_vec()
    })
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
        let to = (span.to.millis() + half).min(now.millis());
        zoom.run(((span.from.millis() - half).max(to - LONGEST), to));
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
        </nav>
        <FreeRange chosen />
    }
}

/// A range of one's own: two times, sent as a plain form.
#[component]
fn FreeRange(chosen: Memo<Range>) -> impl IntoView {
    let location = use_location();
    let zone = use_context::<Zone>().unwrap_or_else(Zone::utc);
    let fixed = move || match chosen.get() {
        Range::Fixed(from, to) => Some((Timestamp(from), Timestamp(to))),
        Range::Last(_) => None,
    };
    let words = move || {
        fixed().map_or_else(
            || "Other".to_owned(),
            |(from, to)| {
                zone.offsets.with(|offsets| {
                    let (from, to) = (offsets.wall(from), offsets.wall(to));
                    let same_day = (from.year, from.month, from.day) == (to.year, to.month, to.day);
                    let end = if same_day {
                        to.time()
                    } else {
                        format!("{} {}", to.date(), to.time())
                    };
                    format!("{} {} – {end}", from.date(), from.time())
                })
            },
        )
    };
    let field = move |end: fn((Timestamp, Timestamp)) -> Timestamp| {
        // Without seconds and zone, as the browser's own field writes it.
        fixed()
            .map(end)
            .map(|at| Offsets::utc().wall(at).iso().replacen(' ', "T", 1))
            .unwrap_or_default()
    };
    let (from, to) = (move || field(|range| range.0), move || field(|range| range.1));
    #[cfg(feature = "hydrate")]
    Effect::new(move |before: Option<Range>| {
        let now = chosen.get();
        if before.is_some_and(|before| before != now) {
            super::confirm::close_sheets();
        }
        now
    });
    view! {
        <details class="sheet range-sheet">
            <summary class="button" class:chosen=move || fixed().is_some()>
                {words}
                <span class="visually-hidden">" time range"</span>
            </summary>
            <div class="sheet-body panel">
                <QueryForm action=location.pathname class="">
                    <label class="field">
                        <span>"From (UTC)"</span>
                        <input type="datetime-local" name="from" required value=from prop:value=from />
                    </label>
                    <label class="field">
                        <span>"To (UTC)"</span>
                        <input type="datetime-local" name="to" required value=to prop:value=to />
                    </label>
                    // Named, so that the address that the form makes has no pair without a name.
                    <button class="button main" name="range" value="">
                        "Show"
                    </button>
                </QueryForm>
            </div>
        </details>
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
        assert_eq!(
            "2026-09-21T14:13/2026-09-21T15:13Z".parse(),
            Ok(Range::Fixed(1_789_999_980_000, 1_790_003_580_000))
        );
        for nonsense in [
            "/",
            "2026-09-21T14:13/",
            "2026-09-21/2026-09-20",
            "1y",
            "5-1",
            "0-1",
            "a-b",
            "0-99999999999999",
            "-",
        ] {
            assert!(nonsense.parse::<Range>().is_err(), "{nonsense}");
        }
    }
}
