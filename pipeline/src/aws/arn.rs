//! What ARNs say.

/// The last part: the name of a queue.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// The function that it is of, with the version or the alias, if it says one.
pub(super) fn function_of(arn: &str) -> Option<&str> {
    arn.split_once(":function:").map(|(_, function)| function)
}

/// Whether it is of the function, in whatever version.
pub(super) fn is_function(arn: &str, function: &str) -> bool {
    function_of(arn).is_some_and(|of| of.split(':').next() == Some(function))
}
