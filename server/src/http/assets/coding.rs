//! Which copy of an asset a client gets: RFC 9110, section 12.5.3.

/// A way content is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// For `Content-Encoding`; the plain file has none.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// Whether a token of `Accept-Encoding` means this coding.
    fn is(self, token: &str) -> bool {
        let names: &[&str] = match self {
            Self::Brotli => &["br"],
            Self::Gzip => &["gzip", "x-gzip"],
            Self::Identity => &["identity"],
        };
        names.iter().any(|name| name.eq_ignore_ascii_case(token))
    }
}

/// The copy with the highest weight among `present`; of equal ones the first. None if the client refuses them all.
pub(in crate::http) fn choose<T>(accept: &str, present: impl IntoIterator<Item = (Coding, T)>) -> Option<(Coding, T)> {
    let mut best = None;
    let mut highest = 0;
    for (coding, copy) in present {
        let weight = weight(accept, coding);
        if weight > highest {
            best = Some((coding, copy));
            highest = weight;
        }
    }
    best
}

/// How much the client wants a coding, in thousandths; 0 is a refusal.
///
/// What it does not mention it does not want, but for the plain file, which it takes if there is nothing better.
fn weight(accept: &str, coding: Coding) -> u16 {
    let mut wildcard = None;
    for item in accept.split(',') {
        let (token, parameters) = item.split_once(';').unwrap_or((item, ""));
        let token = token.trim();
        if coding.is(token) {
            return quality(parameters);
        }
        if token == "*" {
            wildcard = Some(quality(parameters));
        }
    }
    match (wildcard, coding) {
        // `*` may forbid the plain file; it does not ask for it.
        (Some(0), Coding::Identity) => 0,
        (_, Coding::Identity) => 1,
        (wildcard, _) => wildcard.unwrap_or(0),
    }
}

/// The thousandths of `q=0.5`. Without a `q` all of them; with one that cannot be read none, since a guess could be wrong.
fn quality(parameters: &str) -> u16 {
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(value) = value else { return 1000 };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    let thousandths = format!("{fraction:0<3}").parse().unwrap_or(0);
    match (whole, thousandths) {
        ("0", thousandths) => thousandths,
        ("1", 0) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Coding::{Brotli, Gzip, Identity};
    use super::*;

    #[test]
    fn the_client_gets_what_it_likes_best() {
        for (accept, expected) in [
            // Nothing said, or nothing known.
            ("", Some(Identity)),
            ("zstd, compress", Some(Identity)),
            // What browsers send, over TLS and without it.
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            // Weights.
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br;q=0.5, gzip;q=0.5", Some(Brotli)),
            ("gzip;q=0.5, identity", Some(Identity)),
            ("gzip;q=0.001", Some(Gzip)),
            ("br ; Q=1.000 , gzip", Some(Brotli)),
            ("br;q=0.12, gzip;q=0.115", Some(Brotli)),
            // Refusals.
            ("br;q=0, gzip", Some(Gzip)),
            ("br;q=0, gzip;q=0.0", Some(Identity)),
            ("gzip;q=0.000", Some(Identity)),
            ("identity;q=0", None),
            ("identity;q=0, gzip", Some(Gzip)),
            // The wildcard is what is not named.
            ("*", Some(Brotli)),
            ("*;q=0.1, gzip", Some(Gzip)),
            ("br;q=0, *", Some(Gzip)),
            ("*;q=0", None),
            ("*;q=0, identity", Some(Identity)),
            ("*;q=0, gzip", Some(Gzip)),
            // Spellings, and what is no weight.
            ("BR", Some(Brotli)),
            ("x-gzip", Some(Gzip)),
            ("br;q=2, gzip", Some(Gzip)),
            ("br;q=high, gzip;q=-1", Some(Identity)),
            ("br;q=0.+12", Some(Identity)),
            (",, ;q=1,", Some(Identity)),
        ] {
            assert_eq!(chosen(accept, &[Brotli, Gzip, Identity]), expected, "{accept:?}");
        }
    }

    fn chosen(accept: &str, present: &[Coding]) -> Option<Coding> {
        choose(accept, present.iter().map(|coding| (*coding, ()))).map(|(coding, ())| coding)
    }

    #[test]
    fn what_is_not_there_is_not_chosen() {
        assert_eq!(chosen("br, gzip", &[Identity]), Some(Identity));
        assert_eq!(chosen("br, gzip;q=0.1", &[Gzip, Identity]), Some(Gzip));
        assert_eq!(chosen("br, identity;q=0", &[Gzip, Identity]), None);
    }
}
