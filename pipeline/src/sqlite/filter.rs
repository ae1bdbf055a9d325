//! The filter of dead letters, in SQL.

use rusqlite::types::Value;

use crate::letter::LetterFilter;
use crate::ports::StoreError;

/// The filter as SQL conditions.
pub(super) fn conditions(filter: &LetterFilter) -> Result<(String, Vec<Value>), StoreError> {
    filter.check()?;
    let (mut sql, mut values) = (String::from("1"), Vec::<Value>::new());
    let mut add = |condition: &str, value: Value| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(status) = filter.status {
        add("status=?", status.name().to_owned().into());
    }
    for (condition, wanted) in [
        ("consumer=?", &filter.consumer),
        ("error_code=?", &filter.error),
        ("event_type=?", &filter.event_type),
    ] {
        if let Some(wanted) = wanted {
            add(condition, wanted.clone().into());
        }
    }
    if let Some(q) = &filter.q {
        // Not LIKE: the text is looked for as it is.
        add(
            "holds(coalesce(event_id,'') || ' ' || coalesce(user_id,'') || ' ' || error_code || ' ' || error_message || ' ' || body, ?)",
            q.to_lowercase().into(),
        );
    }
    if let Some(from) = filter.from {
        add("failed_at>=?", from.0.into());
    }
    if let Some(to) = filter.to {
        add("failed_at<?", to.0.into());
    }
    Ok((sql, values))
}
