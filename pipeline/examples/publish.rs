//! A service that publishes what happened, one draft a line of its input:
//!
//! ```sh
//! echo '{ "eventType": "account.updated", "source": "account.service", "userId": "u-1", "data": { "accountId": "a-1" } }' |
//!     cargo run --package pipeline --features aws --example publish housef3-dev
//! ```
//!
//! Region, credentials and, for an emulator, the endpoint are those of the environment (`AWS_REGION`, `AWS_ENDPOINT_URL`, …).

use std::error::Error;
use std::io::BufRead as _;
use std::process::ExitCode;

use pipeline::aws::{Names, connect, publisher};
use pipeline::event::Draft;
use pipeline::publisher::{Published, Publisher};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let deployment = std::env::args().nth(1).ok_or("which deployment? Its prefix is missing")?;
    let connection = connect(None, None).await;
    let publisher = publisher(&connection, &Names::of(&deployment));
    let mut events = Vec::new();
    for line in std::io::stdin().lock().lines() {
        // Stamped before anything is done: the id is what a direct call, and a repetition, are recognised by.
        events.push(Publisher::stamp(Draft::from_json(&line?)?, false)?);
    }
    let ids: Vec<String> = events.iter().map(|event| event.event_id.clone()).collect();
    let mut code = ExitCode::SUCCESS;
    for (id, answer) in ids.iter().zip(publisher.publish(events).await) {
        match answer {
            Published::Accepted(_) => println!("{id} is on the bus"),
            Published::Off => println!("{id} was not sent: publishing is switched off"),
            Published::Buried(error) => println!("{id} is a dead letter: {error}"),
            Published::Lost(error) => {
                println!("{id} is kept nowhere but here: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
