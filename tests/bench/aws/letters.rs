//! Dead letters: how fast they are taken over, and how exactly a redrive keeps to its rate.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use tests::between::{Between, Fate};
use tests::deployment::{Account, PREFIX, REGION};
use tests::server::Setup;
use tests::wait::within;

use crate::report::Report;

/// Letters of the takeover.
const LETTERS: usize = 3_000;
/// The rates of redrives, and how many letters each has.
const RATES: [(&str, u32, usize); 3] = [
    ("aws_redrive_pace", 20, 300),
    ("aws_redrive_pace_50", 50, 500),
    ("aws_redrive_pace_200", 200, 1_500),
];
const PATIENCE: Duration = Duration::from_secs(120);

/// As EventBridge delivers it, with an id of its own; nothing that a consumer would fail for.
fn message(n: usize) -> String {
    let detail = json!({ "eventId": format!("bench-{n}"), "eventVersion": "1.0", "timestamp": 1_790_000_000_000_i64 + i64::try_from(n).unwrap_or(0),
        "userId": "u-1", "data": { "transactionId": "t", "accountId": "a", "changes": [] } });
    let body = json!({ "version": "0", "id": format!("bench-{n}"), "detail-type": "transaction.updated", "source": "transaction.service",
        "time": "2026-09-21T14:13:22Z", "detail": detail });
    json!({ "body": body.to_string() }).to_string()
}

fn messages(count: usize) -> String {
    (0..count).map(message).collect::<Vec<_>>().join("\n")
}

/// Letters a second out of a queue into the table, and what the emulator could do of the calls that this takes.
pub(crate) async fn takeover(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let account = Account::deployed().await;
    account.send_all("event-dlq", &messages(LETTERS)).await;
    let bare = Bare::of(&account)?;
    let limit = bare.letters().await?;
    let server = Setup::new().over(&account).start().await;
    let began = Instant::now();
    within(PATIENCE, "the queue is empty", async || match bare.waiting().await {
        Ok(0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    #[allow(clippy::cast_precision_loss)] // thousands
    let rate = LETTERS as f64 / began.elapsed().as_secs_f64();
    let depth = server.metric("cutover_dead_letters_open").await;
    #[allow(clippy::float_cmp, clippy::cast_precision_loss)] // counts
    if depth != LETTERS as f64 {
        return Err(format!("{depth} letters of {LETTERS}").into());
    }
    report.add("aws_takeover", rate, "letters/s", "500, or the emulator's limit");
    report.add("aws_takeover_emulator", limit, "letters/s", "that limit, as measured");
    Ok(())
}

/// The emulator, called without anything that costs time.
struct Bare {
    client: reqwest::Client,
    endpoint: String,
}

impl Bare {
    fn of(account: &Account) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().build()?,
            endpoint: account.endpoint().to_owned(),
        })
    }

    async fn call(&self, service: &str, target: &str, body: &Value) -> Result<Value, reqwest::Error> {
        let scope = format!("Credential=test/20260101/{REGION}/{service}/aws4_request");
        let request = self
            .client
            .post(&self.endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
            );
        let answer = request.body(body.to_string()).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }

    /// How many letters a second it takes, of the one call that each needs for itself: it writes the letter.
    async fn letters(&self) -> Result<f64, reqwest::Error> {
        const WRITTEN: usize = 1_000;
        let began = Instant::now();
        let written = stream::iter(0..WRITTEN).map(async |n| {
            let letter = json!({ "TableName": format!("{PREFIX}-cutover-notifications"), "ConditionExpression": "attribute_not_exists(eventId)",
                "Item": { "eventId": { "S": format!("w-{n}") }, "body": { "S": message(n) } } });
            self.call("dynamodb", "DynamoDB_20120810.PutItem", &letter).await.map(drop)
        });
        let written: Vec<Result<(), reqwest::Error>> = written.buffer_unordered(16).collect().await;
        written.into_iter().collect::<Result<Vec<()>, _>>()?;
        #[allow(clippy::cast_precision_loss)] // thousands
        Ok(WRITTEN as f64 / began.elapsed().as_secs_f64())
    }

    /// How many letters a second it could redrive, of the four calls that each needs: the letter and its event's account are read, two items
    /// are written, a message is sent.
    async fn redriven(&self) -> Result<f64, reqwest::Error> {
        const SENT: usize = 1_000;
        // One that nobody reads.
        let queue = json!({ "QueueName": format!("{PREFIX}-event-dlq") });
        let queue = &self.call("sqs", "AmazonSQS.GetQueueUrl", &queue).await?["QueueUrl"];
        let table = |name: &str| format!("{PREFIX}-cutover-{name}");
        let began = Instant::now();
        let sent = stream::iter(0..SENT).map(async |n| {
            let read = |name: &str, key: &str| json!({ "TableName": table(name), "Key": { key: { "S": format!("r-{n}") } }, "ConsistentRead": true });
            self.call("dynamodb", "DynamoDB_20120810.GetItem", &read("letters", "id")).await?;
            self.call("dynamodb", "DynamoDB_20120810.GetItem", &read("ledger", "eventId")).await?;
            let write = |name: &str, key: Value| {
                json!({ "Update": { "TableName": table(name), "Key": key, "UpdateExpression": "SET #s = :s",
                    "ExpressionAttributeNames": { "#s": "status" }, "ExpressionAttributeValues": { ":s": { "S": "redriving" } } } })
            };
            let letter = write("letters", json!({ "id": { "S": format!("r-{n}") } }));
            let item = write("operation-items", json!({ "operation": { "S": "bench" }, "n": { "N": n.to_string() } }));
            let both = json!({ "TransactItems": [letter, item] });
            self.call("dynamodb", "DynamoDB_20120810.TransactWriteItems", &both).await?;
            let message = json!({ "QueueUrl": queue, "MessageBody": message(n) });
            self.call("sqs", "AmazonSQS.SendMessage", &message).await.map(drop)
        });
        let sent: Vec<Result<(), reqwest::Error>> = sent.buffer_unordered(16).collect().await;
        sent.into_iter().collect::<Result<Vec<()>, _>>()?;
        #[allow(clippy::cast_precision_loss)] // thousands
        Ok(SENT as f64 / began.elapsed().as_secs_f64())
    }

    /// How many messages are in the queue, received or not.
    async fn waiting(&self) -> Result<u64, reqwest::Error> {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let url = self
            .call(
                "sqs",
                "AmazonSQS.GetQueueUrl",
                &json!({ "QueueName": format!("{PREFIX}-event-dlq") }),
            )
            .await?;
        let wanted = json!({ "QueueUrl": url["QueueUrl"], "AttributeNames": names });
        let answer = self.call("sqs", "AmazonSQS.GetQueueAttributes", &wanted).await?;
        let count = |name: &str| answer["Attributes"][name].as_str().and_then(|n| n.parse::<u64>().ok());
        // An answer without them is no empty queue.
        Ok(names.iter().map(|name| count(name).unwrap_or(u64::MAX / 2)).sum())
    }
}

/// How far redrives are from the rates that they were asked for, by when their messages were sent. The consumer stands: the emulator could not
/// run it as fast as that, and has enough to do with the letters.
pub(crate) async fn redrive(report: &mut Report) -> Result<(), Box<dyn Error>> {
    for (name, rate, count) in RATES {
        let off = pace(rate, count).await?;
        report.add(name, off, "% off its rate", "5 either way, or the emulator's limit");
    }
    let account = Account::deployed().await;
    let limit = Bare::of(&account)?.redriven().await?;
    report.add("aws_redrive_emulator", limit, "letters/s", "that limit, with nothing else to do");
    Ok(())
}

/// How far a redrive of so many letters is from its rate, per cent.
async fn pace(rate: u32, count: usize) -> Result<f64, Box<dyn Error>> {
    let account = Account::deployed().await;
    account.send_all("analytics-dlq", &messages(count)).await;
    let between = Between::of(account.endpoint()).await;
    let sent: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let noted = Arc::clone(&sent);
    between.set(move |call| {
        if call.operation == "SendMessage" {
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
        Fate::Answered
    });
    let server = Setup::new().at(between.endpoint()).start().await;
    #[allow(clippy::float_cmp, clippy::cast_precision_loss)] // counts
    within(PATIENCE, "the letters are taken over", async || {
        let open = server.metric("cutover_dead_letters_open").await;
        if open == count as f64 { Ok(()) } else { Err(open.to_string()) }
    })
    .await;
    let stop = json!({ "paused": true, "reason": "measured" });
    server.site.put("/api/v1/consumers/analytics/paused", &stop).await.expect(200);
    let wish = json!({ "kind": "redrive", "select": { "filter": { "consumer": "analytics" } }, "reason": "measured", "rate": rate });
    server.site.post("/api/v1/operations", &wish).await.expect(202);
    let times = || sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    within(PATIENCE, "all are sent", async || {
        let sent = times().len();
        if sent >= count { Ok(()) } else { Err(sent.to_string()) }
    })
    .await;
    let times = times();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Err("nothing was sent".into());
    };
    #[allow(clippy::cast_precision_loss)] // hundreds
    let paced = (times.len() - 1) as f64 / last.duration_since(*first).as_secs_f64();
    let gaps = times.windows(2).enumerate().map(|(n, pair)| (n, pair[1].duration_since(pair[0])));
    let late: Vec<_> = gaps.filter(|(_, gap)| *gap > Duration::from_millis(500)).collect();
    eprintln!("{count} sent at {paced:.2}/s of {rate}, with these pauses: {late:?}");
    Ok((paced / f64::from(rate) - 1.0) * 100.0)
}
