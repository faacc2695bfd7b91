//! What a consumer sets aside itself while others compete for the same batches.

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
