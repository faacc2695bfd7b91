//! A clock that never steps back, whatever the machine's does.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::*;

static FAKE: AtomicI64 = AtomicI64::new(0);

#[test]
fn step_back_is_clamped_until_the_machine_catches_up() {
    let read = || FAKE.load(Ordering::SeqCst);
    let clock = SystemClock { latest: Clamp::default(), read };
    let reads = [(5_000_000, 5_000_000), (4_000_000, 5_000_000), (4_999_999, 5_000_000)];
    for (machine, expected) in reads.into_iter().chain([(5_000_001, 5_000_001)]) {
        FAKE.store(machine, Ordering::SeqCst);
        assert_eq!(clock.now_us(), expected, "machine at {machine}");
    }
}

#[test]
fn step_is_noted_once_until_caught_up() {
    let clamp = Clamp::default();
    clamp.clamp(10_000_000);
    assert!(!clamp.behind.load(Ordering::Relaxed));
    clamp.clamp(10_000_000 - STEP_US_MIN);
    assert!(!clamp.behind.load(Ordering::Relaxed), "a race of readers is not a step");
    clamp.clamp(1);
    assert!(clamp.behind.load(Ordering::Relaxed));
    clamp.clamp(10_000_001);
    assert!(!clamp.behind.load(Ordering::Relaxed));
}

#[test]
fn system_clock_is_after_this_was_written() {
    assert!(SystemClock::default().now_us() > 1_750_000_000_000_000);
}

#[tokio::test]
async fn system_clock_sleeps_until_the_time_is_reached() {
    let clock = SystemClock::default();
    let due = clock.now_us() + 2_000;
    clock.sleep_until_us(due).await;
    assert!(clock.now_us() >= due);
    clock.sleep_until_us(0).await;
}

#[tokio::test]
async fn manual_clock_wakes_who_is_due_and_never_goes_back() {
    let clock = Arc::new(ManualClock::new(100));
    let sleeper = tokio::spawn({
        let clock = Arc::clone(&clock);
        async move {
            clock.sleep_until_us(200).await;
            clock.now_us()
        }
    });
    clock.set_us(150);
    clock.set_us(10);
    assert_eq!(clock.now_us(), 150);
    tokio::task::yield_now().await;
    assert!(!sleeper.is_finished());
    clock.advance(Duration::from_micros(50));
    assert_eq!(sleeper.await.unwrap(), 200);
}
