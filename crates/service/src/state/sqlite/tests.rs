//! What holds for the SQLite store beyond the contract: several handles, damage, versions, disks.

use std::collections::BTreeMap;

use super::*;
use crate::state::Fate;

async fn store(path: &Path) -> Arc<Sqlite> {
    Arc::new(Sqlite::open(path.to_owned()).await.unwrap())
}

async fn filled(path: &Path) -> BTreeMap<String, Entry> {
    let store = store(path).await;
    for number in 0..12_u8 {
        let value = vec![number; usize::from(number) * 20];
        store.compare_and_set(&format!("key/{number}"), None, value).await.unwrap().unwrap();
    }
    store.list("").await.unwrap().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_may_create_the_file_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let openings: Vec<_> = (0..8).map(|_| tokio::spawn(Sqlite::open(path.clone()))).collect();
    for opening in openings {
        opening.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn state_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let written = filled(&path).await;
    let read: BTreeMap<_, _> = store(&path).await.list("").await.unwrap().into_iter().collect();
    assert_eq!(read, written);
}

#[tokio::test]
async fn newer_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    filled(&path).await;
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", schema::LAYOUT.version + 1).unwrap();
    let error = Sqlite::open(path).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Newer, Fate::Refused));
    let text = error.to_string();
    assert!(text.contains("version 2") && text.contains("state.db"), "{text}");
}

#[tokio::test]
async fn file_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    std::fs::write(&path, "not a database, but long enough to be read as one".repeat(100)).unwrap();
    assert_eq!(Sqlite::open(path.clone()).await.unwrap_err().kind(), Kind::Damaged);
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert_eq!(Sqlite::open(path).await.unwrap_err().kind(), Kind::Damaged);
}

#[tokio::test]
async fn path_that_cannot_be_opened_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let error = Sqlite::open(directory.path().to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unopenable, "{error}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Sqlite::open(file.join("state.db")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unopenable, "{error}");
}

#[tokio::test]
async fn full_disk_is_reported_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory.path().join("state.db")).await;
    let pages = |count: i64| {
        let connection = store.connection.lock().unwrap();
        connection.pragma_update(None, "max_page_count", count).unwrap();
    };
    pages(8);
    let large = vec![7; 100_000];
    let error = store.compare_and_set("key", None, large.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Full, Fate::Retry));
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(store.get("key").await.unwrap(), None);
    pages(1000);
    store.compare_and_set("key", None, large).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_that_another_process_holds_is_busy_and_retried() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let store = store(&path).await;
    store.connection.lock().unwrap().busy_timeout(Duration::from_millis(10)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = store.compare_and_set("key", None, vec![]).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Busy, Fate::Retry));
    other.execute_batch("ROLLBACK").unwrap();
    store.compare_and_set("key", None, vec![]).await.unwrap().unwrap();
}

/// Every 41st bit of the whole file, which over its bytes comes to each of the eight positions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bit_is_refused_or_harmless_and_never_served() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let written = filled(&path).await;
    let image = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for bit in (0..image.len() * 8).step_by(41) {
        let mut damaged = image.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &damaged).unwrap();
        let Ok(store) = Sqlite::open(path.clone()).await else {
            refused += 1;
            continue;
        };
        let read: BTreeMap<_, _> = store.list("").await.unwrap().into_iter().collect();
        assert_eq!(read, written, "bit {bit}");
    }
    assert!(refused > 50, "only {refused} flips were noticed");
}

#[tokio::test]
async fn bit_flipped_under_an_open_store_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    filled(&path).await;
    let store = store(&path).await;
    Connection::open(&path)
        .unwrap()
        .execute("UPDATE entry SET value = x'01' WHERE key = 'key/3'", [])
        .unwrap();
    let error = store.get("key/3").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    assert!(error.to_string().contains("key/3"), "{error}");
    assert!(store.get("key/4").await.unwrap().is_some());
}

#[tokio::test]
async fn list_over_its_limit_is_refused_and_not_cut() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    filled(&path).await;
    let store = store(&path).await;
    let connection = store.connection.lock().unwrap();
    assert_eq!(rows::list(&connection, "key/", 12).unwrap().len(), 12);
    let error = rows::list(&connection, "key/", 11).unwrap_err().into_error(&path);
    assert_eq!((error.kind(), error.fate()), (Kind::TooLarge, Fate::Refused));
}

#[test]
fn failed_disk_leaves_the_outcome_unknown() {
    let failed = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    let failure = Failure::from(rusqlite::Error::SqliteFailure(failed, None));
    let error = failure.into_error(Path::new("state.db"));
    assert_eq!((error.kind(), error.fate()), (Kind::Io, Fate::Unknown));
    assert!(std::error::Error::source(&error).is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn file_and_new_directories_are_for_their_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("above/below/state.db");
    filled(&path).await;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&directory.path().join("above")), 0o700);
    // As older versions left it.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(store(&path).await.list("").await.unwrap().len(), 12);
    assert_eq!(mode(&path), 0o600);
}

#[cfg(unix)]
#[tokio::test]
async fn link_in_the_place_of_the_file_is_refused_and_its_target_untouched() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    std::fs::write(&target, "theirs").unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o644)).unwrap();
    for link in ["state.db", "state.db-journal"] {
        symlink(&target, directory.path().join(link)).unwrap();
        let refused = Sqlite::open(directory.path().join("state.db")).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unopenable, "{refused}");
        let text = refused.to_string();
        assert!(text.contains("a symbolic link") && text.contains(link), "{text}");
        let mode = std::fs::metadata(&target).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o644, "{link}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs");
        std::fs::remove_file(directory.path().join(link)).unwrap();
    }
}
