//! What the dashboard may not read. Each way in which a page reads a table is tried, for what nobody has, or for one item; CloudWatch is
//! asked for what it refuses, and so costs nothing.

use std::collections::HashMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::future::{BoxFuture, FutureExt, join_all};

use super::Clients;
use super::asking::{Call, NOBODYS, denial, nobodys};
use super::facts::{Facts, Index};
use crate::aws::Names;
use crate::aws::record::text;
use crate::aws::schema::{OWN_TABLES, Schema};
use crate::finding::Finding;

/// How a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Get,
    Batch,
    Query,
    /// A query of an index.
    By(&'static str),
}

/// How pages read Cutover's own tables, and what doesn't work without that.
const READ: [(&str, Read, &str); 17] = [
    ("letters", Read::Get, "a dead letter can't be shown"),
    ("letters", Read::Batch, "what is selected can't be redriven"),
    ("letters", Read::By("StatusFailedAtIndex"), "dead letters can't be listed"),
    ("operations", Read::Get, "an operation can't be shown"),
    ("operations", Read::By("ListIndex"), "operations can't be listed"),
    ("operations", Read::By("BusyIndex"), "redrives don't go on"),
    (
        "operation-items",
        Read::Query,
        "it can't be shown what became of an operation's letters",
    ),
    (
        "operation-items",
        Read::By("LetterIndex"),
        "it can't be shown what was tried with a letter",
    ),
    ("flags", Read::Get, "flags can't be changed"),
    ("flags", Read::Query, "flags can't be shown"),
    ("activity", Read::Query, "it can't be shown what people did"),
    ("ledger", Read::Get, "it can't be shown what became of an event"),
    ("ledger", Read::Batch, "redrives can't be verified"),
    ("ledger", Read::By("OpenPublishedAtIndex"), "what is in flight can't be listed"),
    ("totals", Read::Batch, "it isn't known whether an event was lost"),
    ("triggers", Read::By("EventTypeAtIndex"), "the two paths can't be compared"),
    ("facets", Read::Query, "types and sources that no rule names are not known"),
];
/// What an index of the event store is partitioned by, and what doesn't work without it.
const STORE_INDEXES: [(&str, &str); 4] = [
    ("eventType", "events can't be listed"),
    ("userId", "events can't be found by user"),
    ("source", "events can't be found by source"),
    ("correlationId", "events can't be found by correlation"),
];

/// The findings of calls that are denied. What isn't there is another finding's.
pub(super) async fn look(clients: &Clients, names: &Names, facts: &Facts) -> Vec<Finding> {
    let own = READ.iter().filter_map(|(suffix, read, breaks)| {
        let schema = OWN_TABLES.iter().find(|schema| schema.suffix == *suffix)?;
        Some(table(clients, schema, schema.name(names), *read, breaks).boxed())
    });
    let mut all: Vec<BoxFuture<'_, Option<Finding>>> = own.collect();
    let store = &names.event_store_table;
    all.push(query(clients, store, None, "eventId", "an event can't be shown").boxed());
    let known = facts.tables.get(store).and_then(|table| table.as_ref().ok()?.as_ref());
    for (attribute, breaks) in STORE_INDEXES {
        let over = |index: &&Index| index.ready && index.key.0 == attribute && index.key.1.as_deref() == Some("timestamp");
        let index = known.and_then(|table| table.indexes.iter().find(over));
        all.extend(index.map(|index| query(clients, store, Some(&index.name), attribute, breaks).boxed()));
        let of_types = index.filter(|_| attribute == "eventType");
        all.extend(of_types.map(|index| scan(clients, store, &index.name).boxed()));
    }
    all.extend([metrics(clients).boxed(), values(clients).boxed()]);
    join_all(all).await.into_iter().flatten().collect()
}

async fn table(clients: &Clients, schema: &Schema, name: String, read: Read, breaks: &str) -> Option<Finding> {
    let call = |action| Call { action, of: &name, breaks };
    let client = &clients.dynamodb;
    match read {
        Read::Get => {
            let get = client.get_item().table_name(&name).set_key(Some(nobodys(&schema.key)));
            denial(call("dynamodb:GetItem"), get.send().await)
        }
        Read::Batch => {
            let keys = KeysAndAttributes::builder().keys(nobodys(&schema.key)).build().ok()?;
            let batch = client
                .batch_get_item()
                .set_request_items(Some(HashMap::from([(name.clone(), keys)])));
            denial(call("dynamodb:BatchGetItem"), batch.send().await)
        }
        Read::Query => query(clients, &name, None, schema.key.partition.name, breaks).await,
        Read::By(index) => {
            let (_, key) = schema.indexes.iter().find(|(name, _)| *name == index)?;
            query(clients, &name, Some(index), key.partition.name, breaks).await
        }
    }
}

/// Everything is partitioned by a string.
async fn query(clients: &Clients, table: &str, index: Option<&str>, partition: &str, breaks: &str) -> Option<Finding> {
    let of = index.map_or_else(|| table.to_owned(), |index| format!("{table}/index/{index}"));
    let tried = clients
        .dynamodb
        .query()
        .table_name(table)
        .set_index_name(index.map(str::to_owned))
        .key_condition_expression("#partition = :nobodys")
        .expression_attribute_names("#partition", partition)
        .expression_attribute_values(":nobodys", text(NOBODYS))
        .limit(1);
    let call = Call {
        action: "dynamodb:Query",
        of: &of,
        breaks,
    };
    denial(call, tried.send().await)
}

/// The types that an index has are found by one item of each.
async fn scan(clients: &Clients, table: &str, index: &str) -> Option<Finding> {
    let call = Call {
        action: "dynamodb:Scan",
        of: &format!("{table}/index/{index}"),
        breaks: "events of types that no rule names, and that nobody noted, are not listed",
    };
    let tried = clients.dynamodb.scan().table_name(table).index_name(index).limit(1);
    denial(call, tried.send().await)
}

/// The page after one that never was.
async fn metrics(clients: &Clients) -> Option<Finding> {
    let call = Call {
        action: "cloudwatch:ListMetrics",
        of: "CloudWatch",
        breaks: "no measurements are found",
    };
    denial(call, clients.cloudwatch.list_metrics().next_token(NOBODYS).send().await)
}

/// Of no metric, and of a time that ends before it begins.
async fn values(clients: &Clients) -> Option<Finding> {
    let call = Call {
        action: "cloudwatch:GetMetricData",
        of: "CloudWatch",
        breaks: "there are no charts, and what rests on measurements is unknown",
    };
    let tried = clients
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(Vec::new()))
        .start_time(DateTime::from_secs(1))
        .end_time(DateTime::from_secs(0));
    denial(call, tried.send().await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_is_there_and_partitioned_by_a_string() {
        for (suffix, read, _) in READ {
            let schema = OWN_TABLES.iter().find(|schema| schema.suffix == suffix).expect(suffix);
            let partition = match read {
                Read::By(index) => schema.indexes.iter().find(|(name, _)| *name == index).expect(index).1.partition,
                _ => schema.key.partition,
            };
            assert!(!partition.is_number, "{suffix} {read:?}");
        }
    }
}
