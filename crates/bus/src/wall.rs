//! The wall clock as an argument: microseconds since the Unix epoch that never step back.
//!
//! A machine's clock steps back when somebody corrects it. Following would emit a boundary twice
//! and date an event before its cause; so the step is clamped, counted and logged, and time stands
//! until the machine's clock has caught up.

mod manual;

use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

pub use manual::ManualClock;

/// The longest single sleep: a clock that is set forward is noticed within it.
const SLEEP_MS_MAX: u64 = 1_000;
/// Less than this is a race of two readers, not a step.
const STEP_US_MIN: i64 = 1_000;

/// Tells the wall time, and when it has come. A process has one, that of its
/// [`Bus`](crate::Bus::wall): each instance has its own high-water mark.
#[async_trait]
pub trait WallClock: Send + Sync + 'static {
    /// Microseconds since the Unix epoch; never less than what it returned before.
    fn now_us(&self) -> i64;

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

/// The clock of this machine.
#[derive(Debug)]
pub struct SystemClock {
    latest: Clamp,
    read: fn() -> i64,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { latest: Clamp::default(), read: system_us }
    }
}

impl WallClock for SystemClock {
    fn now_us(&self) -> i64 {
        self.latest.clamp((self.read)())
    }
}

/// Reads the system's clock; 0 when it stands before 1970.
#[expect(clippy::disallowed_methods, reason = "the one adapter of the system's clock")]
fn system_us() -> i64 {
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
            metrics::counter!("worldbus_wall_clock_steps_back_total").increment(1);
            tracing::warn!(back_us, "the wall clock stepped back; time stands until it catches up");
        }
        before
    }
}

#[cfg(test)]
mod tests;
