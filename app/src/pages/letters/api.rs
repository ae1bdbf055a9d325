//! What the dead letters' pages read and do.

#![allow(
    clippy::too_many_arguments,
    reason = "the fields of a form, of which the macro makes functions of its own"
)]

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json as JsonCodec};
use pipeline::letter::{Depth, Letter, LetterDetail, LetterGroup, LetterQueues};
use pipeline::operation::Operation;
use pipeline::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::routes;

/// The list's filter, as the URL has it. Empty fields don't narrow, but for the status: empty is `open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct LettersQuery {
    pub status: String,
    pub consumer: String,
    pub error: String,
    pub event_type: String,
    pub q: String,
    pub cursor: String,
}

impl LettersQuery {
    /// The address of this list, from `cursor` on.
    #[must_use]
    pub fn url(&self, cursor: Option<String>) -> String {
        routes::with_query(
            routes::LETTERS,
            [
                ("status", self.status.clone()),
                ("consumer", self.consumer.clone()),
                ("error", self.error.clone()),
                ("type", self.event_type.clone()),
                ("q", self.q.clone()),
                ("cursor", cursor.unwrap_or_default()),
            ],
        )
    }
}

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterList {
    /// The server's clock when this was read.
    pub now: Timestamp,
    /// How many are open.
    pub depth: Depth,
    /// The queues they arrive in; `None` where there are none, and why, where they can't be counted.
    pub queues: Result<Option<LetterQueues>, AppError>,
    /// Open ones by kind.
    pub groups: Vec<LetterGroup>,
    /// The letters that match, newest first.
    pub letters: Vec<Letter>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many match in all.
    pub matching: u64,
    /// The newest operations; `None` where the backend doesn't offer any.
    pub operations: Option<Vec<Operation>>,
    /// Consumers to choose from.
    pub consumers: Vec<String>,
}

/// Reads the page.
#[server(prefix = "/fn", endpoint = "letters", input = JsonCodec, output = crate::wire::Wire)]
pub async fn read_letters(query: LettersQuery) -> Result<LetterList, AppError> {
    use crate::context::{answer, desk};
    let desk = desk();
    answer(desk.shared(query.clone(), LetterList::read(&desk, &query)).await)
}

/// One letter's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterView {
    /// The letter.
    pub detail: LetterDetail,
    /// Whether the backend offers operations on it.
    pub acts: bool,
}

/// Reads one letter.
#[server(prefix = "/fn", endpoint = "letter", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_letter(id: String) -> Result<LetterView, AppError> {
    use crate::context::{answer, desk};
    answer(LetterView::read(&desk(), &id).await)
}

/// Starts an operation: on `ids`, or, with `all`, on all that match the filter. Nothing is meant that isn't said.
/// Plain form fields, so that it works without script.
#[server(prefix = "/fn", endpoint = "operation", output = crate::wire::Wire)]
pub async fn start_operation(
    kind: String,
    reason: String,
    #[server(default)] ids: Vec<String>,
    #[server(default)] status: String,
    #[server(default)] consumer: String,
    #[server(default)] error: String,
    #[server(default)] event_type: String,
    #[server(default)] q: String,
    #[server(default)] all: bool,
) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    let query = LettersQuery {
        status,
        consumer,
        error,
        event_type,
        q,
        cursor: String::new(),
    };
    answer(ssr::start_from_form(&desk(), &actor(), &kind, reason, ids, all.then_some(query)).await)
}

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::consumer::HEALTH_WINDOW;
    use pipeline::letter::{LetterFilter, LetterStatus};
    use pipeline::operation::{NewOperation, OperationKind, OperationStatus, Selection};
    use pipeline::time::{Span, Timestamp};

    use super::{LetterList, LetterView, LettersQuery};
    use crate::context::{Actor, Desk};
    use crate::error::{AppError, offered};
    use crate::pages::operations::api::start;

    /// How many letters a page of the list holds.
    const PAGE: u32 = 50;
    /// How many operations the page lists.
    const OPERATIONS: u32 = 3;

    impl LettersQuery {
        fn filter(&self) -> Result<LetterFilter, AppError> {
            let given = |text: &String| (!text.is_empty()).then(|| text.clone());
            let status = match self.status.as_str() {
                "" => Some(LetterStatus::Open),
                "all" => None,
                name => Some(LetterStatus::from_name(name).ok_or_else(|| AppError::Invalid {
                    field: "status".to_owned(),
                    reason: format!("'{name}' is none of open, redriving, redriven, discarded, all"),
                })?),
            };
            Ok(LetterFilter {
                status,
                consumer: given(&self.consumer),
                error: given(&self.error),
                event_type: given(&self.event_type),
                q: given(&self.q),
                from: None,
                to: None,
            })
        }
    }

    impl LetterView {
        pub(super) async fn read(desk: &Desk, id: &str) -> Result<Self, AppError> {
            let detail = desk.ports.letters.get(id).await?;
            Ok(Self {
                detail: detail.ok_or_else(|| AppError::NotFound(format!("dead letter {id}")))?,
                acts: offered(desk.ports.operations.list(1, None).await)?.is_ok(),
            })
        }
    }

    impl LetterList {
        pub(crate) async fn read(desk: &Desk, query: &LettersQuery) -> Result<Self, AppError> {
            let (filter, letters) = (query.filter()?, &desk.ports.letters);
            let cursor = (!query.cursor.is_empty()).then_some(query.cursor.as_str());
            let page = letters.list(&filter, PAGE, cursor).await?;
            let depth = letters.depth().await?;
            let consumers = desk.ports.consumers.list(Span::ending(Timestamp::now(), HEALTH_WINDOW)).await;
            let consumers = match offered(consumers)? {
                Ok(list) => list.items.into_iter().map(|c| c.name).collect(),
                // Those that have letters, then.
                Err(_) => depth.by_consumer.iter().map(|(name, _)| name.clone()).collect(),
            };
            Ok(Self {
                now: Timestamp::now(),
                depth,
                queues: offered(letters.queues().await)?,
                groups: letters.groups().await?,
                letters: page.items,
                next: page.next,
                matching: letters.count(&filter).await?,
                operations: offered(desk.ports.operations.list(OPERATIONS, None).await)?
                    .ok()
                    .map(|page| page.items),
                consumers,
            })
        }
    }

    pub(super) async fn start_from_form(
        desk: &Desk,
        actor: &Actor,
        kind: &str,
        reason: String,
        ids: Vec<String>,
        all: Option<LettersQuery>,
    ) -> Result<String, AppError> {
        let invalid = |field: &str, reason: &str| AppError::Invalid {
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        let kind = OperationKind::ALL
            .into_iter()
            .find(|k| k.name() == kind)
            .ok_or_else(|| invalid("kind", "must be redrive, discard or restore"))?;
        let select = match all {
            Some(query) => Selection::Filter(query.filter()?),
            None => Selection::Ids(ids),
        };
        if matches!(&select, Selection::Ids(ids) if ids.is_empty()) {
            return Err(invalid("selection", "nothing is selected; tick letters, or choose all that match"));
        }
        let operation = start(
            desk,
            actor,
            &NewOperation {
                kind,
                select,
                reason,
                rate: None,
                dry_run: false,
            },
        )
        .await?;
        Ok(match (operation.total, operation.status) {
            (0, _) => "Nothing matched, so nothing is done.".to_owned(),
            (n, OperationStatus::Running) => format!("{} of {n} started; see its progress above.", kind.name()),
            (n, _) => format!("{} of {n} done.", kind.name()),
        })
    }
}
