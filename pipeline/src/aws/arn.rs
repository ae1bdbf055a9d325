//! What ARNs say.

/// The last part: the name of a queue.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// Whether it is of the function, in whatever version.
pub(super) fn is_function(arn: &str, function: &str) -> bool {
    let of = arn.split_once(":function:").map(|(_, name)| name);
    of.is_some_and(|name| name.split(':').next() == Some(function))
}
