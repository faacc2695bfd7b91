//! What a consumer sets aside itself while others compete for the same batches, and how often it
//! reads the disk.

use std::time::Duration;

use crate::shared::DEAD_LETTER_CALLS_MAX;
use crate::{Embedded, Options};
use worldbus_bus::limits::LEASE_MIN;
use worldbus_bus::{Outcome, Position, SubscriptionSpec, Transport as _};
use worldbus_conformance::{batch, next, soon, spec, topic};

/// Else consumers with short leases give each other what they are setting aside, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn batch_that_is_being_set_aside_is_given_to_no_other_when_the_lease_ends() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    let short = SubscriptionSpec {
        lease: LEASE_MIN,
        attempts_max: 1,
        ..spec("s", &["t"], Position::Start)
    };
    let mut consumer = bus.subscribe(short).await.unwrap();
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    let delivered = next(&mut consumer).await;

    // A disk that takes its time.
    let shared = bus.shared();
    let turns = shared.setting_aside.acquire_many(DEAD_LETTER_CALLS_MAX as u32).await.unwrap();
    let nack = Outcome::Nack(Duration::ZERO);
    let _ = consumer.settler().settle(&delivered.lease, nack).await;
    let asks = tokio::spawn(async move { consumer.next().await });
    let live = shared.subscriptions().values().next().cloned().unwrap();
    soon("the batch is taken to be set aside", async {
        while !live.lock().subscription.holds(0, 0, 2) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for leases in 1..=10 {
        let now_ms = shared.steady_ms() + leases * LEASE_MIN.as_millis() as i64;
        let mut state = live.lock();
        state.subscription.expire(now_ms);
        assert_eq!(state.subscription.due(now_ms), None);
    }
    drop(turns);
    soon("the batch is settled", async {
        while shared.lag(&live) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(bus.dead_letters(None, 10).await.unwrap().len(), 1);
    asks.abort();
}

/// Else one that is behind reads the disk once for each of its batches, and stays behind for ever:
/// with a thousand topics a batch is an event.
#[tokio::test(flavor = "multi_thread")]
async fn subscription_that_is_behind_reads_a_commit_of_many_topics_at_once() {
    const TOPICS: u64 = 50;
    const ROUNDS: u64 = 4;
    let dir = tempfile::tempdir().unwrap();
    let options = Options { sync: false, tail_bytes_max: 0, ..Options::default() };
    let bus = Embedded::open(dir.path(), options).unwrap();
    let names: Vec<String> = (0..TOPICS).map(|number| format!("t{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for round in 0..ROUNDS {
        let all = names.iter().zip(round * TOPICS..).map(|(name, sequence)| {
            let (bus, topic) = (&bus, topic(name));
            async move { bus.publish(&topic, batch(1, sequence..sequence + 1)).await.unwrap() }
        });
        futures_util::future::join_all(all).await;
    }
    let commits = bus.shared().tail().next_group() as usize;
    let spec = SubscriptionSpec { in_flight_max: 1, ..spec("s", &names, Position::Start) };
    let mut consumer = bus.subscribe(spec).await.unwrap();
    for sequence in 0..TOPICS * ROUNDS {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.batch.first_id().sequence, sequence, "in the order of the commits");
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
    let fetches = bus.shared().reads.fetches.load(std::sync::atomic::Ordering::Relaxed);
    assert!(fetches <= commits, "{fetches} fetches for {commits} commits");
    assert!(commits < (TOPICS * ROUNDS) as usize / 2, "the test shows nothing: {commits} commits");
}
