//! The suite catches what is planted into a correct transport.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use worldbus_conformance::{Bug, Faulty, checks};
use worldbus_transport_embedded::{Embedded, Options};

/// Each bug, and a check that catches it.
const CAUGHT: [(Bug, &str); 11] = [
    (Bug::AcksEarly, "nacked_batches_come_again"),
    (Bug::DropsOne, "everything_arrives"),
    (Bug::SwapsTwo, "published_batches_are_delivered_in_order"),
    (Bug::DoublesOne, "everything_arrives"),
    (Bug::ForgetsNack, "nacked_batches_come_again"),
    (Bug::CountsReleases, "released_deliveries_do_not_count"),
    (Bug::DeadLettersWholeBatch, "events_are_set_aside_once"),
    (Bug::IgnoresFilter, "filters_select_batches"),
    (Bug::ForgetsLeases, "an_ended_lease_is_given_away_and_lost"),
    (Bug::SwallowsTooLarge, "too_large_batches_are_refused"),
    (Bug::BeginsAtStart, "subscriptions_begin_where_they_ask"),
];

#[tokio::test]
async fn every_planted_bug_is_caught() {
    // They fail by panics: that is what is wanted here, and nothing to read.
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let caught =
        join_all(CAUGHT.map(|(bug, name)| async move { (bug, name, fails(bug, name).await) }));
    let caught = caught.await;
    std::panic::set_hook(loud);
    let missed: Vec<_> = caught.iter().filter(|(.., caught)| !caught).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

async fn fails(bug: Bug, name: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, ..Options::default() };
    let log = Arc::new(Embedded::open(dir.path(), options).unwrap());
    let check = checks().into_iter().find(|check| check.name == name).unwrap();
    let run = check.run(Arc::new(Faulty::new(log, bug)));
    AssertUnwindSafe(run).catch_unwind().await.is_err()
}
