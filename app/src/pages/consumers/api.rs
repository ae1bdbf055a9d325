//! What the consumers' pages read and do.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::consumer::{ConsumerFault, ConsumerStatus};
use pipeline::metric::{MetricsSource, Reading, Vitals};
use pipeline::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Unanswered};
use crate::pages::overview::api::Deed;

/// One consumer's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsumerPage {
    /// The server's clock when this was read.
    pub now: Timestamp,
    /// The charts' span.
    pub span: Span,
    /// The consumer.
    pub status: ConsumerStatus,
    /// What is measured of it, or why it is not known.
    pub measured: Result<Measured, AppError>,
    /// Where the measurements come from, if that has a pace and a price.
    pub source: Option<MetricsSource>,
    /// Its newest errors, or why they are not known.
    pub faults: Result<Vec<ConsumerFault>, AppError>,
    /// Flag changes and redrives.
    pub deeds: Vec<Deed>,
    /// What didn't answer of that which the rest is made of.
    pub unanswered: Unanswered,
}

/// What is measured of a consumer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Completed a minute.
    pub throughput: Reading,
    /// p50, p95, p99.
    pub latency: Vec<Reading>,
    /// Failed attempts, percent.
    pub error_rate: Reading,
    /// Neither completed nor dead-lettered.
    pub in_flight: Reading,
    /// What the platform under it measures, where there is one.
    pub vitals: Vitals,
}

/// The consumers' page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsumersView {
    /// The span of the counts.
    pub span: Span,
    /// All of them.
    pub consumers: Vec<ConsumerStatus>,
    /// What didn't answer of that which is said of them.
    pub unanswered: Unanswered,
}

/// Reads all consumers over `range`.
#[server(prefix = "/fn", endpoint = "consumers", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_consumers(range: String) -> Result<ConsumersView, AppError> {
    use crate::context::{answer, desk};
    answer(async { ConsumersView::read(&desk(), range.parse()?).await }.await)
}

/// Reads one consumer over `range`.
#[server(prefix = "/fn", endpoint = "consumer", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_consumer(name: String, range: String) -> Result<ConsumerPage, AppError> {
    use crate::context::{answer, desk};
    answer(async { ConsumerPage::shared(&desk(), &name, range.parse()?).await }.await)
}

/// Stops or starts a consumer.
#[server(prefix = "/fn", endpoint = "pause", output = crate::wire::Wire)]
pub async fn pause_consumer(name: String, paused: bool, reason: String) -> Result<String, AppError> {
    use crate::context::{actor, answer, desk};
    answer(ssr::pause(&desk(), &actor(), &name, paused, &reason).await)
}

#[cfg(feature = "ssr")]
pub use ssr::pause;

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::metric::{By, Metric, SeriesQuery, step_for};
    use pipeline::ports::StoreError;
    use pipeline::time::{Span, Timestamp};

    use super::{ConsumerPage, ConsumersView, Measured};
    use crate::context::{Action, Actor, Desk};
    use crate::error::{AppError, Unanswered, offered};
    use crate::pages::overview::api::deeds;
    use crate::ui::range::Range;

    /// How many of its errors the page has.
    const FAULTS: u32 = 20;

    /// Stops or starts a consumer, on the record; answers with what was done.
    ///
    /// # Errors
    /// There is no such consumer, no reason was given, or the store doesn't answer.
    pub async fn pause(desk: &Desk, actor: &Actor, name: &str, paused: bool, reason: &str) -> Result<String, AppError> {
        if reason.trim().is_empty() {
            return Err(AppError::Invalid {
                field: "reason".to_owned(),
                reason: "is empty; say why, for those who read the record".to_owned(),
            });
        }
        let word = if paused { "paused" } else { "resumed" };
        let summary = format!("{name} {word}");
        let action = Action {
            name: if paused { "consumer.pause" } else { "consumer.resume" },
            target: name.to_owned(),
            summary: summary.clone(),
            reason: Some(reason.trim().to_owned()),
        };
        desk.act(actor, action, async {
            if desk.ports.consumers.set_paused(name, paused).await? {
                Ok(summary)
            } else {
                Err(AppError::NotFound(format!("consumer {name}")))
            }
        })
        .await
    }

    impl ConsumersView {
        pub(crate) async fn read(desk: &Desk, range: Range) -> Result<Self, AppError> {
            let span = range.span(Timestamp::now());
            let mut unanswered = Unanswered::default();
            Ok(Self {
                span,
                consumers: unanswered.consumers(desk.ports.consumers.list(span).await?)?,
                unanswered,
            })
        }
    }

    impl ConsumerPage {
        /// Reads it, shared by all who ask the same within a second.
        pub(super) async fn shared(desk: &Desk, name: &str, range: Range) -> Result<Self, AppError> {
            desk.shared((name.to_owned(), range), Self::read(desk, name, range)).await
        }

        async fn read(desk: &Desk, name: &str, range: Range) -> Result<Self, AppError> {
            let now = Timestamp::now();
            let span = range.span(now);
            let ports = &desk.ports;
            let (list, measured, faults, deeds) = tokio::join!(
                ports.consumers.list(span),
                Measured::read(desk, name, span),
                ports.consumers.faults(name, FAULTS),
                deeds(desk, span)
            );
            let (deeds, mut unanswered) = deeds?;
            let all = unanswered.consumers(list?)?;
            let status = all.into_iter().find(|c| c.name == name);
            Ok(Self {
                now,
                span,
                status: status.ok_or_else(|| AppError::NotFound(format!("consumer {name}")))?,
                measured: offered(measured)?,
                source: ports.metrics.source(),
                faults: offered(faults)?,
                deeds,
                unanswered,
            })
        }
    }

    impl Measured {
        async fn read(desk: &Desk, name: &str, span: Span) -> Result<Self, StoreError> {
            let metrics = &desk.ports.metrics;
            let step = step_for(span);
            let series = |metric| SeriesQuery {
                metric,
                by: By::Consumer,
                from: span.from.0,
                to: span.to.0,
                step,
                consumer: Some(name.to_owned()),
            };
            let mut latency = Vec::with_capacity(3);
            for metric in [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99] {
                latency.push(metrics.series(&series(metric)).await?);
            }
            Ok(Self {
                throughput: metrics.series(&series(Metric::Throughput)).await?,
                latency,
                error_rate: metrics.series(&series(Metric::ErrorRate)).await?,
                in_flight: metrics.series(&series(Metric::InFlight)).await?,
                vitals: metrics.vitals(name, span, step).await?,
            })
        }
    }
}
