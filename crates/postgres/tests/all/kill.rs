//! The server is killed with all its processes while it writes, and started again.
//!
//! What this cannot show: that what was acknowledged is on the disk, since the system keeps what a
//! killed process wrote. `WORLDBUS_TEST_KILLS` sets how often.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::store;
use worldbus_postgres::Postgres;
use worldbus_service::state::{Entry, Fate, StateStore};
use worldbus_testkit::{DEADLINE, PostgresServer};

const WRITERS: usize = 4;
/// Writes before each kill.
const WRITES: u64 = 40;
const KILLS: usize = 3;

/// What the writers know of each other.
#[derive(Default)]
struct Ledger {
    acknowledged: watch::Sender<u64>,
    errors: watch::Sender<u64>,
    done: watch::Sender<bool>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_when_the_server_is_killed_and_it_goes_on_by_itself() {
    let kills = std::env::var("WORLDBUS_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let mut server = PostgresServer::start();
    let ledger = Arc::new(Ledger::default());
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let store = store(&server).await;
        writers.push(tokio::spawn(write(store, format!("key/{number}"), Arc::clone(&ledger))));
    }
    for _ in 0..kills.unwrap_or(KILLS) {
        progress(&ledger.acknowledged, WRITES).await;
        // Counted from before the kill: each writer has one error, and then reads until it is back.
        let failed = progress(&ledger.errors, 1);
        server.kill();
        failed.await;
        server.restart();
    }
    progress(&ledger.acknowledged, WRITES).await;
    ledger.done.send_replace(true);
    let reader = store(&server).await;
    for (number, writer) in writers.into_iter().enumerate() {
        let last = writer.await.unwrap();
        let found = reader.get(&format!("key/{number}")).await.unwrap();
        assert_eq!(found.as_ref().map(|entry| (count(entry), entry.revision)), Some(last));
    }
}

/// Counts a key up; after each error it is what was acknowledged last, or what was tried.
async fn write(store: Arc<Postgres>, key: String, ledger: Arc<Ledger>) -> (u64, u64) {
    let mut last: Option<(u64, u64)> = None;
    while !*ledger.done.borrow() {
        let next = last.map_or(0, |(count, _)| count) + 1;
        let revision = last.map(|(_, revision)| revision);
        let set = store.compare_and_set(&key, revision, next.to_le_bytes().to_vec()).await;
        match set {
            Ok(written) => {
                last = Some((next, written.unwrap()));
                ledger.acknowledged.send_modify(|count| *count += 1);
            }
            Err(error) => {
                assert_ne!(error.fate(), Fate::Refused, "{error}");
                ledger.errors.send_modify(|count| *count += 1);
                let found = read(&store, &key).await;
                let found = found.map(|entry| (count(&entry), entry.revision));
                let happened = found.is_some_and(|(count, _)| count == next);
                let may_have = error.fate() == Fate::Unknown;
                assert!(found == last || (happened && may_have), "{last:?}, {found:?}: {error}");
                last = found;
            }
        }
    }
    last.unwrap()
}

/// Reads until the server is back.
async fn read(store: &Postgres, key: &str) -> Option<Entry> {
    loop {
        match store.get(key).await {
            Ok(found) => return found,
            Err(error) => assert_eq!(error.fate(), Fate::Retry, "{error}"),
        }
    }
}

fn count(entry: &Entry) -> u64 {
    u64::from_le_bytes(entry.value.as_slice().try_into().unwrap())
}

/// Waits for as many more than there are at this call.
fn progress(counter: &watch::Sender<u64>, more: u64) -> impl Future<Output = ()> {
    let mut counter = counter.subscribe();
    let wanted = *counter.borrow() + more;
    async move {
        timeout(DEADLINE, counter.wait_for(|count| *count >= wanted)).await.unwrap().unwrap();
    }
}
