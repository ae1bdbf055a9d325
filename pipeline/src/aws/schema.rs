//! What Cutover's own tables are like: what `cutover aws init` creates, what a look at a deployment compares, and what the templates
//! deploy.

use super::Names;

/// An attribute that is part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// A number, not a string.
    pub is_number: bool,
}

/// A key: what it is partitioned by, and what it is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What items are partitioned by.
    pub partition: Attribute,
    /// What they are sorted by in a partition.
    pub sort: Option<Attribute>,
}

/// A table of Cutover's own. On demand; what is kept can be restored to any second of the last 35 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// What its name ends with, after that of all own tables.
    pub suffix: &'static str,
    /// What is in it.
    pub holds: &'static str,
    /// Its key.
    pub key: Key,
    /// Its global indexes, with all attributes.
    pub indexes: &'static [(&'static str, Key)],
    /// Items are forgotten by their attribute `ttl`.
    pub expires: bool,
    /// It can be made again from nothing, and is not backed up.
    pub disposable: bool,
}

const fn text(name: &'static str) -> Attribute {
    Attribute { name, is_number: false }
}

const fn number(name: &'static str) -> Attribute {
    Attribute { name, is_number: true }
}

const fn by(partition: Attribute) -> Key {
    Key { partition, sort: None }
}

const fn sorted(partition: Attribute, sort: Attribute) -> Key {
    Key {
        partition,
        sort: Some(sort),
    }
}

const fn table(suffix: &'static str, holds: &'static str, key: Key, indexes: &'static [(&'static str, Key)]) -> Schema {
    Schema {
        suffix,
        holds,
        key,
        indexes,
        expires: false,
        disposable: false,
    }
}

/// All of them.
pub const OWN_TABLES: [Schema; 10] = [
    table(
        "letters",
        "the dead letters",
        by(text("id")),
        &[("StatusFailedAtIndex", sorted(text("status"), number("failedAt")))],
    ),
    table(
        "operations",
        "redrives and what else is done to dead letters",
        by(text("id")),
        &[
            ("ListIndex", sorted(text("list"), number("createdAt"))),
            ("BusyIndex", sorted(text("busy"), number("createdAt"))),
        ],
    ),
    table(
        "operation-items",
        "what operations did to each letter",
        sorted(text("operation"), number("n")),
        &[("LetterIndex", sorted(text("letterId"), text("operation")))],
    ),
    table("flags", "the flags and their changes", sorted(text("kind"), text("key")), &[]),
    table("activity", "the record of what people did", sorted(text("log"), number("id")), &[]),
    table(
        "ledger",
        "what became of each event",
        by(text("eventId")),
        &[("OpenPublishedAtIndex", sorted(text("open"), number("publishedMillis")))],
    ),
    table(
        "totals",
        "the ledger's totals, and each consumer's last errors",
        by(text("shard")),
        &[],
    ),
    Schema {
        expires: true,
        ..table(
            "triggers",
            "what both paths asked of analytics",
            sorted(text("operationId"), text("path")),
            &[("EventTypeAtIndex", sorted(text("eventType"), number("at")))],
        )
    },
    table("notifications", "the notifications that were sent", by(text("eventId")), &[]),
    Schema {
        disposable: true,
        ..table(
            "facets",
            "the types and sources that were seen",
            sorted(text("kind"), text("value")),
            &[],
        )
    },
];

impl Schema {
    /// The table's name in a deployment.
    #[must_use]
    pub fn name(&self, names: &Names) -> String {
        format!("{}-{}", names.own_tables, self.suffix)
    }
}
