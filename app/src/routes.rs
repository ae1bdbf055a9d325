//! Every path of the dashboard.

/// The overview.
pub const OVERVIEW: &str = "/";
/// The consumers.
pub const CONSUMERS: &str = "/consumers";
/// The events.
pub const EVENTS: &str = "/events";
/// The dead letters.
pub const LETTERS: &str = "/dead-letters";
/// The operations over dead letters.
pub const OPERATIONS: &str = "/operations";
/// The flags, the stage and the parity of the paths.
pub const CUTOVER: &str = "/cutover";
/// What people did.
pub const ACTIVITY: &str = "/activity";
/// What is wrong with the deployment.
pub const FINDINGS: &str = "/findings";
/// The demo's faults.
pub const DEMO: &str = "/demo";
/// Where the browser listens for what is new.
pub const LIVE: &str = "/api/v1/live";

/// A consumer's page.
#[must_use]
pub fn consumer(name: &str) -> String {
    format!("{CONSUMERS}/{}", escape(name))
}

/// An event's page.
#[must_use]
pub fn event(id: &str) -> String {
    format!("{EVENTS}/{}", escape(id))
}

/// A dead letter's page.
#[must_use]
pub fn letter(id: &str) -> String {
    format!("{LETTERS}/{}", escape(id))
}

/// An operation's page.
#[must_use]
pub fn operation(id: &str) -> String {
    format!("{OPERATIONS}/{}", escape(id))
}

/// Percent-encodes what may not stand in a path segment or a query value.
#[must_use]
pub fn escape(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// `path?key=value&…` of the pairs that have a value.
#[must_use]
pub fn with_query<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let query: Vec<String> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", escape(&value)))
        .collect();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_shape_fit_into_a_path() {
        assert_eq!(event("a/b?c d"), "/events/a%2Fb%3Fc%20d");
        assert_eq!(
            with_query("/events", [("q", "a&b".to_owned()), ("type", String::new())]),
            "/events?q=a%26b"
        );
    }
}
