//! What is wrong with the tables.

use std::collections::BTreeMap;

use super::facts::Table;
use crate::aws::Names;
use crate::aws::schema::{Key, OWN_TABLES, Schema};
use crate::finding::Finding;
use crate::finding::Severity::{Error, Note, Warning};

/// What the event store's pages are read by: the partition of an index, what is lost without it.
const INDEXES: [(&str, &str); 3] = [
    ("eventType", "Events can't be listed at all, newest first."),
    ("userId", "Events can't be found by user."),
    ("source", "Events can't be found by source."),
];

/// By name; `None` for a table that isn't there.
type Tables = BTreeMap<String, Result<Option<Table>, Vec<Finding>>>;

/// What is wrong with them. `place` is the region that was looked in.
pub(super) fn judge(tables: &Tables, names: &Names, place: &str) -> Vec<Finding> {
    let store = &names.event_store_table;
    let mut found: Vec<Finding> = tables
        .values()
        .filter_map(|table| table.as_ref().err())
        .flatten()
        .cloned()
        .collect();
    match tables.get(store) {
        Some(Ok(None)) => found.push(Finding::new(
            Error,
            "table.missing",
            store,
            "There is no event store: no event can be shown.",
            format!("DescribeTable: there is no table {store} in {place}."),
            "See aws.region, aws.prefix and aws.event_store_table in the configuration; or deploy deploy/cutover.yaml.",
        )),
        Some(Ok(Some(table))) => found.extend(event_store(store, table)),
        Some(Err(_)) | None => {}
    }
    for schema in &OWN_TABLES {
        let name = schema.name(names);
        match tables.get(&name) {
            Some(Ok(None)) => found.push(Finding::new(
                Warning,
                "table.missing",
                &name,
                format!("Cutover's own table for {} is not there.", schema.holds),
                format!("DescribeTable: there is no table {name} in {place}."),
                "cutover aws init creates it, and so does deploy/cutover.yaml with Pipeline=no.",
            )),
            Some(Ok(Some(table))) => found.extend(own(&name, schema, table)),
            Some(Err(_)) | None => {}
        }
    }
    found
}

fn event_store(name: &str, table: &Table) -> Vec<Finding> {
    let mut found = Vec::new();
    if table.key != ("eventId".to_owned(), Some("timestamp".to_owned())) {
        found.push(Finding::new(
            Error,
            "table.key",
            name,
            "The event store has another key than eventId and timestamp.",
            format!("It is {}.", words(&table.key)),
            "Name the right table in aws.event_store_table.",
        ));
    }
    let by_time = |attribute: &str| {
        let over = |key: &(String, Option<String>)| key.0 == attribute && key.1.as_deref() == Some("timestamp");
        table.indexes.iter().find(|index| over(&index.key))
    };
    for (attribute, without) in INDEXES {
        let subject = format!("{name}, {attribute}");
        let finding = match by_time(attribute) {
            None => (
                "index.missing",
                without.to_owned(),
                format!("No global index of the table is over {attribute} and timestamp: dynamodb:Query has none to ask."),
                format!("Add one, over {attribute} and timestamp (N), with all attributes."),
            ),
            Some(index) if !index.whole => (
                "index.partial",
                format!("{without} The index there is leaves attributes out."),
                format!("{} doesn't project all attributes.", index.name),
                "Make it anew with all attributes.".to_owned(),
            ),
            Some(index) if !index.ready => (
                "index.not_ready",
                without.to_owned(),
                format!("{} is being made or removed.", index.name),
                "Wait until it is active; it is used a minute later.".to_owned(),
            ),
            Some(_) => continue,
        };
        let (kind, what, evidence, remedy) = finding;
        found.push(Finding::new(Error, kind, subject, what, evidence, remedy));
    }
    if by_time("correlationId").is_none() {
        found.push(Finding::new(
            Note,
            "index.missing",
            format!("{name}, correlationId"),
            "Events of a correlation are found by looking through the types, which takes longer.",
            "No global index of the table is over correlationId and timestamp.",
            "Add one, called CorrelationIdTimestampIndex, with all attributes.",
        ));
    }
    found
}

fn own(name: &str, schema: &Schema, table: &Table) -> Vec<Finding> {
    let key = |key: &Key| (key.partition.name.to_owned(), key.sort.map(|sort| sort.name.to_owned()));
    let mut found = Vec::new();
    if table.key != key(&schema.key) {
        found.push(Finding::new(
            Error,
            "table.key",
            name,
            format!("The table for {} has another key than Cutover's.", schema.holds),
            format!("It is {}, and should be {}.", words(&table.key), words(&key(&schema.key))),
            "Set aws.own_tables to a beginning that is Cutover's alone, and run cutover aws init.",
        ));
    }
    for (index, over) in schema.indexes {
        let there = table.indexes.iter().find(|there| there.name == *index);
        if there.is_none_or(|there| there.key != key(over) || !there.whole || !there.ready) {
            found.push(Finding::new(
                Error,
                "index.missing",
                format!("{name}, {index}"),
                format!("The table for {} lacks an index that pages are read by.", schema.holds),
                there.map_or_else(
                    || format!("There is no index {index}: dynamodb:Query has none to ask."),
                    |there| format!("{index} is over {}, or not all in it, or not ready.", words(&there.key)),
                ),
                format!("Add {index} over {}, with all attributes.", words(&key(over))),
            ));
        }
    }
    found
}

fn words((partition, sort): &(String, Option<String>)) -> String {
    sort.as_ref()
        .map_or_else(|| partition.clone(), |sort| format!("{partition} and {sort}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::examine::facts::Index;

    fn index(attribute: &str) -> Index {
        Index {
            name: format!("{attribute}-index"),
            key: (attribute.to_owned(), Some("timestamp".to_owned())),
            whole: true,
            ready: true,
        }
    }

    fn store(indexes: Vec<Index>) -> Table {
        Table {
            key: ("eventId".to_owned(), Some("timestamp".to_owned())),
            indexes,
        }
    }

    fn kinds(found: &[Finding]) -> Vec<(String, String)> {
        found.iter().map(|f| (f.kind.clone(), f.subject.clone())).collect()
    }

    #[test]
    fn an_event_store_needs_its_indexes_whole_and_ready() {
        let all = || ["eventType", "userId", "source", "correlationId"].map(index).to_vec();
        assert_eq!(event_store("t", &store(all())), []);
        let mut some = all();
        some[0].whole = false;
        some[1].ready = false;
        some.remove(2);
        let found = kinds(&event_store("t", &store(some)));
        let wanted = [
            ("index.partial", "t, eventType"),
            ("index.not_ready", "t, userId"),
            ("index.missing", "t, source"),
        ];
        assert_eq!(found, wanted.map(|(kind, subject)| (kind.to_owned(), subject.to_owned())));
    }

    #[test]
    fn what_is_missing_is_found_and_what_is_there_is_not() {
        let names = Names::of("p");
        let mut tables: Tables = names.tables().into_iter().map(|name| (name, Ok(None))).collect();
        assert_eq!(judge(&tables, &names, "here").len(), 11);
        for schema in &OWN_TABLES {
            let key = |key: &Key| (key.partition.name.to_owned(), key.sort.map(|sort| sort.name.to_owned()));
            let indexes = schema.indexes.iter().map(|(name, over)| Index {
                name: (*name).to_owned(),
                key: key(over),
                whole: true,
                ready: true,
            });
            let table = Table {
                key: key(&schema.key),
                indexes: indexes.collect(),
            };
            tables.insert(schema.name(&names), Ok(Some(table)));
        }
        assert_eq!(
            kinds(&judge(&tables, &names, "here")),
            [("table.missing".to_owned(), "p-event-store".to_owned())]
        );
    }
}
