//! What the households do, and how often.

use rand::Rng;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::household::{Household, SHOPS};
use crate::event::{Event, Json, new_event_id};
use crate::ports::Transaction;
use crate::time::{DAY, HOUR, Timestamp};

/// One operation of the application: the event it is about, and the transactions it makes.
pub(super) struct Operation {
    pub(super) event: Event,
    pub(super) transactions: Vec<Transaction>,
}

/// How busy an hour is, around 1: little at night, most in the evening. `at` in UTC.
pub(super) fn rhythm(at: Timestamp) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let hour = at.0.rem_euclid(DAY) as f64 / HOUR as f64;
    let wave = |peak: f64, width: f64| {
        let distance = (hour - peak).abs().min(24.0 - (hour - peak).abs());
        (-(distance / width).powi(2)).exp()
    };
    0.35 + 0.7 * wave(9.0, 3.5) + 0.9 * wave(19.0, 3.0)
}

/// Seconds until the next operation, at `per_minute`: operations are independent of each other.
pub(super) fn gap(rng: &mut SmallRng, per_minute: f64) -> f64 {
    let uniform: f64 = rng.random::<f64>().max(1e-9);
    (-uniform.ln() * 60.0 / per_minute.max(0.01)).min(30.0)
}

/// The next operation at `at`; with `poison`, now and then one that no consumer can use.
pub(super) fn next(rng: &mut SmallRng, households: &[Household], at: Timestamp, poison: bool) -> Operation {
    let Some(household) = households.choose(rng) else {
        unreachable!("the demo always has households")
    };
    let account = household.accounts.choose(rng).cloned().unwrap_or_default();
    if poison && rng.random_bool(0.02) {
        let data = json!({ "fileId": id(rng), "accountId": account, "transactionCount": 3, "processingStatus": "success" });
        return Operation {
            event: event(rng, household, at, "transaction.service", "file.processed", &data),
            transactions: Vec::new(),
        };
    }
    // Weights as in traffic seen on a real deployment.
    match rng.random_range(0..100) {
        0..30 => edited(rng, household, at, &account),
        30..52 => processed(rng, household, at, &account),
        52..60 => {
            let data = json!({ "fileId": id(rng), "fileName": format!("statement-{}.ofx", rng.random_range(1..99)), "fileSize": rng.random_range(8_000..900_000), "s3Key": format!("{}/{}", household.user_id, id(rng)), "accountId": account, "fileFormat": "ofx" });
            plain(rng, household, at, "file.service", "file.uploaded", &data)
        }
        60..66 => {
            let ids: Vec<String> = (0..rng.random_range(1..6)).map(|_| id(rng)).collect();
            let kind = *["single", "bulk", "file_reprocessing"].choose(rng).unwrap_or(&"single");
            plain(
                rng,
                household,
                at,
                "transaction.service",
                "transactions.deleted",
                &json!({ "transactionIds": ids, "accountIds": [account], "deletionType": kind }),
            )
        }
        66..70 => {
            let data = json!({ "fileId": id(rng), "accountId": account, "previousAccountId": null });
            plain(rng, household, at, "transaction.service", "file.associated", &data)
        }
        70..82 => {
            let data =
                json!({ "accountId": account, "changes": [{ "field": "name", "oldValue": "Current account", "newValue": "Everyday" }] });
            plain(rng, household, at, "account.service", "account.updated", &data)
        }
        82..85 => {
            let data = json!({ "accountId": id(rng), "accountName": "Savings", "accountType": "savings", "currency": "GBP" });
            plain(rng, household, at, "account.service", "account.created", &data)
        }
        85..87 => {
            let data = json!({ "accountId": id(rng), "transactionCount": rng.random_range(0..400) });
            plain(rng, household, at, "account.service", "account.deleted", &data)
        }
        87..92 => {
            let data =
                json!({ "categoryId": "groceries", "ruleIds": [id(rng)], "transactionIds": [id(rng), id(rng)], "applicationType": "bulk" });
            plain(rng, household, at, "category.service", "category.rules_applied", &data)
        }
        92..94 => {
            let data =
                json!({ "categoryId": "eating out", "ruleId": id(rng), "rulePattern": "(?i)pret", "autoApply": rng.random_bool(0.5) });
            plain(rng, household, at, "category.service", "category.rule_created", &data)
        }
        _ => edited(rng, household, at, &account),
    }
}

fn edited(rng: &mut SmallRng, household: &Household, at: Timestamp, account: &str) -> Operation {
    let (shop, _) = SHOPS[rng.random_range(0..SHOPS.len())];
    let data = json!({ "transactionId": id(rng), "accountId": account, "changes": [{ "field": "description", "oldValue": shop, "newValue": "Groceries" }] });
    plain(rng, household, at, "transaction.service", "transaction.updated", &data)
}

fn processed(rng: &mut SmallRng, household: &Household, at: Timestamp, account: &str) -> Operation {
    if rng.random_bool(0.04) {
        let data = json!({ "fileId": id(rng), "accountId": account, "transactionCount": 0, "duplicateCount": 0, "transactionIds": [], "processingStatus": "failed", "errorMessage": "line 12: not a date" });
        return plain(rng, household, at, "transaction.service", "file.processed", &data);
    }
    let transactions: Vec<Transaction> = (0..rng.random_range(1..5))
        .map(|_| Transaction {
            transaction_id: id(rng),
            user_id: household.user_id.clone(),
            account_id: account.to_owned(),
            description: SHOPS[rng.random_range(0..SHOPS.len())].0.to_owned(),
            category_id: None,
        })
        .collect();
    let ids: Vec<&str> = transactions.iter().map(|t| t.transaction_id.as_str()).collect();
    let data = json!({
        "fileId": id(rng), "accountId": account, "transactionCount": ids.len(), "duplicateCount": rng.random_range(0..3), "processingStatus": "success",
        "errorMessage": null, "dateRange": { "startDate": "2026-08-01", "endDate": "2026-08-31" }, "transactionIds": ids,
    });
    Operation {
        event: event(rng, household, at, "transaction.service", "file.processed", &data),
        transactions,
    }
}

fn plain(rng: &mut SmallRng, household: &Household, at: Timestamp, source: &str, event_type: &str, data: &Value) -> Operation {
    Operation {
        event: event(rng, household, at, source, event_type, data),
        transactions: Vec::new(),
    }
}

fn event(rng: &mut SmallRng, household: &Household, at: Timestamp, source: &str, event_type: &str, data: &Value) -> Event {
    Event {
        event_id: new_event_id(),
        event_type: event_type.to_owned(),
        event_version: "1.0".to_owned(),
        timestamp: at.0,
        source: source.to_owned(),
        user_id: household.user_id.clone(),
        correlation_id: Some(id(rng)),
        causation_id: None,
        data: Json::of(data).unwrap_or_else(|e| unreachable!("a JSON value has a JSON form: {e}")),
        metadata: Json::from_text(r#"{"demo":true}"#).ok(),
        extra: Vec::new(),
    }
}

fn id(rng: &mut SmallRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn every_operation_is_a_valid_event() {
        let mut rng = SmallRng::seed_from_u64(7);
        let households: Vec<Household> = (0..3).map(Household::new).collect();
        for _ in 0..2_000 {
            let operation = next(&mut rng, &households, Timestamp(1_790_000_000_000), false);
            assert_eq!(operation.event.validate(1_790_000_000_000), Ok(()));
            operation.event.payload().expect("a payload that fits its type");
        }
    }

    #[test]
    fn evenings_are_busier_than_nights() {
        let at = |hour: i64| rhythm(Timestamp(hour * HOUR));
        assert!(at(19) > 2.0 * at(3) && at(9) > 2.0 * at(3));
        let mean = (0..24).map(at).sum::<f64>() / 24.0;
        assert!((0.7..1.3).contains(&mean), "{mean}");
    }
}
