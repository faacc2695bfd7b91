//! The embedded log held to the suite, in its column of the matrix, and at its bounds.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod bugs;
mod log;

use std::path::Path;

use log::Log;
use worldbus_transport_embedded::Options;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let matrix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence/conformance.md");
    let report = worldbus_conformance::check(Log::open(Options::default())).await;
    report.assert_matrix(&matrix, "embedded");
}

/// Everything that is read comes from the disk.
#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_without_memory() {
    let options = Options { tail_bytes_max: 0, sync: false, ..Options::default() };
    worldbus_conformance::check(Log::open(options)).await.assert_kept();
}

/// Every request waits in line and makes a group of its own.
#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_without_room() {
    let bounds = Options { queue_bytes_max: 0, group_bytes_max: 0, ..Options::default() };
    worldbus_conformance::check(Log::open(Options { sync: false, ..bounds })).await.assert_kept();
}
