//! A publisher that keeps sending and remembers what it was promised.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::endpoint::{Endpoint, Reply};
use crate::event;

/// Events in one call.
const BATCH: usize = 20;

/// What was sent, and what became of it as far as the publisher knows.
#[derive(Debug, Default)]
pub struct Record {
    /// Events that the server said are on disk.
    pub acknowledged: Vec<Value>,
    /// A batch whose answer never came: it may be on disk or not. It is sent again before anything else.
    pub unanswered: Option<Vec<Value>>,
    /// Events that the server said it had before: they had arrived, and the answer had not.
    pub duplicates: usize,
}

/// A publisher at work.
#[derive(Debug)]
pub struct Flow {
    record: Arc<Mutex<Record>>,
    task: JoinHandle<()>,
}

impl Flow {
    /// Sends to `ingest` until it answers no more, going on from an earlier `record`.
    #[must_use]
    pub fn start(ingest: Endpoint, record: Record) -> Self {
        let record = Arc::new(Mutex::new(record));
        let task = tokio::spawn(send(ingest, Arc::clone(&record)));
        Self { record, task }
    }

    /// How many events were acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).acknowledged.len()
    }

    /// Waits until the server has gone and the publisher has noticed.
    ///
    /// # Panics
    /// The publisher met an answer that is neither success nor silence.
    pub async fn end(self) -> Record {
        self.task.await.expect("the publisher met nothing but success and silence");
        std::mem::take(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends what has no answer yet, once, to a server that is up.
    ///
    /// # Panics
    /// It isn't acknowledged.
    pub async fn finish(ingest: &Endpoint, mut record: Record) -> Record {
        if let Some(batch) = record.unanswered.take() {
            let reply = ingest.post("/api/v1/events", &Value::Array(batch.clone())).await;
            note(&mut record, batch, &reply.expect(200));
        }
        record
    }
}

async fn send(ingest: Endpoint, record: Arc<Mutex<Record>>) {
    let record = || record.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let batch = record().unanswered.take().unwrap_or_else(|| (0..BATCH).map(mixed).collect());
        match Reply::try_of(ingest.request(Method::POST, "/api/v1/events").json(&batch)).await {
            Ok(reply) => note(&mut record(), batch, &reply.expect(200)),
            Err(_) => {
                record().unanswered = Some(batch);
                return;
            }
        }
    }
}

fn note(record: &mut Record, batch: Vec<Value>, reply: &Reply) {
    let answer = reply.json();
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items: {answer}"));
    assert_eq!(items.len(), batch.len(), "an answer for each: {answer}");
    for (event, item) in batch.into_iter().zip(items) {
        assert_eq!(item["eventId"], event["eventId"], "{item}");
        match item["status"].as_str() {
            Some("accepted") => {}
            Some("duplicate") => record.duplicates += 1,
            _ => panic!("neither accepted nor a duplicate: {item}"),
        }
        record.acknowledged.push(event);
    }
}

/// Events for every consumer, in turn.
fn mixed(n: usize) -> Value {
    match n % 4 {
        0 => event::updated(),
        1 => event::account_deleted(),
        2 => event::of(
            "file.processed",
            "transaction.service",
            &json!({ "fileId": "f-1", "transactionCount": 1, "transactionIds": ["t-1"], "processingStatus": "success" }),
        ),
        _ => event::of("loan.requested", "loan.service", &json!({ "amount": 12.50 })),
    }
}
