//! Letters as items of their table.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Kept, STORE};
use crate::aws::attribute::Item;
use crate::aws::record::{Record, number, text};
use crate::letter::{Letter, LetterStatus};
use crate::ports::StoreError;
use crate::time::Timestamp;

pub(super) fn item(kept: &Kept) -> Item {
    let letter = &kept.letter;
    let fields = [
        ("id", Some(text(&letter.id))),
        ("status", Some(text(letter.status.name()))),
        ("statusAt", Some(number(letter.status_at.0))),
        ("failedAt", Some(number(letter.failed_at.0))),
        ("firstFailedAt", Some(number(letter.first_failed_at.0))),
        ("publishedAt", Some(number(letter.published_at.0))),
        ("consumer", Some(text(&letter.consumer))),
        ("eventId", letter.event_id.as_ref().map(text)),
        ("eventType", letter.event_type.as_ref().map(text)),
        ("userId", letter.user_id.as_ref().map(text)),
        ("errorCode", Some(text(&letter.error_code))),
        ("errorMessage", Some(text(&letter.error_message))),
        ("permanent", Some(AttributeValue::Bool(letter.permanent))),
        ("attempts", Some(number(letter.attempts))),
        ("failedRedrives", Some(number(letter.failed_redrives))),
        ("body", Some(text(&kept.body))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// The attributes that a letter is, but for its body.
pub(super) const FIELDS: [&str; 15] = [
    "id",
    "status",
    "statusAt",
    "failedAt",
    "firstFailedAt",
    "publishedAt",
    "consumer",
    "eventId",
    "eventType",
    "userId",
    "errorCode",
    "errorMessage",
    "permanent",
    "attempts",
    "failedRedrives",
];

pub(super) fn kept(item: &Item) -> Result<Kept, StoreError> {
    Ok(Kept {
        letter: letter(item)?,
        body: Record { what: STORE, item }.text("body")?,
    })
}

pub(super) fn letter(item: &Item) -> Result<Letter, StoreError> {
    let record = Record { what: STORE, item };
    let status = record.text("status")?;
    Ok(Letter {
        id: record.text("id")?,
        consumer: record.text("consumer")?,
        event_id: record.optional_text("eventId"),
        event_type: record.optional_text("eventType"),
        user_id: record.optional_text("userId"),
        error_code: record.text("errorCode")?,
        error_message: record.text("errorMessage")?,
        permanent: record.truth("permanent")?,
        attempts: record.number("attempts")?,
        failed_redrives: record.number("failedRedrives")?,
        published_at: Timestamp(record.number("publishedAt")?),
        first_failed_at: Timestamp(record.number("firstFailedAt")?),
        failed_at: Timestamp(record.number("failedAt")?),
        status: LetterStatus::from_name(&status).ok_or_else(|| StoreError::Corrupt {
            what: STORE,
            reason: format!("a letter's status {status}"),
        })?,
        status_at: Timestamp(record.number("statusAt")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read without bodies is all of it but the body.
    #[test]
    fn the_fields_are_those_that_are_written() {
        let letter = Letter {
            event_id: Some("e".into()),
            event_type: Some("t".into()),
            user_id: Some("u".into()),
            ..Letter::open("id".to_owned(), "audit", Timestamp(1))
        };
        let mut item = item(&Kept {
            letter: letter.clone(),
            body: "{}".to_owned(),
        });
        let mut names: Vec<&str> = item.keys().map(String::as_str).filter(|name| *name != "body").collect();
        let mut fields = FIELDS.to_vec();
        names.sort_unstable();
        fields.sort_unstable();
        assert_eq!(names, fields);
        item.remove("body");
        assert_eq!(super::letter(&item), Ok(letter));
    }
}
