//! The wall time of a process for all of its threads: [`Steps`] behind a lock, asked once in a
//! millisecond; in between it follows from the time that passed, without a lock.
//!
//! A publisher reads the time for each event: this is why.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::steps::{Reading, Steps};

/// So long the machine's wall clock is taken to run as the time that passes.
pub(super) const FRESH_US: i64 = 1_000;

#[derive(Debug)]
pub(super) struct Followed {
    steps: Mutex<Steps>,
    /// How far the wall time is ahead of the steady time.
    ahead_us: AtomicI64,
    /// The steady time until which that holds.
    fresh_until_us: AtomicI64,
    /// The latest wall time that was given to any thread.
    given_us: AtomicI64,
}

impl Default for Followed {
    fn default() -> Self {
        Self {
            steps: Mutex::default(),
            ahead_us: AtomicI64::new(0),
            fresh_until_us: AtomicI64::new(i64::MIN),
            given_us: AtomicI64::new(i64::MIN),
        }
    }
}

impl Followed {
    /// The wall time at a steady time. It asks `machine` when what it knows is old.
    pub(super) fn now_us(&self, steady_us: i64, machine: impl FnOnce() -> Reading) -> i64 {
        let now_us = if steady_us < self.fresh_until_us.load(Ordering::Acquire) {
            steady_us.saturating_add(self.ahead_us.load(Ordering::Relaxed))
        } else {
            self.steps(machine).1
        };
        // Threads read one after the other and may get here in another order.
        self.given_us.fetch_max(now_us, Ordering::Relaxed).max(now_us)
    }

    /// The steps as of now, and the wall time. Read within the lock, so that readings come in
    /// their order.
    pub(super) fn steps(&self, machine: impl FnOnce() -> Reading) -> (MutexGuard<'_, Steps>, i64) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let read = machine();
        let now_us = steps.take(read);
        let fresh_until_us =
            if steps.is_slower() { i64::MIN } else { read.steady_us.saturating_add(FRESH_US) };
        self.ahead_us.store(now_us.saturating_sub(read.steady_us), Ordering::Relaxed);
        self.fresh_until_us.store(fresh_until_us, Ordering::Release);
        (steps, now_us)
    }
}
