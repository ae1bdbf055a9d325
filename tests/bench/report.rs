//! What was measured: printed as a table, written as `target/bench/<name>.json`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

/// One figure.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// What the issue asks for, in words.
    target: &'static str,
}

/// Everything measured in this run.
pub(crate) struct Report {
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { figures: Vec::new() }
    }

    #[allow(clippy::print_stdout)]
    pub(crate) fn add(&mut self, name: &'static str, value: f64, unit: &'static str, target: &'static str) {
        println!("{name:<34} {value:>12.2} {unit:<12} wanted: {target}");
        self.figures.push(Figure { name, value, unit, target });
    }

    /// Writes one file a figure.
    #[allow(clippy::print_stdout)]
    pub(crate) fn finish(self) -> Result<(), Box<dyn std::error::Error>> {
        let directory = PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("bench");
        std::fs::create_dir_all(&directory)?;
        let commit = Command::new("git")
            .args(["rev-parse", "--short", "HEAD"])
            .output()
            .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
            .unwrap_or_default();
        let machine = machine();
        println!("\n| what | measured | wanted |\n|---|---|---|");
        for figure in &self.figures {
            println!("| {} | {:.2} {} | {} |", figure.name, figure.value, figure.unit, figure.target);
            let body = json!({ "name": figure.name, "unit": figure.unit, "value": figure.value, "target": figure.target, "machine": machine, "commit": commit });
            std::fs::write(directory.join(format!("{}.json", figure.name)), format!("{body:#}\n"))?;
        }
        println!("\non {machine}, commit {commit}");
        Ok(())
    }
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            text.lines()
                .find(|l| l.starts_with("model name"))
                .and_then(|l| l.split(": ").nth(1).map(ToOwned::to_owned))
        })
        .unwrap_or_else(|| "unknown processor".to_owned());
    format!("{cpus} cores, {model}")
}
