//! The wall clock as an argument: microseconds since the Unix epoch that never step back, and the
//! time that passes, which no correction of the wall clock moves.
//!
//! A machine's clock is corrected, and it may be wrong. Following each of its steps would date an
//! event before its cause, or flood a world with days that never passed; standing until a clock
//! that was ahead is right again would silence it. So a process goes by the time that passes and
//! follows its machine's clock with care: [`steps`] shows how.

mod followed;
mod manual;
mod steps;

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use followed::Followed;
use steps::Reading;

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
#[derive(Debug, Default)]
pub struct SystemClock {
    followed: Followed,
}

impl WallClock for SystemClock {
    fn now_us(&self) -> i64 {
        self.followed.now_us(steady_us(), machine)
    }

    fn steady_us(&self) -> i64 {
        steady_us()
    }

    fn jumps(&self) -> u64 {
        self.followed.steps(machine).0.jumps()
    }

    fn fault(&self) -> Option<String> {
        self.followed.steps(machine).0.fault()
    }
}

/// Reads the machine's clocks; a wall clock before 1970 is at 0.
#[expect(clippy::disallowed_methods, reason = "the one adapter of the machine's clocks")]
fn machine() -> Reading {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Reading { wall_us: in_us(wall), steady_us: steady_us() }
}

#[expect(clippy::disallowed_methods, reason = "the one adapter of the machine's clocks")]
fn steady_us() -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    in_us(START.elapsed())
}

fn in_us(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
