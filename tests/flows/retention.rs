//! What is forgotten, and what is not.

use serde_json::json;
use tests::account::settled;
use tests::event::{poison_entry, updated};
use tests::server::Setup;
use tests::wait::eventually;

/// Completed events leave the bus; letters keep what they need to be redriven.
#[tokio::test]
async fn the_bus_keeps_only_what_may_be_asked_for() {
    let server = Setup::new().start().await;
    server
        .ingest
        .post("/api/v1/events", &json!((0..5).map(|_| updated()).collect::<Vec<_>>()))
        .await
        .expect(200);
    server.ingest.put_events(&json!([poison_entry().1])).await.expect(200);
    settled(&server, 6).await;
    let database = rusqlite::Connection::open(server.data().join("cutover.db")).expect("the database");
    let kept: i64 = database
        .query_row("SELECT count(*) FROM bus", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(kept, 1, "the one that is a dead letter");
}

/// Attempts of completed events go after their time; those of dead letters, and the events themselves, stay.
#[tokio::test]
async fn old_attempts_of_completed_events_are_forgotten() {
    let server = Setup::new().start().await;
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    server.ingest.put_events(&json!([poison_entry().1])).await.expect(200);
    settled(&server, 2).await;
    let ended = server.terminate().await;
    let path = ended.data.path().join("data/cutover.db");
    let database = rusqlite::Connection::open(&path).expect("the database");
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
    let of_completed = "SELECT count(*) FROM attempt a JOIN ledger l ON l.seq=a.seq WHERE l.dead=0";
    assert!(count(of_completed) > 0);
    database
        .execute("UPDATE attempt SET at=at-40*86400000", [])
        .expect("older attempts");
    let server = Setup::new().on(ended.data).start().await;
    eventually("they are forgotten", async || count(of_completed) == 0).await;
    assert!(count("SELECT count(*) FROM attempt a JOIN ledger l ON l.seq=a.seq WHERE l.dead!=0") > 0);
    assert_eq!(tests::account::stored(&server).await.len(), 2);
}
