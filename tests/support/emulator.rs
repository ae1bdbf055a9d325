//! The AWS emulators, as processes.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::deployment::{CREDENTIALS, REGION};
use crate::sdk;
use crate::server::Captured;

/// Runs ministack.
const EMULATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/support/emulator.py");

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emulator {
    /// It runs functions.
    Ministack,
    /// It doesn't; and its CloudWatch speaks no CBOR.
    Moto,
}

impl Emulator {
    /// A path that it answers.
    pub(crate) const fn health(self) -> &'static str {
        match self {
            Self::Ministack => "/_ministack/health",
            Self::Moto => "/moto-api/data.json",
        }
    }

    /// What starts it on a port.
    fn words(self, port: u16) -> Vec<OsString> {
        match self {
            Self::Ministack => vec![sdk::python().into(), "-B".into(), EMULATOR.into()],
            Self::Moto => {
                let program = sdk::python().with_file_name("moto_server");
                vec![
                    program.into(),
                    "--host".into(),
                    "127.0.0.1".into(),
                    "--port".into(),
                    port.to_string().into(),
                ]
            }
        }
    }

    /// Starts it in a directory, by the words of a wrapper before its own; `between` is what functions call instead of it. Says where it is.
    pub(crate) fn spawn(self, directory: &Path, wrapper: &[&str], between: Option<&str>) -> (Child, Captured, String) {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let words: Vec<OsString> = wrapper.iter().map(OsString::from).chain(self.words(port)).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_REGION", REGION)
            // A port of its own that nothing here asks for.
            .env("IOT_MTLS_ENABLED", "0")
            // The functions find their way back, and nobody else's account.
            .env("AWS_ENDPOINT_URL", between.unwrap_or(&endpoint))
            .envs(CREDENTIALS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .expect("the emulator starts; without its environment, run scripts/setup.sh test");
        let output = Captured::of(child.stderr.take());
        (child, output, endpoint)
    }
}
