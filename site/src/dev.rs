//! Rebuild on change, and restart the server.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::assemble::{self, Plan};
use crate::error::Error;
use crate::tree;
use crate::workspace::Workspace;

/// How often the sources are looked at: seldom enough to cost nothing, often enough not to be noticed.
const PAUSE: Duration = Duration::from_millis(400);

/// What a build is made of, relative to the root.
const SOURCES: [&str; 8] = ["Cargo.toml", "Cargo.lock", "app", "pipeline", "server", "site", "style", "public"];

/// Runs until it is interrupted. A build that fails is reported, and the server of the last good one stays up.
pub(crate) fn run(workspace: &Workspace, serve: &[String]) -> Result<(), Error> {
    let plan = Plan {
        profile: "dev".into(),
        shrink: false,
        compress: false,
    };
    let mut server = Server::default();
    loop {
        let sources = Sources::look(&workspace.root)?;
        match rebuild(workspace, &plan) {
            Ok(program) => server.restart(&program, &workspace.root, serve)?,
            Err(error) => eprintln!("error: {error}\nwaiting for a change"),
        }
        while Sources::look(&workspace.root)? == sources {
            server.report_end();
            thread::sleep(PAUSE);
        }
    }
}

/// Builds both halves; says where the server is.
fn rebuild(workspace: &Workspace, plan: &Plan) -> Result<PathBuf, Error> {
    assemble::build(workspace, plan)?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "server", "--bin", "cutover"]);
    let status = cargo.status().map_err(|source| Error::Start {
        program: "cargo".into(),
        source,
    })?;
    if !status.success() {
        return Err(Error::Failed {
            program: "cargo build --package server".into(),
            status,
        });
    }
    Ok(workspace
        .target
        .join("debug")
        .join(format!("cutover{}", std::env::consts::EXE_SUFFIX)))
}

/// When each source was last changed.
#[derive(PartialEq, Eq)]
struct Sources(BTreeMap<PathBuf, SystemTime>);

impl Sources {
    fn look(root: &Path) -> Result<Self, Error> {
        let mut times = BTreeMap::new();
        for source in SOURCES.map(|name| root.join(name)) {
            let files = if source.is_file() {
                vec![source]
            } else {
                tree::files(&source)?.into_iter().map(|leaf| leaf.path).collect()
            };
            for file in files {
                // A file that is gone by now, as an editor's temporary ones are, is seen as gone the next time.
                if let Ok(modified) = fs::metadata(&file).and_then(|metadata| metadata.modified()) {
                    times.insert(file, modified);
                }
            }
        }
        Ok(Self(times))
    }
}

/// The one server this process started.
#[derive(Default)]
struct Server(Option<Child>);

impl Server {
    fn restart(&mut self, program: &Path, root: &Path, arguments: &[String]) -> Result<(), Error> {
        self.stop();
        let mut command = Command::new(program);
        command.arg("serve").args(arguments).current_dir(root);
        let child = command.spawn().map_err(|source| Error::Start {
            program: program.display().to_string(),
            source,
        })?;
        self.0 = Some(child);
        Ok(())
    }

    /// Says so once when the server ended by itself.
    fn report_end(&mut self) {
        if let Some(Ok(Some(status))) = self.0.as_mut().map(Child::try_wait) {
            eprintln!("the server ended ({status}); waiting for a change");
            self.0 = None;
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // Both fail only when the child has already ended, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_source_is_noticed_and_an_unchanged_one_is_not() {
        let root = tempfile::tempdir().unwrap();
        let sheet = root.path().join("style/tokens.css");
        fs::create_dir_all(root.path().join("style")).unwrap();
        fs::write(&sheet, "a").unwrap();
        let look = || Sources::look(root.path()).unwrap();
        let before = look();
        assert!(look() == before);
        let later = fs::metadata(&sheet).unwrap().modified().unwrap() + Duration::from_secs(1);
        fs::File::options().write(true).open(&sheet).unwrap().set_modified(later).unwrap();
        assert!(look() != before);
    }
}
