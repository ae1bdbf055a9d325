//! What the demo page reads and does.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The faults that are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DemoView {
    /// Each consumer, and `publishers`, with its fault or `none`.
    pub faults: Vec<(String, String)>,
}

/// Reads the faults.
#[server(prefix = "/fn", endpoint = "demo", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_demo() -> Result<DemoView, AppError> {
    use crate::context::{answer, desk};
    answer(DemoView::read(&desk()))
}

/// Turns a fault of a consumer, or of the `publishers`, on or off.
#[server(prefix = "/fn", endpoint = "fault", output = crate::wire::Wire)]
pub async fn set_fault(target: String, fault: String) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    answer(ssr::set_fault_of(&desk(), &actor(), &target, &fault).await)
}

#[cfg(feature = "ssr")]
pub use ssr::set_fault_of;

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::demo::Fault;
    use pipeline::rule::CONSUMERS;

    use super::DemoView;
    use crate::context::{Action, Actor, Desk};
    use crate::error::AppError;

    fn off() -> AppError {
        AppError::NotFound("demo running here; start with --demo".to_owned())
    }

    impl DemoView {
        /// Reads it.
        ///
        /// # Errors
        /// No demo runs.
        pub fn read(desk: &Desk) -> Result<Self, AppError> {
            let demo = desk.demo.as_ref().ok_or_else(off)?;
            let consumers = CONSUMERS
                .into_iter()
                .map(|name| (name.to_owned(), demo.faults.of(name).map_or("none", Fault::name).to_owned()));
            let publishers = (
                "publishers".to_owned(),
                if demo.faults.poison() { "poison" } else { "none" }.to_owned(),
            );
            Ok(Self {
                faults: consumers.chain([publishers]).collect(),
            })
        }
    }

    /// Turns a fault on or off, on the record; answers with what was done.
    ///
    /// # Errors
    /// No demo runs, or it has no such target or fault.
    pub async fn set_fault_of(desk: &Desk, actor: &Actor, target: &str, fault: &str) -> Result<String, AppError> {
        let demo = desk.demo.clone().ok_or_else(off)?;
        let summary = format!("demo fault of {target}: {fault}");
        let action = Action {
            name: "demo.fault",
            target: target.to_owned(),
            summary: summary.clone(),
            reason: None,
        };
        let invalid = |field: &str| AppError::Invalid {
            field: field.to_owned(),
            reason: "is not one of the demo's".to_owned(),
        };
        desk.act(actor, action, async {
            match (target, fault) {
                ("publishers", "none" | "poison") => demo.faults.set_poison(fault == "poison"),
                (name, "none") if CONSUMERS.contains(&name) => demo.faults.set(name, None),
                (name, fault) if CONSUMERS.contains(&name) => {
                    demo.faults.set(
                        name,
                        Some(Fault::ALL.into_iter().find(|f| f.name() == fault).ok_or_else(|| invalid("fault"))?),
                    );
                }
                _ => return Err(invalid("target")),
            }
            Ok(summary)
        })
        .await
    }
}
