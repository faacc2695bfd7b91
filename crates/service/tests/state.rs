//! The SQLite store held to the contract of every state store. What only a file can have is in the
//! tests of the module.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use worldbus_service::state::Sqlite;
use worldbus_testkit::keeps_the_state_contract;

async fn store(path: &Path) -> Arc<Sqlite> {
    Arc::new(Sqlite::open(path.to_owned()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_handle_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let one = store(&directory.path().join("state.db")).await;
    keeps_the_state_contract(one.clone(), one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_on_one_file_keep_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    keeps_the_state_contract(store(&path).await, store(&path).await).await;
}
