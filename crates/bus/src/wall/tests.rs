//! A clock that never steps back and follows no step of the machine's at once.

use std::sync::Arc;

use super::steps::{FOLLOWED_US_MAX, SETTLE_US, SLOWER_BY, STEP_US_MIN};
use super::*;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const BEGIN: i64 = 1_750_000_000 * SECOND;

/// A machine whose clocks are moved by hand.
struct Machine {
    steps: Steps,
    at: Reading,
}

impl Machine {
    fn new() -> Self {
        let at = Reading { wall_us: BEGIN, steady_us: 0 };
        let mut this = Self { steps: Steps::default(), at };
        assert_eq!(this.pass(0), BEGIN);
        this
    }

    /// Lets time pass; the wall time then.
    fn pass(&mut self, us: i64) -> i64 {
        self.at.wall_us += us;
        self.at.steady_us += us;
        self.steps.take(self.at)
    }

    /// Sets the wall clock.
    fn step(&mut self, us: i64) {
        self.at.wall_us += us;
    }
}

#[test]
fn small_step_ahead_is_followed_at_once() {
    let mut machine = Machine::new();
    machine.step(STEP_US_MIN - 1);
    assert_eq!(machine.pass(SECOND), BEGIN + SECOND + STEP_US_MIN - 1);
    assert_eq!((machine.steps.jumps(), machine.steps.fault()), (0, None));
}

#[test]
fn glitch_ahead_leaves_no_trace() {
    let mut machine = Machine::new();
    machine.step(8 * 24 * HOUR);
    assert_eq!(machine.pass(25 * SECOND), BEGIN + 25 * SECOND);
    assert!(machine.steps.fault().unwrap().contains("ahead by 691200 s"));
    machine.step(-8 * 24 * HOUR);
    assert_eq!(machine.pass(SETTLE_US), BEGIN + 25 * SECOND + SETTLE_US);
    assert_eq!((machine.steps.jumps(), machine.steps.fault()), (0, None));
}

#[test]
fn step_ahead_that_lasts_is_followed_as_a_jump() {
    let mut machine = Machine::new();
    machine.step(8 * HOUR);
    machine.pass(0);
    assert_eq!(machine.pass(SETTLE_US - 1), BEGIN + SETTLE_US - 1);
    assert_eq!(machine.pass(1), BEGIN + SETTLE_US + 8 * HOUR);
    assert_eq!((machine.steps.jumps(), machine.steps.fault()), (1, None));
    assert_eq!(machine.pass(SECOND), BEGIN + SETTLE_US + SECOND + 8 * HOUR);
}

#[test]
fn step_that_moves_on_must_last_again() {
    let mut machine = Machine::new();
    for _ in 0..10 {
        machine.step(HOUR);
        machine.pass(SETTLE_US / 2);
    }
    assert_eq!(machine.pass(0), BEGIN + 5 * SETTLE_US);
    assert_eq!(machine.steps.jumps(), 0);
}

#[test]
fn step_that_is_too_far_is_never_followed() {
    let mut machine = Machine::new();
    machine.step(FOLLOWED_US_MAX + HOUR);
    machine.pass(0);
    assert_eq!(machine.pass(10 * SETTLE_US), BEGIN + 10 * SETTLE_US);
    assert!(machine.steps.fault().unwrap().contains("too far"));
}

#[test]
fn time_goes_on_slower_after_a_step_back_until_the_machine_catches_up() {
    let mut machine = Machine::new();
    machine.step(-HOUR);
    machine.pass(0);
    assert!(machine.steps.fault().unwrap().contains("3600 s behind"));
    let mut last = BEGIN;
    for _ in 0..SLOWER_BY * 3_600 {
        let now = machine.pass(SECOND);
        assert!(now > last && now <= last + SECOND);
        last = now;
    }
    assert_eq!(last, machine.at.wall_us, "an hour is made up for in ten");
    assert_eq!(machine.steps.fault(), None);
    assert_eq!(machine.pass(SECOND), last + SECOND);
}

#[test]
fn small_step_back_is_no_fault_and_never_shown() {
    let mut machine = Machine::new();
    machine.step(-SECOND);
    assert_eq!(machine.pass(0), BEGIN);
    assert_eq!(machine.steps.fault(), None);
    assert!(machine.pass(SECOND) > BEGIN);
}

#[test]
fn system_clock_is_after_this_was_written_and_time_passes() {
    let clock = SystemClock::default();
    let (wall_us, steady_us) = (clock.now_us(), clock.steady_us());
    assert!(wall_us > 1_750_000_000_000_000);
    assert!(clock.now_us() >= wall_us && clock.steady_us() >= steady_us);
    assert_eq!((clock.jumps(), clock.fault()), (0, None));
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

#[test]
fn no_time_passes_in_a_jump() {
    let clock = ManualClock::new(100);
    clock.jump(Duration::from_micros(50));
    assert_eq!((clock.now_us(), clock.steady_us(), clock.jumps()), (150, 100, 1));
}
