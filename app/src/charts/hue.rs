//! Which colour a line has: the same one on every page.

use pipeline::metric::Metric;

/// A place in the palette. The sheet gives it a colour *and* a dash pattern, so that colour never stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // names of the sheet's tokens
pub enum Hue {
    C1,
    C2,
    C3,
    C4,
    C5,
    C6,
    C7,
    C8,
    Ink,
    Ink2,
    Ink3,
}

impl Hue {
    /// Every hue; its index here is its number.
    pub const ALL: [Self; 11] = [
        Self::C1,
        Self::C2,
        Self::C3,
        Self::C4,
        Self::C5,
        Self::C6,
        Self::C7,
        Self::C8,
        Self::Ink,
        Self::Ink2,
        Self::Ink3,
    ];

    /// Its class in `charts.css`.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::C1 => "h-c1",
            Self::C2 => "h-c2",
            Self::C3 => "h-c3",
            Self::C4 => "h-c4",
            Self::C5 => "h-c5",
            Self::C6 => "h-c6",
            Self::C7 => "h-c7",
            Self::C8 => "h-c8",
            Self::Ink => "h-ink",
            Self::Ink2 => "h-ink2",
            Self::Ink3 => "h-ink3",
        }
    }

    /// The hue of a percentile: shades of ink, because the colours belong to consumers.
    #[must_use]
    pub const fn percentile(metric: Metric) -> Self {
        match metric {
            Metric::LatencyP50 => Self::Ink3,
            Metric::LatencyP95 => Self::Ink2,
            _ => Self::Ink,
        }
    }
}

/// The hue of a consumer, an event type, or a total (`all`).
#[must_use]
pub fn hue(label: &str) -> Hue {
    match label {
        "analytics" => Hue::C1,
        "categorization" => Hue::C2,
        "notification" => Hue::C3,
        "audit" => Hue::C4,
        "all" | "total" => Hue::Ink,
        other => Hue::ALL[4 + usize::from(fold(other) % 4)],
    }
}

/// FNV-1a, folded to a byte: the same in every build, unlike the standard library's hasher.
fn fold(label: &str) -> u8 {
    let hash = label
        .bytes()
        .fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes().into_iter().fold(0, |a, b| a ^ b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_keep_their_hue_and_strangers_get_another() {
        for (label, expected) in [
            ("analytics", Hue::C1),
            ("categorization", Hue::C2),
            ("notification", Hue::C3),
            ("audit", Hue::C4),
            ("all", Hue::Ink),
        ] {
            assert_eq!(hue(label), expected, "{label}");
        }
        for label in ["search", "", "ünïcode", "transaction.created"] {
            assert!(Hue::ALL[4..8].contains(&hue(label)), "{label}");
        }
    }
}
