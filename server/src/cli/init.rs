//! `cutover aws init`: makes Cutover's own tables in an account. Everything else only ever looks whether they are there.

#![allow(clippy::print_stdout, reason = "what it will do and has done is what the command is for")]

use std::io::{BufRead, IsTerminal, Write};

use pipeline::aws::init::Maker;

use super::Failure;
use crate::config::Config;

pub(super) async fn run(config: Config, yes: bool) -> Result<(), Failure> {
    let names = config.aws.names()?;
    let connection = config.aws.connect().await?;
    let maker = Maker::new(&connection, &names);
    let steps = maker
        .plan()
        .await
        .map_err(|e| Failure::because("it can't be seen what is missing", e))?;
    if steps.is_empty() {
        println!("nothing to do: Cutover's own tables, {}-…, are all there", names.own_tables);
        return Ok(());
    }
    let (place, store) = (connection.place(), &names.event_store_table);
    let beside = maker.is_beside_a_pipeline().await;
    if !beside.map_err(|e| Failure::because("it can't be seen whether there is a pipeline", e))? {
        println!("there is no event store {store} in {place}: is that the right aws.prefix and region?");
    }
    println!("to be done in {place}:");
    for step in &steps {
        println!("  {step}");
    }
    if !yes && !agreed()? {
        return Err(Failure::new("nothing was done; say --yes to have it done"));
    }
    for step in &steps {
        maker.make(step).await.map_err(|e| {
            Failure::because(
                format!("could not {step}; what was done before stays, and this goes on from here"),
                e,
            )
        })?;
        println!("done: {step}");
    }
    Ok(())
}

/// Asks, where there is somebody to ask.
fn agreed() -> Result<bool, Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Ok(false);
    }
    print!("Do this? [y/N] ");
    let told = |e| Failure::because("the terminal can't be used", e);
    std::io::stdout().flush().map_err(told)?;
    let mut answer = String::new();
    input.lock().read_line(&mut answer).map_err(told)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
