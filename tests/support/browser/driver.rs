//! chromedriver, one for each browser.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::server::Captured;
use crate::wait::eventually;

/// A running driver. Dropped, it ends its browser and is killed.
pub(super) struct Driver {
    child: Child,
    port: u16,
    /// The session that is open.
    pub(super) session: Option<String>,
}

impl Driver {
    /// Starts one on a port that the system chooses.
    ///
    /// It takes the same port for IPv6 and for IPv4, and ends when another process has that one: it is then started again.
    pub(super) async fn start() -> Self {
        let (mut child, mut stdout) = spawn();
        let port = eventually("chromedriver says its port", async || {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                (child, stdout) = spawn();
            }
            stdout
                .after("started successfully on port ")
                .and_then(|rest| rest.trim_end_matches('.').parse().ok())
        })
        .await;
        Self {
            child,
            port,
            session: None,
        }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to end, and waits.
    pub(super) async fn stop(mut self, limit: Duration) {
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = tokio::time::timeout(limit, self.child.wait()).await;
    }
}

fn spawn() -> (Child, Captured) {
    let mut command = Command::new("chromedriver");
    command
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("chromedriver, which scripts/setup.sh test installs");
    let stdout = Captured::of(child.stdout.take());
    (child, stdout)
}

impl Drop for Driver {
    /// A test that panics can't await anything any more, and a driver that is killed leaves its browser behind.
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let request = format!("DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        if stream.write_all(request.as_bytes()).is_ok() {
            let _ = stream.read(&mut [0; 64]);
        }
    }
}
