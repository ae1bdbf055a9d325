//! Looking for a text, whatever its case and however its JSON was written.

/// Whether `text`, which may be JSON, holds `needle`, which is in lower case.
pub(crate) fn holds(text: &str, needle: &str) -> bool {
    text.to_lowercase().contains(needle) || (text.contains('\\') && unescaped(text).to_lowercase().contains(needle))
}

/// JSON's escapes taken back, wherever they stand. What is none stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (letter, taken) = match after.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b't') => ('\t', 1),
            Some(b'r') => ('\r', 1),
            Some(b'"') => ('"', 1),
            Some(b'/') => ('/', 1),
            Some(b'\\') => ('\\', 1),
            Some(b'u') => code_point(after).unwrap_or(('\\', 0)),
            _ => ('\\', 0),
        };
        out.push(letter);
        rest = &after[taken..];
    }
    out.push_str(rest);
    out
}

/// The letter of `u00f6…`, or of `ud83d\udc4d…`, and how many bytes it takes.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| u32::from_str_radix(text.get(from..from + 4)?, 16).ok();
    let first = unit(1)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, 5));
    }
    let second = text.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7))?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let letter = char::decode_utf16(pair).next()?.ok()?;
    Some((letter, 11))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_back() {
        for (json, text) in [
            (r"K\u00f6ln", "Köln"),
            (r"\ud83d\udc4d!", "👍!"),
            (r#"\"a\/b\\"#, r#""a/b\"#),
            (r"half \ud83d", r"half \ud83d"),
            (r"\u00", r"\u00"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(json), text, "{json}");
        }
    }
}
