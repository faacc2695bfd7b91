//! The file: held by another process, full, or not ours.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use rusqlite::Connection;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::place::LIMITS;
use super::{parts, set};
use crate::model::Step;
use crate::store::group::Request;
use crate::store::{Committed, NotCommitted, Sqlite, Store as _};
use worldbus_testkit::DEADLINE;

/// A state in a folder of its own.
struct Place {
    dir: tempfile::TempDir,
    store: Sqlite,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world-state.db");
        let store = Sqlite::open(path, "europe", LIMITS).await.unwrap();
        Self { dir, store }
    }

    async fn take(&self, field: &str, value: serde_json::Value) -> Result<Committed, NotCommitted> {
        let step = Step::new(parts(vec![set("a", field, value)])).unwrap();
        self.store.commit(step, super::moment(0)).await
    }

    fn raw(&self) -> Connection {
        Connection::open(self.dir.path().join("world-state.db")).unwrap()
    }
}

#[tokio::test]
async fn file_that_another_process_holds_is_busy_and_writes_resume() {
    let place = Place::new().await;
    place.take("x", json!(1)).await.unwrap();
    let other = place.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = place.take("x", json!(2)).await.unwrap_err();
    let NotCommitted::Store(error) = error else { panic!("{error}") };
    assert!(error.may_pass() && error.to_string().contains("another process"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(place.take("x", json!(2)).await.unwrap().version, 2);
}

#[tokio::test]
async fn pages_that_take_long_hold_up_no_reader_of_what_is_now() {
    let place = Place::new().await;
    place.take("x", json!(1)).await.unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let pages: Vec<_> = (0..64)
        .map(|_| {
            let released = Arc::clone(&released);
            let page = place.store.long.read(move |_| {
                let _ended = released.lock().unwrap().recv();
                Ok(())
            });
            Box::pin(page)
        })
        .collect();
    let mut pages = futures_util::future::join_all(pages);
    assert!((&mut pages).now_or_never().is_none());
    let now = timeout(DEADLINE, place.store.entity("a", None)).await.unwrap().unwrap();
    assert_eq!(now.1, 1);
    drop(release);
    pages.await;
}

#[tokio::test]
async fn full_disk_refuses_steps_and_loses_nothing_and_writes_resume() {
    let place = Place::new().await;
    place.take("x", json!(1)).await.unwrap();
    let pages = async |count| {
        let (reply, limited) = oneshot::channel();
        place.store.requests.send(Request::LimitPages(count, reply)).await.unwrap();
        drop(limited.await);
    };
    pages(30).await;
    let large = json!("x".repeat(16_000));
    let mut made = 1;
    let error = loop {
        match place.take(&format!("f{made}"), large.clone()).await {
            Ok(_) => made += 1,
            Err(NotCommitted::Store(error)) => break error,
            Err(error) => panic!("{error}"),
        }
        assert!(made < 100);
    };
    assert!(error.may_pass() && error.to_string().contains("disk is full"), "{error}");
    assert_eq!(place.store.versions().await.unwrap().world, made);
    pages(10_000).await;
    assert_eq!(place.take("more", large).await.unwrap().version, made + 1);
}

#[tokio::test]
async fn files_that_are_none_of_this_world_are_refused_by_name() {
    let place = Place::new().await;
    let path = place.dir.path().join("world-state.db");
    let error = Sqlite::open(path.clone(), "asia", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("\"asia\"") && error.contains("\"europe\""), "{error}");
    place.raw().pragma_update(None, "user_version", 2).unwrap();
    let error = Sqlite::open(path, "europe", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    let theirs = place.dir.path().join("theirs.db");
    Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Sqlite::open(theirs, "europe", LIMITS).await.unwrap_err().to_string();
    assert!(error.contains("not a world's state"), "{error}");
    let error = Sqlite::open(place.dir.path().to_owned(), "europe", LIMITS).await.unwrap_err();
    assert!(error.to_string().contains("cannot use"), "{error}");
}
