//! What the charts of a page share: the viewer's time zone and the instant under the crosshair.

use leptos::prelude::*;
use pipeline::time::DAY;

use super::clock::Offsets;

/// The instant under the crosshair, milliseconds: the start of a step. Provide one as context for a page, and its charts
/// point at the same instant; without, each chart has its own.
#[derive(Clone, Copy, Debug)]
pub struct Crosshair(pub RwSignal<Option<i64>>);

impl Crosshair {
    /// A crosshair that points nowhere.
    #[must_use]
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }
}

impl Default for Crosshair {
    fn default() -> Self {
        Self::new()
    }
}

/// The zone that times are shown in. Provide [`Zone::utc`] as context, so that the server and the first render in the
/// browser agree, and call [`Zone::detect`] in an Effect.
#[derive(Clone, Copy, Debug)]
pub struct Zone {
    /// Its offsets.
    pub offsets: RwSignal<Offsets>,
    /// Its name: `UTC`, `Europe/London`.
    pub name: RwSignal<String>,
}

/// How far back and ahead of now a zone's clock changes are looked up, milliseconds: as long as metrics are kept, and
/// as far as anything is planned.
const LOOKUP: (i64, i64) = (420 * DAY, 30 * DAY);

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            offsets: RwSignal::new(Offsets::utc()),
            name: RwSignal::new("UTC".to_owned()),
        }
    }

    /// Turns this zone into the browser's. Only in a browser, so: in an Effect.
    pub fn detect(self) {
        let now = js_sys::Date::now() as i64;
        let minutes = |at: i64| -(js_sys::Date::new(&(at as f64).into()).get_timezone_offset() as i32);
        let offsets = Offsets::new(changes(now - LOOKUP.0, now + LOOKUP.1, minutes));
        let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let name = js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into())
            .ok()
            .and_then(|name| name.as_string());
        self.name.set(name.unwrap_or_else(|| "local time".to_owned()));
        self.offsets.set(offsets);
    }
}

/// When the offset changes between two instants, found by looking once a week and halving down to the second.
fn changes(from: i64, to: i64, minutes: impl Fn(i64) -> i32) -> Vec<(i64, i32)> {
    let mut changes = vec![(from, minutes(from))];
    let mut before = from;
    while before < to {
        let after = (before + 7 * DAY).min(to);
        if minutes(before) != minutes(after) {
            let (mut low, mut high) = (before, after);
            while high - low > 1000 {
                let middle = low + (high - low) / 2;
                if minutes(middle) == minutes(before) {
                    low = middle
                } else {
                    high = middle
                }
            }
            // Clocks change on whole seconds.
            changes.push((high.div_euclid(1000) * 1000, minutes(after)));
        }
        before = after;
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::time::Timestamp;

    #[test]
    fn finds_both_clock_changes_of_a_year() {
        let (spring, autumn) = (1_774_746_000_000, 1_792_890_000_000); // London, 2026
        let london = |at| if (spring..autumn).contains(&at) { 60 } else { 0 };
        let offsets = Offsets::new(changes(spring - 100 * DAY - 123, autumn + 50 * DAY, london));
        for change in [spring, autumn] {
            assert_ne!(offsets.at(Timestamp(change - 1)), offsets.at(Timestamp(change)));
            assert_eq!(offsets.at(Timestamp(change)), london(change));
        }
    }
}
