//! `/api/v1/parity`.

use tests::server::Setup;
use tests::wait::eventually;

/// The demo runs both paths, and the design's own maps differ: that has to show.
#[tokio::test]
async fn differences_show_operation_by_operation() {
    let server = Setup::new().demo(600).start().await;
    let report = eventually("operations that ran both paths", async || {
        let report = server.site.json("/api/v1/parity").await;
        let rows = report["rows"].as_array().cloned().unwrap_or_default();
        if rows.iter().any(|row| row["different"].as_u64() > Some(0)) {
            Ok(report)
        } else {
            Err(report.to_string())
        }
    })
    .await;
    for row in report["rows"].as_array().expect("rows") {
        for verdict in ["matched", "different", "missing", "late", "extra"] {
            assert!(row[verdict].is_u64(), "{verdict} of {row}");
        }
    }
    let difference = &report["differences"][0];
    assert!(difference["direct"] != difference["event"], "{difference}");
    for (query, field) in [("from=x", "from"), ("to=x", "to"), ("colour=red", "colour")] {
        let reply = server.site.get(format!("/api/v1/parity?{query}")).await;
        assert!(
            [400, 422].contains(&reply.status) && reply.text().contains(field),
            "{query}: {}",
            reply.text()
        );
    }
}
