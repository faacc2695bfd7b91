//! What every state store must do, and what writers of several processes must not.

use std::collections::HashSet;
use std::sync::Arc;

use crate::store;
use worldbus_postgres::Postgres;
use worldbus_service::state::StateStore;
use worldbus_testkit::{PostgresServer, keeps_the_state_contract};

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let server = PostgresServer::start();
    keeps_the_state_contract(store(&server).await, store(&server).await).await;
}

/// A key that comes and goes: who inserts it owns it, and is alone until it has deleted it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_that_insert_a_key_one_wins_and_no_revision_is_given_twice() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 25;
    let server = PostgresServer::start();
    let stores = [store(&server).await, store(&server).await];
    let owner = Arc::new(tokio::sync::Mutex::new(()));
    let writers = (0..WRITERS).map(|number| {
        let (store, owner) = (Arc::clone(&stores[number % 2]), Arc::clone(&owner));
        tokio::spawn(async move {
            let mut revisions = Vec::new();
            while revisions.len() < ROUNDS {
                let Ok(revision) = insert(&store, number).await else { continue };
                let alone = owner.try_lock().expect("another has the key as well");
                revisions.push(revision);
                drop(alone);
                store.delete("key", revision).await.unwrap().unwrap();
            }
            revisions
        })
    });
    let mut all = HashSet::new();
    for writer in writers.collect::<Vec<_>>() {
        let revisions = writer.await.unwrap();
        assert!(revisions.is_sorted(), "{revisions:?}");
        all.extend(revisions);
    }
    assert_eq!(all.len(), WRITERS * ROUNDS);
}

/// The new revision, or that of the entry that is in the way.
async fn insert(store: &Postgres, number: usize) -> Result<u64, Option<u64>> {
    let set = store.compare_and_set("key", None, vec![number as u8]).await.unwrap();
    set.map_err(|conflict| conflict.current.map(|entry| entry.revision))
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_rise_over_all_keys_in_the_order_of_writes() {
    let server = PostgresServer::start();
    let (one, two) = (store(&server).await, store(&server).await);
    let mut last = 0;
    for number in 0..20 {
        let store = if number % 2 == 0 { &one } else { &two };
        let key = format!("key/{}", number % 3);
        let expected = store.get(&key).await.unwrap().map(|entry| entry.revision);
        let revision = store.compare_and_set(&key, expected, vec![]).await.unwrap().unwrap();
        assert!(revision > last, "{revision} after {last}");
        last = revision;
    }
}
