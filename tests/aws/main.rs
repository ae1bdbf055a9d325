//! The aws backend: the real binary and the functions' real binary, on an emulator of AWS that the tests start.

mod adopted;
mod backend;
mod faults;
mod findings;
mod flags;
mod init;
mod ledger;
mod letters;
mod metrics;
mod moto;
mod permissions;
mod publish;
mod redrive;
mod service;
mod shared_queue;
mod template;
mod travel;

pub(crate) use backend::conformance;
use serde_json::Value;
use tests::server::Cutover;

/// Everything that the list has, page by page, with a query.
async fn every_page(server: &Cutover, query: &str, limit: u32) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.site.json(format!("/api/v1/events?limit={limit}&{query}{cursor}")).await;
        let items = page["items"].as_array().expect("items").clone();
        assert!(items.len() <= limit as usize);
        all.extend(items);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
