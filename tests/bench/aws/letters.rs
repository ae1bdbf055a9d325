//! Dead letters: how fast they are taken over, and how exactly a redrive keeps to its rate.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{try_join, try_join_all};
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
/// How many receive at once, as in the product.
const HANDS: usize = 8;
const BATCH_GET: &str = "DynamoDB_20120810.BatchGetItem";
const QUERY: &str = "DynamoDB_20120810.Query";

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
    let full = async || {
        let account = Account::deployed().await;
        account.send_all("event-dlq", &messages(LETTERS)).await;
        account
    };
    let account = full().await;
    let limit = Bare::of(&account)?.taken_over().await?;
    // Only one runs at once; and a table with letters is slower than an empty one.
    drop(account);
    let account = full().await;
    let bare = Bare::of(&account)?;
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

fn table(name: &str) -> String {
    format!("{PREFIX}-cutover-{name}")
}

/// What reads the items of a table that have one of those keys.
fn read<'a>(name: &str, key: &str, ids: impl Iterator<Item = &'a Value>) -> Value {
    let keys: Vec<Value> = ids.map(|id| json!({ key: { "S": id } })).collect();
    json!({ "RequestItems": { table(name): { "Keys": keys, "ConsistentRead": true } } })
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

    /// How many letters a second could be taken over, of nothing but the calls that this needs: a handful is received, its events are looked
    /// for among what is redriven and in the ledger, each letter is written, and the messages are deleted.
    async fn taken_over(&self) -> Result<f64, reqwest::Error> {
        let queue = json!({ "QueueName": format!("{PREFIX}-event-dlq") });
        let queue = &self.call("sqs", "AmazonSQS.GetQueueUrl", &queue).await?["QueueUrl"];
        let began = Instant::now();
        let hands = stream::iter(0..HANDS).map(async |_| {
            let mut count = 0;
            loop {
                let wish =
                    json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"] });
                let received = self.call("sqs", "AmazonSQS.ReceiveMessage", &wish).await?;
                let Some(messages) = received["Messages"].as_array().filter(|all| !all.is_empty()) else {
                    return Ok(count);
                };
                let redriven = json!({ "TableName": table("letters"), "IndexName": "StatusFailedAtIndex", "Limit": 1,
                    "KeyConditionExpression": "#s = :s", "ExpressionAttributeNames": { "#s": "status" },
                    "ExpressionAttributeValues": { ":s": { "S": "redriving" } } });
                let ids = messages.iter().map(|message| &message["MessageId"]);
                let accounts = read("ledger", "eventId", ids.clone());
                let (redriven, accounts) = (self.call("dynamodb", QUERY, &redriven), self.call("dynamodb", BATCH_GET, &accounts));
                try_join(redriven, accounts).await?;
                let written = messages.iter().map(|message| {
                    let letter = json!({ "TableName": table("letters"), "ConditionExpression": "attribute_not_exists(id)",
                        "Item": { "id": { "S": message["MessageId"] }, "status": { "S": "open" }, "failedAt": { "N": "1790000000000" },
                            "body": { "S": message["Body"] } } });
                    async move { self.call("dynamodb", "DynamoDB_20120810.PutItem", &letter).await }
                });
                try_join_all(written).await?;
                let entries = messages
                    .iter()
                    .map(|message| json!({ "Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"] }));
                let done = json!({ "QueueUrl": queue, "Entries": entries.collect::<Vec<_>>() });
                self.call("sqs", "AmazonSQS.DeleteMessageBatch", &done).await?;
                count += messages.len();
            }
        });
        let counts: Vec<Result<usize, reqwest::Error>> = hands.buffer_unordered(HANDS).collect().await;
        let count: usize = counts.into_iter().sum::<Result<_, _>>()?;
        assert!(count >= LETTERS, "{count} letters of {LETTERS}");
        #[allow(clippy::cast_precision_loss)] // thousands
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }

    /// How many letters a second could be redriven, of nothing but the calls that this needs: a handful of letters is read, and the ledger of
    /// their events; for each two items are written, and a message is sent.
    async fn redriven(&self) -> Result<f64, reqwest::Error> {
        const HANDFULS: usize = 50;
        const HANDFUL: usize = 20;
        // One that nobody reads.
        let queue = json!({ "QueueName": format!("{PREFIX}-event-dlq") });
        let queue = &self.call("sqs", "AmazonSQS.GetQueueUrl", &queue).await?["QueueUrl"];
        let began = Instant::now();
        let sent = stream::iter(0..HANDFULS).map(async |handful| {
            let names: Vec<Value> = (0..HANDFUL).map(|n| json!(format!("r-{handful}-{n}"))).collect();
            self.call("dynamodb", BATCH_GET, &read("letters", "id", names.iter())).await?;
            self.call("dynamodb", BATCH_GET, &read("ledger", "eventId", names.iter())).await?;
            let each = names.iter().enumerate().map(async |(n, name)| {
                let write = |of: &str, key: Value| {
                    json!({ "Update": { "TableName": table(of), "Key": key, "UpdateExpression": "SET #s = :s",
                        "ExpressionAttributeNames": { "#s": "status" }, "ExpressionAttributeValues": { ":s": { "S": "redriving" } } } })
                };
                let letter = write("letters", json!({ "id": { "S": name } }));
                let item = write(
                    "operation-items",
                    json!({ "operation": { "S": format!("bench-{handful}") }, "n": { "N": n.to_string() } }),
                );
                let both = json!({ "TransactItems": [letter, item] });
                self.call("dynamodb", "DynamoDB_20120810.TransactWriteItems", &both).await?;
                let message = json!({ "QueueUrl": queue, "MessageBody": message(n) });
                self.call("sqs", "AmazonSQS.SendMessage", &message).await
            });
            try_join_all(each).await
        });
        let sent: Vec<Result<Vec<Value>, reqwest::Error>> = sent.buffer_unordered(1).collect().await;
        let sent: Vec<Vec<Value>> = sent.into_iter().collect::<Result<_, _>>()?;
        #[allow(clippy::cast_precision_loss)] // thousands
        Ok(sent.iter().map(Vec::len).sum::<usize>() as f64 / began.elapsed().as_secs_f64())
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
