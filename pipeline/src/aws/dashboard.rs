//! How a dashboard behaves towards its deployment.

use std::time::Duration;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DashboardConfig {
    /// Whether it only looks: then it doesn't even try whether it could do more.
    pub read_only: bool,
    /// Whether dead letters are taken over from their queues.
    pub taken_over: bool,
    /// Whether CloudWatch is told how the criteria stand.
    pub tells_alarms: bool,
    /// How long what was sent to a function that keeps no ledger may take to come back. Lambda's asynchronous retries wait one and two
    /// minutes, unless the function's configuration or throttling has them wait longer.
    pub back_within: Duration,
}

impl Default for DashboardConfig {
    fn default() -> Self {
        Self {
            read_only: false,
            taken_over: true,
            tells_alarms: false,
            back_within: Duration::from_secs(6 * 60),
        }
    }
}
