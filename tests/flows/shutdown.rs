//! Ending a server that is at work.

use std::collections::BTreeSet;

use tests::account::{self, settled, stored};
use tests::flow::{Flow, Record};
use tests::server::{STOPS_WITHIN, Setup};
use tests::wait::eventually;

#[tokio::test]
async fn sigterm_while_events_flow_loses_nothing() {
    let server = Setup::new().start().await;
    // A viewer that holds a live connection must not keep the server from ending.
    let viewer = tests::endpoint::Reply::of(server.site.request(reqwest::Method::GET, "/api/v1/live"));
    let viewer = tokio::spawn(viewer);
    let flow = Flow::start(server.ingest.clone(), Record::default());
    eventually("events flow", async || flow.acknowledged() >= 300).await;
    let ended = server.terminate().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.took < STOPS_WITHIN, "{:?}", ended.took);
    assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
    let log = ended.data.path().join("cutover.db-wal");
    assert!(
        !log.exists() || std::fs::metadata(&log).expect("a file").len() == 0,
        "a directory that was closed well is one file"
    );
    let record = flow.end().await;
    viewer.await.expect("a viewer").expect(200);

    let server = Setup::new().on(ended.data).start().await;
    let record = Flow::finish(&server.ingest, record).await;
    settled(&server, record.acknowledged.len()).await;
    let ids: BTreeSet<String> = stored(&server).await.iter().map(|event| event["eventId"].to_string()).collect();
    let expected: BTreeSet<String> = record.acknowledged.iter().map(|event| event["eventId"].to_string()).collect();
    assert_eq!(ids, expected);
    let last = record.acknowledged.last().expect("an event")["eventId"].as_str().expect("an id");
    assert!(
        account::outcome(&server, last)
            .await
            .values()
            .all(|delivery| *delivery == ("completed".to_owned(), 1))
    );
}
