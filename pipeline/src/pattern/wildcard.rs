//! The `wildcard` operator's text.

/// A string in which each `*` stands for any run of characters, none included.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    /// Up to the first `*`.
    head: String,
    /// Between one `*` and the next.
    middle: Vec<String>,
    /// After the last `*`; `None` if there is no `*`, and `head` is all.
    tail: Option<String>,
}

impl Wildcard {
    /// Reads a wildcard; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut literals = literals(text)?.into_iter();
        let head = literals.next().unwrap_or_default();
        let tail = literals.next_back();
        Ok(Self {
            head,
            middle: literals.collect(),
            tail,
        })
    }

    /// Whether `text` is of this form, in time linear in its length: to take the leftmost occurrence of each literal
    /// leaves the most room for the next, so nothing is ever tried twice.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.head.as_str()) else {
            return false;
        };
        let Some(tail) = &self.tail else {
            return rest.is_empty();
        };
        let Some(mut rest) = rest.strip_suffix(tail.as_str()) else {
            return false;
        };
        self.middle.iter().all(|literal| {
            rest.split_once(literal.as_str()).is_some_and(|(_, after)| {
                rest = after;
                true
            })
        })
    }
}

/// The literal texts before, between and after the `*`s.
fn literals(text: &str) -> Result<Vec<String>, &'static str> {
    let mut literals = vec![String::new()];
    let mut chars = text.chars();
    let mut after_star = false;
    while let Some(c) = chars.next() {
        let literal = match c {
            '*' if after_star => {
                return Err("has ** in it; one * already stands for any run of characters");
            }
            '*' => {
                literals.push(String::new());
                after_star = true;
                continue;
            }
            '\\' => chars
                .next()
                .filter(|&escaped| matches!(escaped, '*' | '\\'))
                .ok_or(r"has a \ that escapes nothing; write \\ for a backslash, \* for an asterisk")?,
            c => c,
        };
        after_star = false;
        if let Some(last) = literals.last_mut() {
            last.push(literal);
        }
    }
    Ok(literals)
}
