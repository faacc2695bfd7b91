//! A log whose wall clock jumps: no lease, no delay and no age follows it. And what retention keeps
//! of what is unread.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use worldbus_bus::{
    Delivered, ManualClock, Outcome, Position, SubscriptionSpec, Transport, WallClock,
};
use worldbus_conformance::{batch, next, soon, spec, topic, typed};
use worldbus_transport_embedded::{Embedded, Options};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const LEASE: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// How long a cursor that changed waits before it is written.
const CURSOR_DELAY: Duration = Duration::from_millis(20);

fn open(dir: &Path, clock: &Arc<ManualClock>, options: Options) -> Embedded {
    let clock: Arc<dyn WallClock> = Arc::clone(clock) as _;
    Embedded::open(dir, Options { clock, sync: false, ..options }).unwrap()
}

fn leased() -> SubscriptionSpec {
    SubscriptionSpec { lease: LEASE, ..spec("s", &["t"], Position::Start) }
}

/// A log with a batch that was delivered.
async fn delivered(bus: &Embedded) -> Delivered {
    bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
    next(&mut bus.subscribe(leased()).await.unwrap()).await
}

/// What a kill leaves of a log, once all that changed is written.
async fn killed(bus: &Embedded, dir: &Path) -> tempfile::TempDir {
    // Cursors that changed are written with the first commit after that.
    tokio::time::sleep(CURSOR_DELAY).await;
    bus.publish(&topic("other"), batch(9, 0..1)).await.unwrap();
    crate::copy_of(dir)
}

/// The offset and the attempt of what comes within a time by the clock, if anything does.
async fn comes_within(bus: &Embedded, clock: &ManualClock, time: Duration) -> Option<(u64, u32)> {
    let mut consumer = bus.subscribe(leased()).await.unwrap();
    let looks = 20;
    for look in 0..=looks {
        if look > 0 {
            clock.advance(time / looks);
        }
        let next = tokio::time::timeout(Duration::from_millis(300), consumer.next());
        if let Ok(delivered) = next.await {
            let lease = delivered.unwrap().lease;
            return Some((lease.offset, lease.attempt));
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn lease_given_while_the_clock_was_a_year_ahead_ends_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let bus = open(dir.path(), &clock, Options::default());
    clock.jump(YEAR);
    let held = delivered(&bus).await;
    assert_eq!((held.lease.offset, held.lease.attempt), (0, 1));
    // In order: leases go on, for as long as they have left.
    bus.close().await.unwrap();
    let right = Arc::new(ManualClock::new(0));
    let bus = open(dir.path(), &right, Options::default());
    assert_eq!(comes_within(&bus, &right, LEASE).await, Some((0, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn jump_of_the_clock_ends_no_lease() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let bus = open(dir.path(), &clock, Options::default());
    let held = delivered(&bus).await;
    clock.jump(YEAR);
    assert_eq!(comes_within(&bus, &clock, Duration::ZERO).await, None);
    let settler = bus.subscribe(leased()).await.unwrap().settler();
    settler.settle(&held.lease, Outcome::Ack).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nack_comes_back_after_a_kill_within_its_remaining_time_whatever_the_clocks() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    clock.jump(YEAR);
    let bus = open(dir.path(), &clock, Options::default());
    let held = delivered(&bus).await;
    let settler = bus.subscribe(leased()).await.unwrap().settler();
    settler.settle(&held.lease, Outcome::Nack(MINUTE)).await.unwrap();
    let left = killed(&bus, dir.path()).await;
    let right = Arc::new(ManualClock::new(0));
    let bus = open(left.path(), &right, Options::default());
    assert_eq!(comes_within(&bus, &right, Duration::ZERO).await, None);
    assert_eq!(comes_within(&bus, &right, MINUTE).await, Some((0, 2)));
}

/// Retention looks each second: lets it look, and then some.
async fn retention_looked(bus: &Embedded) {
    bus.publish(&topic("other"), batch(8, 0..1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
}

async fn kept(bus: &Embedded, name: &str) -> (u64, u64) {
    let topics = bus.topics().await.unwrap();
    let status = topics.into_iter().find(|status| status.topic == topic(name)).unwrap();
    (status.first_offset, status.next_offset)
}

#[tokio::test(flavor = "multi_thread")]
async fn jump_of_the_clock_makes_nothing_old() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let bus = open(dir.path(), &clock, Options::default());
    for sequence in 0..20 {
        bus.publish(&topic("t"), batch(1, sequence..sequence + 1)).await.unwrap();
    }
    clock.jump(10 * YEAR);
    retention_looked(&bus).await;
    assert_eq!(kept(&bus, "t").await, (0, 20));
    bus.close().await.unwrap();
    // Nor does one between two starts.
    let later = Arc::new(ManualClock::new(i64::MAX / 2));
    let bus = open(dir.path(), &later, Options::default());
    retention_looked(&bus).await;
    assert_eq!(kept(&bus, "t").await, (0, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn age_adds_up_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { retention_age: 3 * MINUTE, ..Options::default() };
    let mut removed = 0;
    for start in 0..8 {
        let clock = Arc::new(ManualClock::new(0));
        let bus = open(dir.path(), &clock, options());
        if start == 0 {
            bus.publish(&topic("t"), batch(1, 0..1)).await.unwrap();
        }
        retention_looked(&bus).await;
        removed = kept(&bus, "t").await.0;
        assert!(removed == 0 || start >= 3, "removed after {start} minutes");
        clock.advance(MINUTE);
        bus.close().await.unwrap();
    }
    assert_eq!(removed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_batches_outlive_age_and_bytes_until_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let options = Options { retention_age: MINUTE, retention_bytes: 10_000, ..Options::default() };
    let bus = open(dir.path(), &clock, options);
    let mut consumer = bus.subscribe(leased()).await.unwrap();
    for sequence in 0..20 {
        let large = || typed(1, sequence..sequence + 1, 6, None, 4_000);
        bus.publish(&topic("t"), large()).await.unwrap();
        bus.publish(&topic("free"), typed(2, sequence..sequence + 1, 6, None, 4_000))
            .await
            .unwrap();
    }
    for _ in 0..3 {
        retention_looked(&bus).await;
        clock.advance(MINUTE);
    }
    retention_looked(&bus).await;
    assert_eq!(kept(&bus, "t").await, (0, 20));
    assert_eq!(kept(&bus, "free").await, (20, 20), "no subscription to it");
    for offset in 0..20 {
        let delivered = next(&mut consumer).await;
        assert_eq!(delivered.lease.offset, offset);
        consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
    }
    soon("what was read is removed", async {
        while kept(&bus, "t").await.0 < 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_batches_go_when_their_own_bound_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(0));
    let (retention_bytes, unread_bytes) = (10_000, 40_000);
    let options = Options { retention_bytes, unread_bytes, ..Options::default() };
    let bus = open(dir.path(), &clock, options);
    drop(bus.subscribe(leased()).await.unwrap());
    for sequence in 0..20 {
        let large = typed(1, sequence..sequence + 1, 6, None, 4_000);
        bus.publish(&topic("t"), large).await.unwrap();
    }
    soon("the oldest are removed", async {
        while kept(&bus, "t").await.0 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let (first, _) = kept(&bus, "t").await;
    assert!((9..=12).contains(&first), "{first}");
}
