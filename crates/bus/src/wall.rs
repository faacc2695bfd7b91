//! The wall clock as an argument: microseconds since the Unix epoch that never step back, and the
//! time that passes, which no correction of the wall clock moves.
//!
//! A machine's clock is corrected, and it may be wrong. Following each of its steps would date an
//! event before its cause, or flood a world with days that never passed; standing until a clock
//! that was ahead is right again would silence it. So a process goes by the time that passes and
//! follows its machine's clock with care: [`steps`] says how.

mod manual;
mod steps;

use async_trait::async_trait;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use steps::{Reading, Steps};

pub use manual::ManualClock;

/// The longest single sleep: a clock that is set forward is noticed within it.
const SLEEP_MS_MAX: u64 = 1_000;

/// Gives the wall time, and waits for it. A process has one, that of its
/// [`Bus`](crate::Bus::wall): each instance follows its machine by itself.
#[async_trait]
pub trait WallClock: Send + Sync + 'static {
    /// Microseconds since the Unix epoch; never less than what it returned before.
    fn now_us(&self) -> i64;

    /// Microseconds that passed since some instant of this process: for leases, delays and ages.
    /// Corrections of the wall clock do not change it.
    fn steady_us(&self) -> i64;

    /// How often the wall time was set ahead since the start. What it left out then never passed
    /// here: services treat it as downtime.
    fn jumps(&self) -> u64 {
        0
    }

    /// Why the wall time differs from the machine's, if it does; for `/readyz`.
    fn fault(&self) -> Option<String> {
        None
    }

    /// Returns when [`WallClock::now_us`] is at least `wall_us`. Cancel-safe.
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

/// The clock of this machine, followed with care: a step ahead of five seconds or more only when
/// it has lasted for a minute, a step back never; then time goes on at nine tenths of its speed
/// until the machine's clock has caught up.
#[derive(Debug)]
pub struct SystemClock {
    steps: Mutex<Steps>,
    read: fn() -> Reading,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { steps: Mutex::default(), read: machine }
    }
}

impl SystemClock {
    /// The steps as of now. Read within the lock, so that readings come in their order.
    fn steps(&self) -> (MutexGuard<'_, Steps>, i64) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = steps.take((self.read)());
        (steps, now_us)
    }
}

impl WallClock for SystemClock {
    fn now_us(&self) -> i64 {
        self.steps().1
    }

    fn steady_us(&self) -> i64 {
        (self.read)().steady_us
    }

    fn jumps(&self) -> u64 {
        self.steps().0.jumps()
    }

    fn fault(&self) -> Option<String> {
        self.steps().0.fault()
    }
}

/// Reads the machine's clocks; a wall clock before 1970 is at 0.
#[expect(clippy::disallowed_methods, reason = "the one adapter of the machine's clocks")]
fn machine() -> Reading {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let us = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Reading { wall_us: us(wall), steady_us: us(START.elapsed()) }
}

#[cfg(test)]
mod tests;
