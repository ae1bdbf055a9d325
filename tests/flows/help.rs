//! `--help` and usage.

use tempfile::TempDir;
use tests::server::{command, run};

/// The long options that a help text lists, in order.
fn options(help: &str) -> Vec<&str> {
    let listed = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    listed
        .filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--")))
        .collect()
}

async fn help(arguments: &[&str]) -> String {
    let directory = TempDir::new().expect("a directory");
    let ended = run(command(directory.path(), arguments)).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

#[tokio::test]
async fn every_command_says_all_it_can() {
    let all = [
        "--config",
        "--listen",
        "--ingest",
        "--data",
        "--demo",
        "--no-demo",
        "--help",
        "--version",
    ];
    for name in ["serve", "check"] {
        let text = help(&[name, "--help"]).await;
        assert_eq!(options(&text), all, "{text}");
    }
    let text = help(&["aws", "init", "--help"]).await;
    assert_eq!(options(&text), ["--config", "--yes", "--help", "--version"], "{text}");
    let text = help(&["--help"]).await;
    assert_eq!(options(&text), ["--help", "--version"]);
    for name in ["serve", "check", "aws"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(name)), "{text}");
    }
}

#[tokio::test]
async fn wrong_usage_is_told_with_code_2() {
    let directory = TempDir::new().expect("a directory");
    for arguments in [
        &["serve", "--nonsense"][..],
        &["frobnicate"],
        &[],
        &["serve", "--demo", "5", "--no-demo"],
        &["serve", "--demo", "many"],
    ] {
        let ended = run(command(directory.path(), arguments)).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty());
    }
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("a directory").count(),
        0,
        "nothing is left behind"
    );
}
