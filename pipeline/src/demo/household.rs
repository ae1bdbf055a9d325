//! The demo's households: users, their accounts, and their category rules.

use uuid::Uuid;

use crate::ports::CategoryRule;

/// One user and what is theirs.
pub(super) struct Household {
    pub(super) user_id: String,
    pub(super) accounts: Vec<String>,
}

/// What shops are called on statements, with the category a rule would give.
pub(super) const SHOPS: [(&str, &str); 10] = [
    ("TESCO STORES 2041", "groceries"),
    ("SAINSBURYS S/MKT", "groceries"),
    ("TFL TRAVEL CH", "transport"),
    ("SHELL 7731", "transport"),
    ("NETFLIX.COM", "entertainment"),
    ("OCTOPUS ENERGY", "utilities"),
    ("THAMES WATER", "utilities"),
    ("PRET A MANGER", "eating out"),
    ("AMAZON MKTPLACE", "shopping"),
    ("SALARY ACME LTD", "income"),
];

const RULES: [(&str, &str); 4] = [
    ("(?i)tesco|sainsbury", "groceries"),
    ("(?i)tfl|shell", "transport"),
    ("(?i)netflix|spotify", "entertainment"),
    ("(?i)energy|water", "utilities"),
];

impl Household {
    /// Household `n` of the demo: the same one in every run.
    pub(super) fn new(n: u64) -> Self {
        let id = |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("cutover-demo/{n}/{what}").as_bytes()).to_string();
        Self {
            user_id: id("user"),
            accounts: (0..3).map(|i| id(&format!("account-{i}"))).collect(),
        }
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = CategoryRule> {
        RULES.into_iter().zip(1..).map(|((pattern, category), priority)| CategoryRule {
            rule_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/rule/{priority}", self.user_id).as_bytes()).to_string(),
            user_id: self.user_id.clone(),
            category_id: category.to_owned(),
            pattern: pattern.to_owned(),
            priority,
        })
    }
}
