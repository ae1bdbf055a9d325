//! Cases worked out from AWS's user guide (`eb-create-pattern-operators`, `eb-event-patterns-null-values`,
//! `eb-event-patterns-arrays`) and from event-ruler's description of arrays; then laws, over generated input.

mod faults;
mod laws;
mod seams;
mod structure;
mod values;

use serde_json::{Value, json};

use super::*;

fn pattern(source: &Value) -> Pattern {
    Pattern::from_value(source).unwrap_or_else(|e| panic!("{source} is a pattern, but: {e}"))
}

fn takes(source: &Value, event: &Value) -> bool {
    pattern(source).matches_value(event)
}

/// Each row: what is accepted in the field `f`; values of `f` that are taken; values that aren't.
fn check_values(rows: &[(Value, Vec<Value>, Vec<Value>)]) {
    for (accepted, taken, refused) in rows {
        let source = json!({ "detail": { "f": accepted } });
        for value in taken {
            assert!(takes(&source, &json!({ "detail": { "f": value } })), "{accepted} takes {value}");
        }
        for value in refused {
            assert!(
                !takes(&source, &json!({ "detail": { "f": value } })),
                "{accepted} doesn't take {value}"
            );
        }
    }
}
