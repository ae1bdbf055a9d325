//! What the findings page reads.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::finding::Examination;

use crate::error::AppError;

/// Looks for what is wrong; all who ask within a second share the look.
#[server(prefix = "/fn", endpoint = "findings", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_findings() -> Result<Examination, AppError> {
    use crate::context::{answer, desk};
    answer(ssr::examined(&desk()).await)
}

#[cfg(feature = "ssr")]
pub use ssr::examined;

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::examine::examine;
    use pipeline::finding::Examination;
    use pipeline::time::Timestamp;

    use crate::context::Desk;
    use crate::error::AppError;

    /// Looks for what is wrong; all who ask within a second share the look.
    ///
    /// # Errors
    /// None of its own: what can't be looked at is a finding.
    pub async fn examined(desk: &Desk) -> Result<Examination, AppError> {
        let look = async { Ok(examine(&desk.ports, Timestamp::now()).await) };
        desk.shared((), look).await
    }
}
