//! Faults at the start: one clear line first, the right exit code, nothing changed on disk.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;

use tempfile::TempDir;
use tests::account::settled;
use tests::event::updated;
use tests::server::{Ended, Setup, command, command_of, run};

/// `cutover serve` on free ports, with these arguments besides.
async fn serve(directory: &Path, arguments: &[&str]) -> Ended {
    let mut all = vec!["serve", "--no-demo"];
    for address in ["--listen", "--ingest"] {
        if !arguments.contains(&address) {
            all.extend([address, "127.0.0.1:0"]);
        }
    }
    all.extend(arguments);
    run(command(directory, all)).await
}

/// Every file below `directory`, whole.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            found.extend(contents(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, std::fs::read(path).expect("a file"));
        }
    }
    found
}

/// Moves what is still in the write-ahead log into the database: spoiling the file would spare what is in the log.
fn into_one_file(database: &Path) {
    let connection = rusqlite::Connection::open(database).expect("a database");
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("a checkpoint");
}

fn told(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let line = ended.first_line();
    assert!(line.starts_with("cutover: "), "{ended:?}");
    for word in words {
        assert!(line.contains(word), "no {word:?} in {line:?}");
    }
}

#[tokio::test]
async fn an_unknown_key_is_named() {
    let directory = TempDir::new().expect("a directory");
    std::fs::write(directory.path().join("cutover.toml"), "[server]\nlissten = \"127.0.0.1:1\"\n").expect("written");
    let before = contents(directory.path());
    told(&serve(directory.path(), &[]).await, 2, &["lissten"]);
    std::fs::write(directory.path().join("other.toml"), "colour = \"red\"\n").expect("written");
    told(&serve(directory.path(), &["--config", "other.toml"]).await, 2, &["colour"]);
    told(&serve(directory.path(), &["--config", "missing.toml"]).await, 2, &["missing.toml"]);
    std::fs::remove_file(directory.path().join("other.toml")).expect("removed");
    assert_eq!(contents(directory.path()), before);

    let empty = TempDir::new().expect("a directory");
    let mut from_environment = command(empty.path(), ["serve"]);
    from_environment.env("CUTOVER_SERVER__LISSTEN", "127.0.0.1:1");
    told(&run(from_environment).await, 2, &["lissten"]);
    assert!(contents(empty.path()).is_empty());
}

/// What is set for another deployment, further up, is not taken for this one's.
#[tokio::test]
async fn a_configuration_in_a_directory_above_is_not_read() {
    let above = TempDir::new().expect("a directory");
    std::fs::write(above.path().join("cutover.toml"), "[server]\nlissten = \"127.0.0.1:1\"\n").expect("written");
    let here = above.path().join("here");
    std::fs::create_dir(&here).expect("a directory");
    told(&serve(&here, &["--listen", "0.0.0.0:0"]).await, 2, &["0.0.0.0:0", "loopback"]);
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let directory = TempDir::new().expect("a directory");
    for (option, address) in [("--listen", "0.0.0.0:0"), ("--ingest", "192.0.2.1:0"), ("--listen", "[::]:0")] {
        told(&serve(directory.path(), &[option, address]).await, 2, &[address, "loopback"]);
    }
    assert!(contents(directory.path()).is_empty());
}

#[tokio::test]
async fn a_data_directory_has_one_owner() {
    let server = Setup::new().start().await;
    let data = server.data().display().to_string();
    let elsewhere = TempDir::new().expect("a directory");
    told(&serve(elsewhere.path(), &["--data", &data]).await, 1, &["in use", &data, "--data"]);
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
}

#[tokio::test]
async fn a_data_directory_that_can_not_be_made_is_named() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "mine").expect("written");
    let below = file.join("data").display().to_string();
    told(
        &serve(directory.path(), &["--data", &below]).await,
        1,
        &["not writable", &below, "--data"],
    );
    assert_eq!(contents(directory.path()), BTreeMap::from([("file".to_owned(), b"mine".to_vec())]));
}

#[tokio::test]
async fn a_newer_or_damaged_or_foreign_database_is_left_alone() {
    // Takes what a server left behind and spoils it.
    type Spoil = fn(&Path);
    let newer = |database: &Path| {
        let connection = rusqlite::Connection::open(database).expect("a database");
        connection.pragma_update(None, "user_version", 99).expect("set");
    };
    let header = |database: &Path| {
        let mut bytes = std::fs::read(database).expect("a database");
        bytes[..64].fill(b'?');
        std::fs::write(database, bytes).expect("written");
    };
    let foreign = |database: &Path| {
        std::fs::remove_file(database).expect("removed");
        rusqlite::Connection::open(database)
            .and_then(|c| c.execute_batch("CREATE TABLE recipe(name TEXT)"))
            .expect("a database");
    };
    let cases: [(Spoil, &[&str]); 3] = [
        (newer, &["newer", "99"]),
        (header, &["damaged"]),
        (foreign, &["another application"]),
    ];
    for (spoil, words) in cases {
        let server = Setup::new().start().await;
        let data = server.data();
        server.ingest.post("/api/v1/events", &updated()).await.expect(200);
        settled(&server, 1).await;
        let left = server.terminate().await;
        into_one_file(&data.join("cutover.db"));
        spoil(&data.join("cutover.db"));
        let before = contents(&data);
        let ended = serve(left.data.path(), &["--data", &data.display().to_string()]).await;
        told(&ended, 1, words);
        assert!(ended.first_line().contains(&data.display().to_string()), "{ended:?}");
        assert_eq!(contents(&data).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        assert!(contents(&data) == before, "the files were changed");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_before_anything_is_opened() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = TempDir::new().expect("a directory");
    for option in ["--listen", "--ingest"] {
        told(
            &serve(directory.path(), &[option, &address, "--data", "data"]).await,
            1,
            &["in use", &address, option],
        );
    }
    assert!(contents(directory.path()).is_empty());
}

#[tokio::test]
async fn check_says_whether_serve_would_work() {
    let directory = TempDir::new().expect("a directory");
    let check = async |data: &str| run(command(directory.path(), ["check", "--data", data])).await;
    let new = check("data").await;
    assert_eq!(new.code, Some(0), "{new:?}");
    assert!(new.stdout.contains("not there yet"), "{new:?}");
    assert!(contents(directory.path()).is_empty(), "looking makes nothing");
    let server = Setup::new().start().await;
    let data = server.data().display().to_string();
    told(&check(&data).await, 1, &["in use"]);
    let ended = server.terminate().await;
    let good = check(&data).await;
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(
        good.stdout.contains("data directory ok") && good.stdout.contains("0 events"),
        "{good:?}"
    );
    drop(ended);
}

/// What lies deeper than the first page takes reading all of it, which `check` does.
#[tokio::test]
async fn check_finds_damage_inside_the_database() {
    let server = Setup::new().start().await;
    let data = server.data();
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    let left = server.terminate().await;
    let database = data.join("cutover.db");
    into_one_file(&database);
    let mut bytes = std::fs::read(&database).expect("a database");
    // The root of some table or index: there are more of them than rows.
    let page = 4096 * 9;
    bytes[page..page + 4096].fill(b'?');
    std::fs::write(&database, &bytes).expect("written");
    let ended = run(command(left.data.path(), ["check", "--data", &data.display().to_string()])).await;
    told(&ended, 1, &["damaged", "page 10", "backup"]);
    assert!(std::fs::read(&database).expect("a database") == bytes, "looking changes nothing");
}

#[cfg(unix)]
#[tokio::test]
async fn a_data_directory_that_is_read_only_is_named_and_left_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    /// Whoever has no rights of its own: root, which these tests may run as, may write anywhere.
    const NOBODY: u32 = 65_534;

    let server = Setup::new().start().await;
    let data = server.data();
    server.ingest.post("/api/v1/events", &updated()).await.expect(200);
    settled(&server, 1).await;
    let left = server.terminate().await;
    let before = contents(&data);
    let set_mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("its permissions");
    // A binary that anybody may run: the one that is tested may lie where only its owner looks.
    let public = TempDir::new().expect("a directory");
    let binary = public.path().join("cutover");
    std::fs::copy(tests::server::binary(), &binary).expect("a copy");
    set_mode(public.path(), 0o755);
    set_mode(left.data.path(), 0o755);
    set_mode(&data, 0o555);
    let arguments = ["serve", "--no-demo", "--listen", "127.0.0.1:0", "--ingest", "127.0.0.1:0", "--data"];
    let mut serve = command_of(&binary, public.path(), arguments);
    serve.arg(&data);
    if std::fs::metadata(&data).expect("a directory").uid() == 0 {
        serve.uid(NOBODY);
    }
    told(&run(serve).await, 1, &["not writable", &data.display().to_string(), "--data"]);
    assert!(contents(&data) == before, "the files were changed");
    set_mode(&data, 0o755);
}
