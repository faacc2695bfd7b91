//! A clock that never steps back and follows no step of the machine's at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::followed::FRESH_US;
use super::steps::{FOLLOWED_US_MAX, SETTLE_US, SLOWER_BY, STEP_US_MIN, Steps};
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
fn machine_is_asked_once_in_a_millisecond_and_time_passes_in_between() {
    let followed = Followed::default();
    let mut asked = 0;
    for steady_us in 0..10 * FRESH_US {
        let now_us = followed.now_us(steady_us, || {
            asked += 1;
            Reading { wall_us: BEGIN + steady_us, steady_us }
        });
        assert_eq!(now_us, BEGIN + steady_us);
    }
    assert_eq!(asked, 10);
}

#[test]
fn wall_time_keeps_within_a_millisecond_of_its_steps_while_the_machine_is_behind() {
    let (followed, mut machine) = (Followed::default(), Machine::new());
    let mut last = followed.now_us(0, || machine.at);
    machine.step(-HOUR);
    for _ in 0..100 * FRESH_US {
        let expected = machine.pass(1);
        let now_us = followed.now_us(machine.at.steady_us, || machine.at);
        assert!(now_us >= last, "{now_us} after {last}");
        assert!(now_us.abs_diff(expected) <= FRESH_US.unsigned_abs(), "{now_us}, not {expected}");
        last = now_us;
    }
}

#[test]
fn no_thread_sees_the_time_step_back_while_the_machine_does() {
    let (followed, steady) = (Followed::default(), AtomicI64::new(0));
    // Half a second back and forth each 100 us.
    let wall_us = |steady_us: i64| BEGIN + steady_us + steady_us / 100 % 2 * SECOND / 2;
    let given = AtomicI64::new(i64::MIN);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    let before = given.load(Ordering::SeqCst);
                    let steady_us = steady.fetch_add(7, Ordering::SeqCst);
                    let now_us = followed.now_us(steady_us, || {
                        let steady_us = steady.load(Ordering::SeqCst);
                        Reading { wall_us: wall_us(steady_us), steady_us }
                    });
                    assert!(now_us >= before, "{now_us} after {before}");
                    given.fetch_max(now_us, Ordering::SeqCst);
                }
            });
        }
    });
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
