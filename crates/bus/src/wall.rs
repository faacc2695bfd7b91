//! Wall time as an argument, so that tests can hold the clock.

/// Tells the wall time. Must never step back; see [`SystemClock`].
pub trait WallClock: Send + Sync + 'static {
    /// Microseconds since the Unix epoch.
    fn now_us(&self) -> i64;
}

/// The system's wall clock, clamped: when the system's steps back it stands still until the
/// time it had told is reached again; each such step is counted and logged.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest_us: std::sync::atomic::AtomicI64,
}

/// A step back smaller than this is jitter between threads, not worth a line in the log.
const STEP_BACK_LOGGED_US_MIN: i64 = 1_000;

impl WallClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one adapter of the system's clock")]
    fn now_us(&self) -> i64 {
        use std::sync::atomic::Ordering;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now_us = since.map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
        let latest_us = self.latest_us.fetch_max(now_us, Ordering::Relaxed);
        if latest_us - now_us >= STEP_BACK_LOGGED_US_MIN {
            metrics::counter!("worldbus_wall_clock_steps_back_total").increment(1);
            tracing::warn!(step_us = latest_us - now_us, "wall clock stepped back; clamped");
        }
        now_us.max(latest_us)
    }
}
