//! Triggers: what an operation of the application asks of analytics, on either path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::time::Timestamp;

/// The ten analytics types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum AnalyticType {
    CashFlow,
    CategoryTrends,
    BudgetPerformance,
    FinancialHealth,
    CreditUtilization,
    PaymentPatterns,
    AccountEfficiency,
    MerchantAnalysis,
    GoalProgress,
    Recommendations,
}

impl AnalyticType {
    /// All ten, in the design's order.
    pub const ALL: [Self; 10] = [
        Self::CashFlow,
        Self::CategoryTrends,
        Self::BudgetPerformance,
        Self::FinancialHealth,
        Self::CreditUtilization,
        Self::PaymentPatterns,
        Self::AccountEfficiency,
        Self::MerchantAnalysis,
        Self::GoalProgress,
        Self::Recommendations,
    ];

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Its name on every wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CashFlow => "cash_flow",
            Self::CategoryTrends => "category_trends",
            Self::BudgetPerformance => "budget_performance",
            Self::FinancialHealth => "financial_health",
            Self::CreditUtilization => "credit_utilization",
            Self::PaymentPatterns => "payment_patterns",
            Self::AccountEfficiency => "account_efficiency",
            Self::MerchantAnalysis => "merchant_analysis",
            Self::GoalProgress => "goal_progress",
            Self::Recommendations => "recommendations",
        }
    }
}

/// A set of analytics types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<AnalyticType>", into = "Vec<AnalyticType>")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = Vec<AnalyticType>))]
pub struct AnalyticTypes(pub u16);

impl AnalyticTypes {
    /// All ten.
    pub const ALL: Self = Self(0x3ff);

    /// The types, in the design's order.
    pub fn iter(self) -> impl Iterator<Item = AnalyticType> {
        AnalyticType::ALL
            .into_iter()
            .enumerate()
            .filter(move |(i, _)| self.0 & (1 << i) != 0)
            .map(|(_, t)| t)
    }

    /// In words: `all ten types`, or the names.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::ALL => "all ten types".to_owned(),
            Self(0) => "none".to_owned(),
            _ => self.iter().map(AnalyticType::name).collect::<Vec<_>>().join(", "),
        }
    }
}

impl FromIterator<AnalyticType> for AnalyticTypes {
    fn from_iter<I: IntoIterator<Item = AnalyticType>>(types: I) -> Self {
        Self(types.into_iter().fold(0, |set, t| set | (1 << t as u16)))
    }
}

impl From<Vec<AnalyticType>> for AnalyticTypes {
    fn from(types: Vec<AnalyticType>) -> Self {
        types.into_iter().collect()
    }
}

impl From<AnalyticTypes> for Vec<AnalyticType> {
    fn from(types: AnalyticTypes) -> Self {
        types.iter().collect()
    }
}

/// What a path asks of analytics: recompute these types at this priority (1 is the most urgent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trigger {
    /// 1 high, 2 medium, 3 low.
    pub priority: u8,
    /// What to recompute.
    pub types: AnalyticTypes,
}

/// One kind of a user's analytics, and whether it is to be computed anew: the design's `AnalyticsProcessingStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalyticsStatus {
    /// Whose.
    pub user_id: String,
    /// Which kind.
    pub analytic_type: AnalyticType,
    /// Whether it is to be computed.
    pub computation_needed: bool,
    /// 1 high, 2 medium, 3 low: the most urgent of what was asked since it was last computed.
    pub processing_priority: u8,
    /// The day it was last computed for, as whoever computed it wrote it.
    pub last_computed_date: Option<String>,
    /// When it was last asked for.
    pub marked_at: Timestamp,
}

/// The way a trigger took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Path {
    Direct,
    Event,
}

/// What both paths do for each event type: the design's maps unless the configuration says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerMaps {
    /// By event type, what the direct call asked for.
    pub direct: BTreeMap<String, Trigger>,
    /// By event type, what the analytics consumer asks for.
    pub event: BTreeMap<String, Trigger>,
}

impl TriggerMaps {
    /// What the direct path asks for when the operation that `event` is about has run. After a file it only does when the
    /// file brought transactions, as in the design.
    #[must_use]
    pub fn direct_for(&self, event: &Event) -> Option<Trigger> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Brought {
            transaction_count: u64,
        }
        let brought_nothing = event.event_type == "file.processed"
            && serde_json::from_str::<Brought>(event.data.text()).is_ok_and(|file| file.transaction_count == 0);
        self.direct.get(&event.event_type).copied().filter(|_| !brought_nothing)
    }
}

impl Default for TriggerMaps {
    /// As the design has them, its differences included.
    fn default() -> Self {
        use AnalyticType::{AccountEfficiency, CashFlow, CategoryTrends, FinancialHealth};
        let all = |priority| Trigger {
            priority,
            types: AnalyticTypes::ALL,
        };
        let of = |priority, types: &[AnalyticType]| Trigger {
            priority,
            types: types.iter().copied().collect(),
        };
        let three = [CashFlow, CategoryTrends, FinancialHealth];
        let map = |entries: Vec<(&str, Trigger)>| entries.into_iter().map(|(t, trigger)| (t.to_owned(), trigger)).collect();
        Self {
            direct: map(vec![
                ("file.processed", all(2)),
                ("transactions.created", all(2)),
                ("transaction.updated", all(2)),
                ("transactions.deleted", all(2)),
                ("account.created", all(3)),
                ("account.updated", all(3)),
                ("account.deleted", all(2)),
                (
                    "file.associated",
                    of(1, &[AccountEfficiency, CashFlow, CategoryTrends, FinancialHealth]),
                ),
            ]),
            event: map(vec![
                ("file.processed", of(2, &three)),
                ("transactions.created", of(2, &three)),
                ("transaction.updated", of(3, &[CashFlow])),
                ("transactions.deleted", of(2, &three)),
                // An empty list in the design means all.
                ("account.created", all(3)),
                ("account.updated", all(3)),
                ("account.deleted", of(1, &three)),
            ]),
        }
    }
}

/// What people call the operation behind an event type.
#[must_use]
pub fn operation_name(event_type: &str) -> &str {
    match event_type {
        "file.processed" => "file processed",
        "transactions.created" => "transactions created",
        "transaction.updated" => "transaction edited",
        "transactions.deleted" => "transactions deleted",
        "account.created" => "account created",
        "account.updated" => "account updated",
        "account.deleted" => "account deleted",
        "file.associated" => "account associated with a file",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_round_trip_and_read_well() {
        let set: AnalyticTypes = [AnalyticType::CashFlow, AnalyticType::Recommendations].into_iter().collect();
        assert_eq!(serde_json::to_string(&set).expect("JSON"), r#"["cash_flow","recommendations"]"#);
        assert_eq!(
            serde_json::from_str::<AnalyticTypes>(r#"["recommendations","cash_flow"]"#).expect("JSON"),
            set
        );
        assert_eq!(AnalyticType::ALL.into_iter().collect::<AnalyticTypes>(), AnalyticTypes::ALL);
        assert_eq!(AnalyticTypes::ALL.words(), "all ten types");
    }

    #[test]
    fn the_design_differs_from_itself_where_system_says_so() {
        let maps = TriggerMaps::default();
        let differing: Vec<_> = maps
            .direct
            .iter()
            .filter(|(t, d)| maps.event.get(*t) != Some(d))
            .map(|(t, _)| t.as_str())
            .collect();
        assert_eq!(
            differing,
            [
                "account.deleted",
                "file.associated",
                "file.processed",
                "transaction.updated",
                "transactions.created",
                "transactions.deleted"
            ]
        );
    }
}
