//! What the overview reads.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use pipeline::consumer::ConsumerStatus;
use pipeline::criteria::{Criterion, Status};
use pipeline::flag::Stage;
use pipeline::letter::Depth;
use pipeline::metric::{MetricsSource, Reading};
use pipeline::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::charts::Marker;
use crate::error::{AppError, Unanswered};
use crate::ui::range::Range;

/// What is asked of the overview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OverviewQuery {
    /// The charts' range.
    pub range: Range,
}

/// Something that people did, as a chart shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// In a word or two.
    pub label: String,
    /// In a sentence.
    pub title: String,
    /// Where it is told.
    pub href: String,
}

impl From<&Deed> for Marker {
    fn from(deed: &Deed) -> Self {
        Self {
            at: deed.at,
            label: deed.label.clone(),
            title: deed.title.clone(),
            href: Some(deed.href.clone()),
        }
    }
}

/// The overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The server's clock when this was read.
    pub now: Timestamp,
    /// The stage; `None` where the backend offers no flags, or they don't answer.
    pub stage: Option<Stage>,
    /// The verdict: its head, and the rest.
    pub verdict: (String, String),
    /// The six criteria.
    pub criteria: Vec<Criterion>,
    /// The dead letters, or why they are not known; as with every part that a backend may not offer.
    pub dead_letters: Result<Depth, AppError>,
    /// Dead letters beside those, in queues that nothing takes over from; `None` if they can't be counted.
    pub staying: Option<u64>,
    /// Which backend.
    pub backend: String,
    /// The charts' span.
    pub span: Span,
    /// What the charts show.
    pub charts: Result<Readings, AppError>,
    /// Where the measurements come from, if that has a pace and a price.
    pub source: Option<MetricsSource>,
    /// Flag changes and redrives.
    pub deeds: Vec<Deed>,
    /// The consumers.
    pub consumers: Result<Vec<ConsumerStatus>, AppError>,
    /// What didn't answer of that which stage, criteria, dead letters, deeds and consumers rest on, and the services that don't answer.
    pub unanswered: Unanswered,
}

/// What the charts show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    /// By consumer, and `all` that the bus accepted.
    pub throughput: Reading,
    /// p50, p95, p99, all consumers.
    pub latency: Vec<Reading>,
    /// By consumer.
    pub error_rate: Reading,
    /// By consumer.
    pub letters: Reading,
}

impl Overview {
    /// How the verdict is meant: `pass`, `fail` or `unknown`.
    #[must_use]
    pub fn tone(&self) -> &'static str {
        if self.criteria.iter().any(|c| c.status == Status::Failing) {
            "fail"
        } else if self.criteria.iter().any(|c| c.status == Status::Unknown) {
            "unknown"
        } else {
            "pass"
        }
    }

    /// How many criteria pass, and the last thing that people did.
    #[must_use]
    pub fn tally(&self) -> String {
        let passing = self.criteria.iter().filter(|c| c.status == Status::Passing).count();
        let deed = self
            .deeds
            .first()
            .map(|d| format!(" · last change: {}", d.title))
            .unwrap_or_default();
        format!("{passing} of {} criteria pass{deed}", self.criteria.len())
    }
}

/// Reads the overview over `range`.
#[server(prefix = "/fn", endpoint = "overview", input = GetUrl, output = crate::wire::Wire)]
pub async fn read_overview(range: String) -> Result<Overview, AppError> {
    use crate::context::{answer, desk};
    answer(async { Overview::shared(&desk(), &OverviewQuery { range: range.parse()? }).await }.await)
}

#[cfg(feature = "ssr")]
pub use ssr::{criteria_of, deeds, judged, pulse};

#[cfg(feature = "ssr")]
mod ssr {
    use pipeline::consumer::HEALTH_WINDOW;
    use pipeline::criteria::{self, ConsumerEvidence, Criterion, Evidence, Status};
    use pipeline::flag::{GLOBAL_SCOPE, Stage};
    use pipeline::metric::{By, Metric, SeriesQuery, step_for};
    use pipeline::ports::StoreError;
    use pipeline::time::{DAY, Span, Timestamp};

    use super::{Deed, Overview, OverviewQuery, Readings};
    use crate::context::Desk;
    use crate::error::{AppError, Unanswered, offered};
    use crate::live::Pulse;
    use crate::routes;

    /// The window that the criteria are judged over.
    const WINDOW: i64 = DAY;

    /// The stage, and the six criteria as of now with what didn't answer: that makes its criteria unknown.
    pub async fn judged(desk: &Desk, now: Timestamp) -> Result<(Stage, Vec<Criterion>, Unanswered), AppError> {
        let (stage, criteria) = tokio::join!(stage(desk), criteria_of(desk, now));
        let (criteria, unanswered) = criteria?;
        Ok((stage?, criteria, unanswered))
    }

    /// The six criteria; what doesn't answer makes those that need it unknown.
    ///
    /// # Errors
    /// The question made no sense.
    pub async fn criteria_of(desk: &Desk, now: Timestamp) -> Result<(Vec<Criterion>, Unanswered), AppError> {
        let span = Span::ending(now, WINDOW);
        let ports = &desk.ports;
        let (counts, ledger, parity, peak, audit) = tokio::join!(
            ports.metrics.counts(span),
            ports.ledger.summary(),
            ports.parity.report(span, None, now),
            ports.metrics.peak(span),
            ports.events.completeness()
        );
        let mut unanswered = Unanswered::default();
        let evidence = Evidence {
            ledger: unanswered.known(ledger)?,
            parity: unanswered.known(parity)?.map(|r| r.total),
            peak: unanswered.known(peak)?,
            consumers: unanswered.known(counts)?.map(|list| {
                list.into_iter()
                    .map(|c| ConsumerEvidence {
                        name: c.name,
                        processed: c.processed,
                        failed: c.failed,
                        p99: c.p99,
                    })
                    .collect()
            }),
            audit: unanswered.known(audit)?,
            window: WINDOW,
        };
        Ok((criteria::judge(&evidence), unanswered))
    }

    /// Where the migration stands.
    async fn stage(desk: &Desk) -> Result<Stage, StoreError> {
        let all = desk.ports.flags.all().await?;
        let global = all.into_iter().find(|f| f.scope == GLOBAL_SCOPE);
        let flags = global.map(|f| f.flags).unwrap_or_default();
        // The store refuses to turn both off; shadow is the design's default.
        Ok(flags.stage().unwrap_or(Stage::Shadow))
    }

    /// What every live message says.
    ///
    /// # Errors
    /// The overview can't be read.
    pub async fn pulse(desk: &Desk) -> Result<Pulse, AppError> {
        Ok(Overview::shared(desk, &OverviewQuery::default()).await?.pulse())
    }

    /// The flag changes and operations of a span, newest first, and which of the two didn't answer.
    pub async fn deeds(desk: &Desk, span: Span) -> Result<(Vec<Deed>, Unanswered), AppError> {
        let (changes, operations) = tokio::join!(desk.ports.flags.history(50), desk.ports.operations.list(50, None));
        let mut unanswered = Unanswered::default();
        let mut deeds: Vec<Deed> = unanswered
            .known(changes)?
            .unwrap_or_default()
            .into_iter()
            .map(|change| {
                let stage = |flags: pipeline::flag::Flags| flags.stage().map_or("off", Stage::words);
                let scope = if change.scope == GLOBAL_SCOPE {
                    String::new()
                } else {
                    format!("{}: ", change.scope)
                };
                let as_all = if change.inherited { ", as all" } else { "" };
                Deed {
                    at: change.at,
                    label: format!("{scope}{}{as_all}", stage(change.to)),
                    title: format!(
                        "{scope}{} to {}{as_all} by {}: {}",
                        stage(change.from),
                        stage(change.to),
                        change.actor,
                        change.reason
                    ),
                    href: routes::CUTOVER.to_owned(),
                }
            })
            .collect();
        let operations = unanswered.known(operations)?.map_or(Vec::new(), |page| page.items);
        deeds.extend(operations.into_iter().map(|operation| {
            let what = operation.kind.name();
            Deed {
                at: operation.created_at,
                label: format!("{what} {}", operation.total),
                title: format!("{what} of {} by {}: {}", operation.total, operation.actor, operation.reason),
                href: routes::operation(&operation.id),
            }
        }));
        deeds.retain(|d| d.at >= span.from && d.at < span.to);
        deeds.sort_by_key(|d| std::cmp::Reverse(d.at));
        Ok((deeds, unanswered))
    }

    /// The services that don't answer, whether or not anything is read of them right now.
    async fn missing(desk: &Desk) -> Vec<&'static str> {
        match &desk.ports.deployment {
            Some(deployment) => deployment.missing().await,
            None => Vec::new(),
        }
    }

    impl Overview {
        /// What a live message says of it.
        #[must_use]
        pub fn pulse(&self) -> Pulse {
            let count = |status| u8::try_from(self.criteria.iter().filter(|c| c.status == status).count()).unwrap_or(u8::MAX);
            Pulse {
                now: self.now,
                stage: self.stage,
                dead_letters: self
                    .dead_letters
                    .as_ref()
                    .ok()
                    .zip(self.staying)
                    .map(|(depth, staying)| depth.open + staying),
                criteria: [count(Status::Passing), count(Status::Failing), count(Status::Unknown)],
                unanswered: self.unanswered.clone(),
            }
        }

        /// Reads it, shared by all who ask the same within a second.
        ///
        /// # Errors
        /// The query makes no sense, or what a part holds can't be read.
        pub async fn shared(desk: &Desk, query: &OverviewQuery) -> Result<Self, AppError> {
            desk.shared(query.clone(), Self::read(desk, query)).await
        }

        async fn read(desk: &Desk, query: &OverviewQuery) -> Result<Self, AppError> {
            let now = Timestamp::now();
            let span = query.range.span(now);
            // All at once: a part that takes its time doesn't add to the others'.
            let (stage, criteria, depth, staying, charts, deeds, consumers, missing) = tokio::join!(
                stage(desk),
                criteria_of(desk, now),
                desk.ports.letters.depth(),
                desk.ports.letters.staying(),
                Readings::read(desk, span),
                deeds(desk, span),
                desk.ports.consumers.list(Span::ending(now, HEALTH_WINDOW)),
                missing(desk)
            );
            let (criteria, mut unanswered) = criteria?;
            let stage = unanswered.known(stage)?;
            unanswered.known(depth.as_ref().map(|_| ()).map_err(Clone::clone))?;
            let staying = unanswered.known(staying)?;
            let (deeds, unread) = deeds?;
            unanswered.join(unread);
            let consumers = match offered(consumers)? {
                Ok(list) => Ok(unanswered.consumers(list)?),
                Err(error) => Err(error),
            };
            unanswered.services(missing);
            Ok(Self {
                now,
                stage,
                verdict: criteria::verdict(stage, &criteria),
                criteria,
                dead_letters: offered(depth)?,
                staying,
                backend: desk.backend.to_owned(),
                span,
                charts: offered(charts)?,
                source: desk.ports.metrics.source(),
                deeds,
                consumers,
                unanswered,
            })
        }
    }

    impl Readings {
        async fn read(desk: &Desk, span: Span) -> Result<Self, StoreError> {
            let metrics = &desk.ports.metrics;
            let step = step_for(span);
            let series = |metric, by| SeriesQuery {
                metric,
                by,
                from: span.from.0,
                to: span.to.0,
                step,
                consumer: None,
            };
            let mut latency = Vec::with_capacity(3);
            for metric in [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99] {
                latency.push(metrics.series(&series(metric, By::None)).await?);
            }
            let mut throughput = metrics.series(&series(Metric::Throughput, By::Consumer)).await?;
            throughput
                .series
                .extend(metrics.series(&series(Metric::Throughput, By::None)).await?.series);
            Ok(Self {
                throughput,
                latency,
                error_rate: metrics.series(&series(Metric::ErrorRate, By::Consumer)).await?,
                letters: metrics.series(&series(Metric::DeadLetters, By::Consumer)).await?,
            })
        }
    }
}
