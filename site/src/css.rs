//! As much of CSS as it takes to leave out comments and to follow `url(…)`.
//!
//! Nothing else is touched: brotli takes care of the rest, and what is not rewritten cannot be broken.

/// What was open when the sheet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed {
    /// A comment, a string or a url.
    pub(crate) what: &'static str,
    /// Where it opens, in bytes.
    pub(crate) at: usize,
}

/// A piece of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// Blank space, any amount.
    Space(&'a str),
    /// `/* … */`.
    Comment,
    /// A string with its quotes, an escape, or text that means nothing here.
    Verbatim(&'a str),
    /// What stands between `url(` and `)`, without quotes.
    Url(&'a str),
}

/// Writes `sheet` without comments and with one space for many, each `url(…)` as `resolve` wants it.
pub(crate) fn rewrite<E: From<Unclosed>>(sheet: &str, mut resolve: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut out = String::with_capacity(sheet.len());
    let mut at = 0;
    while at < sheet.len() {
        let (piece, end) = piece(sheet, at)?;
        match piece {
            Piece::Space(space) if !ends_blank(&out) => out.push(if space.contains('\n') { '\n' } else { ' ' }),
            Piece::Space(_) => {}
            // `.a/**/.b` is one selector, `.a .b` another: between two words something must keep them apart and together.
            Piece::Comment if !ends_blank(&out) && !starts_blank(&sheet[end..]) => out.push_str("/**/"),
            Piece::Comment => {}
            Piece::Verbatim(text) => out.push_str(text),
            Piece::Url(target) => {
                out.push_str("url(\"");
                out.push_str(&resolve(target)?);
                out.push_str("\")");
            }
        }
        at = end;
    }
    Ok(out)
}

fn ends_blank(text: &str) -> bool {
    text.chars().next_back().is_none_or(char::is_whitespace)
}

fn starts_blank(text: &str) -> bool {
    text.chars().next().is_none_or(char::is_whitespace)
}

/// The piece that starts at `at`, and where it ends.
fn piece(sheet: &str, at: usize) -> Result<(Piece<'_>, usize), Unclosed> {
    let rest = &sheet[at..];
    let Some(first) = rest.chars().next() else {
        return Ok((Piece::Verbatim(""), at));
    };
    if first.is_whitespace() {
        let end = at + (rest.len() - rest.trim_start().len());
        return Ok((Piece::Space(&sheet[at..end]), end));
    }
    if let Some(body) = rest.strip_prefix("/*") {
        let length = body.find("*/").ok_or(Unclosed { what: "comment", at })?;
        return Ok((Piece::Comment, at + length + 4));
    }
    if opens_url(sheet, at) {
        return url(sheet, at);
    }
    let end = match first {
        '"' | '\'' => string_end(sheet, at)?,
        '\\' => at + 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        _ => at + first.len_utf8(),
    };
    Ok((Piece::Verbatim(&sheet[at..end]), end))
}

/// Whether a `url(` starts at `at` that is not the end of a longer name.
fn opens_url(sheet: &str, at: usize) -> bool {
    let longer = sheet[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\\'));
    !longer
        && sheet.as_bytes()[at..]
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"url("))
}

fn url(sheet: &str, at: usize) -> Result<(Piece<'_>, usize), Unclosed> {
    let unclosed = Unclosed { what: "url(", at };
    let body = &sheet[at + 4..];
    let start = at + 4 + (body.len() - body.trim_start().len());
    let (target, after) = if sheet[start..].starts_with(['"', '\'']) {
        let end = string_end(sheet, start)?;
        (&sheet[start + 1..end - 1], end)
    } else {
        let end = start + sheet[start..].find(')').ok_or(unclosed)?;
        (sheet[start..end].trim_end(), end)
    };
    let close = sheet[after..].find(')').ok_or(unclosed)?;
    Ok((Piece::Url(target), after + close + 1))
}

/// Just past the closing quote of the string that opens at `at`. A line's end closes no string.
fn string_end(sheet: &str, at: usize) -> Result<usize, Unclosed> {
    let bytes = sheet.as_bytes();
    let mut end = at + 1;
    loop {
        match bytes.get(end) {
            Some(b'\\') => end += 2,
            Some(byte) if *byte == bytes[at] => return Ok(end + 1),
            None | Some(b'\n') => return Err(Unclosed { what: "string", at }),
            Some(_) => end += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(sheet: &str) -> Result<String, Unclosed> {
        rewrite(sheet, |target| Ok(format!("<{target}>")))
    }

    #[test]
    fn rewrites() {
        for (sheet, expected) in [
            ("a  {\n\n  color : red;\n}\n", "a {\ncolor : red;\n}\n"),
            ("/* head */\na { }", "a { }"),
            (".a/* x */.b { }", ".a/**/.b { }"),
            (".a /* x */ .b { }", ".a .b { }"),
            (
                "a::before { content: \"/* no comment */  two\" }",
                "a::before { content: \"/* no comment */  two\" }",
            ),
            (r#"a { content: "\"/*" } b { }"#, r#"a { content: "\"/*" } b { }"#),
            (r".sm\:w\'x { }", r".sm\:w\'x { }"),
            ("a { background: url(/icons/x.svg) }", "a { background: url(\"</icons/x.svg>\") }"),
            ("a { background: URL( 'x.svg' ) }", "a { background: url(\"<x.svg>\") }"),
            (
                "a { background: url(data:image/svg+xml;x/*y) }",
                "a { background: url(\"<data:image/svg+xml;x/*y>\") }",
            ),
            ("a { x: my-url(1) }", "a { x: my-url(1) }"),
            ("a { content: '→ ü' }", "a { content: '→ ü' }"),
            ("", ""),
        ] {
            assert_eq!(plain(sheet).unwrap(), expected, "{sheet}");
        }
    }

    #[test]
    fn what_is_left_open_is_named_with_its_place() {
        for (sheet, what, at) in [
            ("a { } /* b", "comment", 6),
            ("a { content: 'x; }\nb { }", "string", 13),
            ("a { background: url(x }", "url(", 16),
            ("a { content: \"x\\", "string", 13),
        ] {
            assert_eq!(plain(sheet), Err(Unclosed { what, at }), "{sheet}");
        }
    }
}
