//! The wall clock as services see it: microseconds since the Unix epoch that never step back.
//!
//! A machine's clock steps back when somebody corrects it. Following would emit a boundary twice
//! and date an event before its cause; so the step is clamped, counted and logged, and time stands
//! until the machine's clock has caught up.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use metrics::counter;
use tokio::sync::watch;

/// The longest single sleep: a clock that is set forward is noticed within it.
const SLEEP_MS_MAX: u64 = 1_000;

/// Wall time, given to services as an argument.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// Microseconds since the Unix epoch; never less than what it returned before.
    fn now_us(&self) -> i64;

    /// Returns when [`Clock::now_us`] is at least `wall_us`. Cancel-safe.
    async fn sleep_until_us(&self, wall_us: i64);
}

/// The clock of this machine. Share one per process: each has its own high-water mark.
#[derive(Debug)]
pub struct MachineClock {
    latest: Clamp,
    read: fn() -> i64,
}

impl MachineClock {
    /// The clock of this machine.
    pub fn new() -> Self {
        Self { latest: Clamp::default(), read: machine_us }
    }
}

impl Default for MachineClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for MachineClock {
    fn now_us(&self) -> i64 {
        self.latest.clamp((self.read)())
    }

    async fn sleep_until_us(&self, wall_us: i64) {
        loop {
            let left = wall_us.saturating_sub(self.now_us());
            if left <= 0 {
                return;
            }
            let left = Duration::from_micros(left.unsigned_abs());
            tokio::time::sleep(left.min(Duration::from_millis(SLEEP_MS_MAX))).await;
        }
    }
}

/// Reads the machine's clock; 0 when it stands before 1970.
#[allow(clippy::disallowed_methods, reason = "this is the adapter that everybody else is given")]
fn machine_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A high-water mark of time.
#[derive(Debug, Default)]
struct Clamp {
    latest: AtomicI64,
    behind: AtomicBool,
}

impl Clamp {
    fn clamp(&self, read: i64) -> i64 {
        let before = self.latest.fetch_max(read, Ordering::AcqRel);
        if read >= before {
            self.behind.store(false, Ordering::Relaxed);
            return read;
        }
        // Threads may read the clock in one order and arrive here in another: not a step.
        let back_us = before - read;
        if back_us > STEP_US_MIN && !self.behind.swap(true, Ordering::Relaxed) {
            counter!("worldbus_wall_clock_steps_back_total").increment(1);
            tracing::warn!(back_us, "the wall clock stepped back; time stands until it catches up");
        }
        before
    }
}

/// Less than this is a race of two readers, not a step.
const STEP_US_MIN: i64 = 1_000;

/// A clock that stands until it is set: for tests and simulated runs. It does not go back either.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<i64>,
}

impl ManualClock {
    /// A clock that stands at `wall_us`.
    pub fn new(wall_us: i64) -> Self {
        Self { now: watch::Sender::new(wall_us) }
    }

    /// Moves the clock to `wall_us` and wakes the sleepers that are due; to the past: nothing.
    pub fn set_us(&self, wall_us: i64) {
        self.now.send_if_modified(|now| {
            let later = wall_us > *now;
            *now = wall_us.max(*now);
            later
        });
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        *self.now.borrow()
    }

    async fn sleep_until_us(&self, wall_us: i64) {
        // The sender is `self`, so it cannot be gone while we wait.
        let _ = self.now.subscribe().wait_for(|now| *now >= wall_us).await;
    }
}

#[cfg(test)]
mod tests;
