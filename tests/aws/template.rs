//! `deploy/cutover.yaml`, as AWS's own linter sees it.

use std::process::Stdio;

use tests::deployment::TEMPLATE;
use tests::sdk::python;
use tokio::process::Command;

#[tokio::test]
async fn the_linter_finds_nothing() {
    let output = Command::new(python().with_file_name("cfn-lint"))
        .arg(TEMPLATE)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("cfn-lint, which scripts/setup.sh test installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
