//! What an event costs in calls, from the bus to the last consumer: what an account pays for.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tests::data::PUT_EVENTS;
use tests::deployment::{self, Account, PREFIX, Shared};
use tests::sdk;
use tests::server::Setup;
use tests::wait::within;

use crate::report::Report;

/// Calls by service and operation.
type Calls = Arc<Mutex<BTreeMap<String, usize>>>;

/// How many calls the functions make for each event.
pub(crate) async fn for_an_event(report: &mut Report) -> Result<(), Box<dyn Error>> {
    let Shared { endpoint, between, .. } = Account::shared();
    deployment::deploy(endpoint, PREFIX);
    let calls = Calls::default();
    let noted = Arc::clone(&calls);
    between.set(move |call| {
        let mut calls = noted.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(format!("{} {}", call.service, call.operation)).or_default() += 1;
        tests::between::Fate::Answered
    });
    let events = PUT_EVENTS.lines().count();
    sdk::put_events(endpoint, PUT_EVENTS, Some(&format!("{PREFIX}-events"))).await;
    let server = Setup::new().at(endpoint).start().await;
    within(Duration::from_secs(120), "every event is done", async || {
        let published = server.metric("cutover_events_published_total").await;
        let open = server.metric("cutover_events_in_flight").await;
        #[allow(clippy::cast_precision_loss)] // hundreds
        let all = published >= events as f64 * 0.9;
        if all && open == 0.0 {
            Ok(())
        } else {
            Err(format!("{published} of {events}, {open} open"))
        }
    })
    .await;
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    #[allow(clippy::cast_precision_loss)] // thousands
    let each = |of: &dyn Fn(&str) -> bool| calls.iter().filter(|(call, _)| of(call)).map(|(_, n)| *n).sum::<usize>() as f64 / events as f64;
    for call in calls.keys() {
        eprintln!("{call:<34} {:.2} an event", each(&|known| known == call));
    }
    report.add(
        "aws_transactions_an_event",
        each(&|call| call.ends_with(" TransactWriteItems")),
        "calls",
        "",
    );
    report.add(
        "aws_reads_an_event",
        each(&|call| call.starts_with("dynamodb") && !call.ends_with("Items")),
        "calls",
        "",
    );
    deployment::remove(endpoint, PREFIX);
    Ok(())
}
