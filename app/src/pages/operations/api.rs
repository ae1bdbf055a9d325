//! What the operations' pages read and do.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::operation::{Operation, OperationItem};
use pipeline::page::Page;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// An operation and a page of its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// The operation.
    pub operation: Operation,
    /// The items that are asked for.
    pub items: Page<OperationItem>,
}

/// Reads a page of the list, from `cursor` on; empty for the newest.
#[server(prefix = "/fn", endpoint = "operations", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_operations(#[server(default)] cursor: String) -> Result<Page<Operation>, AppError> {
    use crate::context::{answer, desk};
    answer(
        desk()
            .ports
            .operations
            .list(30, (!cursor.is_empty()).then_some(cursor.as_str()))
            .await
            .map_err(Into::into),
    )
}

/// Reads an operation with those of its items that have the status `show`, from `cursor` on; all, and the first, if these are empty.
#[server(prefix = "/fn", endpoint = "operation-items", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_operation(
    id: String,
    #[server(default)] show: String,
    #[server(default)] cursor: String,
) -> Result<OperationView, AppError> {
    use crate::context::{answer, desk};
    answer(OperationView::read(&desk(), &id, &show, &cursor).await)
}

/// Stops an operation.
#[server(prefix = "/fn", endpoint = "cancel", output = crate::wire::Wire)]
pub async fn cancel_operation(id: String) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    answer(
        async {
            ssr::cancel(&desk(), &actor(), &id)
                .await
                .map(|o| format!("Cancelled; {} of {} had their outcome.", o.settled(), o.total))
        }
        .await,
    )
}

#[cfg(feature = "ssr")]
pub use ssr::{cancel, start};

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::letter::LetterFilter;
    use pipeline::operation::{ItemStatus, NewOperation, Operation, OperationKind, Selection};

    use super::OperationView;
    use crate::context::{Action, Actor, Desk};
    use crate::error::AppError;

    /// How many items a page holds.
    const PAGE: u32 = 100;

    impl OperationView {
        pub(super) async fn read(desk: &Desk, id: &str, show: &str, cursor: &str) -> Result<Self, AppError> {
            let only = ItemStatus::ALL.into_iter().find(|status| status.name() == show);
            if only.is_none() && !show.is_empty() {
                return Err(AppError::Invalid {
                    field: "show".to_owned(),
                    reason: format!("'{show}' is none of {}", ItemStatus::ALL.map(ItemStatus::name).join(", ")),
                });
            }
            let operations = &desk.ports.operations;
            let detail = operations.get(id).await?;
            let operation = detail.ok_or_else(|| AppError::NotFound(format!("operation {id}")))?.operation;
            let cursor = (!cursor.is_empty()).then_some(cursor);
            let items = operations.items(id, only, PAGE, cursor).await?;
            Ok(Self { operation, items })
        }
    }

    /// Starts an operation, on the record.
    ///
    /// # Errors
    /// The wish makes no sense, or the store doesn't answer.
    pub async fn start(desk: &Desk, actor: &Actor, wish: &NewOperation) -> Result<Operation, AppError> {
        if wish.dry_run {
            // Counting changes nothing; there is nothing to put on the record.
            return Ok(desk.ports.operations.start(wish, &actor.name).await?);
        }
        let which = match &wish.select {
            Selection::Ids(ids) if ids.len() == 1 => format!("letter {}", ids[0]),
            Selection::Ids(_) => "the letters selected".to_owned(),
            Selection::Filter(filter) => format!("all letters {}", words(filter)),
        };
        let action = Action {
            name: match wish.kind {
                OperationKind::Redrive => "letters.redrive",
                OperationKind::Discard => "letters.discard",
                OperationKind::Restore => "letters.restore",
            },
            summary: format!("{} {which}", wish.kind.name()),
            target: which,
            reason: Some(wish.reason.clone()),
        };
        let work = desk.ports.operations.start(wish, &actor.name);
        desk.act_and_tell(actor, action, work, |operation: &Operation, action| {
            action.summary = format!("{}: {}", action.summary, operation.total);
            action.target = operation.id.clone();
        })
        .await
    }

    /// Stops an operation, on the record.
    ///
    /// # Errors
    /// There is none, or it has ended, or the store doesn't answer.
    pub async fn cancel(desk: &Desk, actor: &Actor, id: &str) -> Result<Operation, AppError> {
        let action = Action {
            name: "operation.cancel",
            target: id.to_owned(),
            summary: format!("operation {id} cancelled"),
            reason: None,
        };
        desk.act(actor, action, desk.ports.operations.cancel(id)).await
    }

    /// A filter as a sentence goes on with it: `that are open, of categorization, with InvalidPayload`.
    fn words(filter: &LetterFilter) -> String {
        let parts = [
            filter.status.map(|status| format!("that are {}", status.name())),
            filter.consumer.as_ref().map(|name| format!("of {name}")),
            filter.error.as_ref().map(|code| format!("with {code}")),
            filter.event_type.as_ref().map(|name| format!("of type {name}")),
            filter.q.as_ref().map(|text| format!("containing “{text}”")),
            filter.from.map(|at| format!("failed from {at}")),
            filter.to.map(|at| format!("failed before {at}")),
        ];
        let said: Vec<String> = parts.into_iter().flatten().collect();
        if said.is_empty() { "there are".to_owned() } else { said.join(", ") }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use pipeline::letter::LetterStatus;

        #[test]
        fn a_filter_is_said_in_words() {
            assert_eq!(words(&LetterFilter::default()), "there are");
            let filter = LetterFilter {
                status: Some(LetterStatus::Open),
                consumer: Some("audit".into()),
                q: Some("u-1".into()),
                ..LetterFilter::default()
            };
            assert_eq!(words(&filter), "that are open, of audit, containing “u-1”");
        }
    }
}
