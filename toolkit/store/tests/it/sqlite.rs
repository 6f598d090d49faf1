//! What only SQLite has: files, folders and a disk that is full.

use std::time::Duration;

use ieum_core::{Code, Fault};
use ieum_store::{Store, StoreError, StoreOptions};

use ieum_testkit::port::KeptPort;
use ieum_testkit::wait::until;

use crate::backend::Backend;

#[tokio::test]
async fn a_full_disk_saves_all_or_nothing_at_every_point() {
    let backend = Backend::sqlite_file();
    let store = backend.store().await;
    store
        .execute("CREATE TABLE cups (id INTEGER PRIMARY KEY, taste BLOB NOT NULL)", &[])
        .await
        .expect("makes");
    store.execute("CREATE INDEX cups_taste ON cups (taste)", &[]).await.expect("makes");
    let pages =
        store.fetch_one("PRAGMA page_count", &[]).await.expect("reads").int("page_count").expect("pages");
    let (mut failures, mut successes) = (0, 0);
    for room in 0..40_i64 {
        let limit = format!("PRAGMA max_page_count = {}", pages + room);
        store.fetch_one(&limit, &[]).await.expect("limits");
        match save_ten(&store).await {
            Ok(()) => successes += 1,
            Err(error) => {
                assert!(error.is_disk_full() && !error.is_retryable(), "{error:?}");
                assert_eq!(Fault::from(error).code, Code::ResourceExhausted);
                failures += 1;
            }
        }
        let row = store.fetch_one("SELECT COUNT(*) AS n FROM cups", &[]).await.expect("counts");
        assert_eq!(row.int("n").expect("n"), successes * 10, "whole transactions only, with room for {room}");
    }
    assert!(failures > 3 && successes > 0, "{failures} failures, {successes} successes");
    let check = store.fetch_one("PRAGMA integrity_check", &[]).await.expect("checks");
    assert_eq!(check.text("integrity_check").expect("text"), "ok");
}

async fn save_ten(store: &Store) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    for _ in 0..10 {
        transaction.execute("INSERT INTO cups (taste) VALUES (?)", &[vec![7_u8; 3_000].into()]).await?;
    }
    transaction.commit().await
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_store_makes_is_its_owners_alone_and_what_was_there_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).expect("is made");
    std::fs::write(shared.join("old.db"), "").expect("is made");
    for (path, mode) in [(&shared, 0o755), (&shared.join("old.db"), 0o640)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("is set");
    }
    for (name, expected) in [
        ("new/below/ieum.db", [("new", 0o700), ("new/below", 0o700), ("new/below/ieum.db", 0o600)]),
        ("shared/ieum.db", [("shared", 0o755), ("shared/ieum.db", 0o600), ("shared/ieum.db-wal", 0o600)]),
        ("shared/old.db", [("shared", 0o755), ("shared/old.db", 0o640), ("shared/old.db-wal", 0o640)]),
    ] {
        let url = format!("sqlite:{}", folder.path().join(name).display());
        let store = Store::open(&url, &StoreOptions::default()).await.expect("makes folder and file");
        store.execute("CREATE TABLE cups (id INTEGER PRIMARY KEY)", &[]).await.expect("makes");
        for (path, mode) in expected {
            let found = std::fs::metadata(folder.path().join(path)).expect("is there").permissions().mode();
            assert_eq!(found & 0o777, mode, "{path}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn acknowledged_rows_are_there_after_reopening() {
    let backend = Backend::sqlite_file();
    let store = Store::open(backend.url(), &StoreOptions::default()).await.expect("makes folder and file");
    let mode = store.fetch_one("PRAGMA journal_mode", &[]).await.expect("reads");
    assert_eq!(mode.text("journal_mode").expect("mode"), "wal");
    let synchronous = store.fetch_one("PRAGMA synchronous", &[]).await.expect("reads");
    assert_eq!(synchronous.int("synchronous").expect("number"), 2, "2 is FULL");
    assert!(store.capabilities().durable);
    store.execute("CREATE TABLE cups (id INTEGER PRIMARY KEY)", &[]).await.expect("makes");
    store.execute("INSERT INTO cups (id) VALUES (7)", &[]).await.expect("saves");
    let other = Store::open(backend.url(), &StoreOptions::default()).await.expect("opens beside the first");
    assert_eq!(other.fetch_all("SELECT id FROM cups", &[]).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn another_process_that_writes_too_long_is_a_conflict() {
    let backend = Backend::sqlite_file();
    let options = StoreOptions { busy_timeout: Duration::from_millis(50), ..Backend::options() };
    let (first, second) = (backend.store_with(&options).await, backend.store_with(&options).await);
    let holder = first.begin().await.expect("begins");
    let error = second.begin().await.map(drop).expect_err("is busy");
    assert!(matches!(error, StoreError::Conflict { .. }) && error.is_retryable(), "{error:?}");
    drop(holder);
    first.ping().await.expect("answers");
    let free = || async { second.begin().await.is_ok() };
    until("the store is free", Duration::from_secs(60), free).await.expect("does not stay busy");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "this is no database, only a note that is long enough to be read as a header ".repeat(20),
    )
    .expect("writes");
    let error = Store::open(&format!("sqlite:{}", file.display()), &Backend::options()).await.map(drop);
    assert!(matches!(error, Err(StoreError::Damaged { .. })), "{error:?}");
    let below_a_file = format!("sqlite:{}/store.db", file.display());
    let error = Store::open(&below_a_file, &Backend::options()).await.map(drop).expect_err("is no folder");
    assert!(matches!(error, StoreError::Folder { .. }), "{error:?}");
}

#[tokio::test]
async fn garbage_urls_and_missing_servers_are_told_apart() {
    let options = StoreOptions { acquire_timeout: Duration::from_millis(500), ..StoreOptions::default() };
    for url in
        ["", "ieum.db", "oracle://h/d", "postgres://", "mysql://h", "sqlite:", "postgres://u:hunter2@h"]
    {
        let error = Store::open(url, &options).await.map(drop).expect_err("is garbage");
        assert!(matches!(error, StoreError::Url { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let kept = KeptPort::take();
    let listener = std::net::TcpListener::bind(kept.address()).expect("binds");
    let port = kept.number();
    for scheme in ["postgres", "mysql", "mariadb"] {
        // Somebody listens and never answers; then nobody listens.
        let url = format!("{scheme}://ieum:hunter2@127.0.0.1:{port}/ieum");
        let error = Store::open(&url, &options).await.map(drop).expect_err("nobody answers");
        assert!(matches!(error, StoreError::Unreachable { .. }) && error.is_retryable(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("reaching the store {scheme}://ieum:***@127.0.0.1:{port}/ieum")
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    drop(listener);
    let options = StoreOptions { acquire_timeout: Duration::from_secs(60), ..options };
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://ieum:hunter2@127.0.0.1:{port}/ieum");
        let error = Store::open(&url, &options).await.map(drop).expect_err("nobody listens");
        assert!(matches!(error, StoreError::Unreachable { source: Some(_), .. }), "{error:?}");
    }
}
