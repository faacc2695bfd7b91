//! Delays between attempts: doubled each time, with jitter so that many clients that failed
//! together do not come back together.

use std::time::Duration;

/// The delays of one series of attempts.
#[derive(Debug, Clone)]
pub struct Backoff {
    delay: Duration,
    max: Duration,
}

impl Backoff {
    /// Delays from about `min`, doubling up to about `max`.
    pub fn new(min: Duration, max: Duration) -> Self {
        Self { delay: min, max }
    }

    /// The next delay: half to all of the nominal one. Endless.
    #[allow(clippy::should_implement_trait, reason = "a delay, not an Option of one")]
    pub fn next(&mut self) -> Duration {
        let nominal = self.delay;
        self.delay = (self.delay * 2).min(self.max);
        // Without randomness jitter is lost, not the delay.
        let share = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        nominal.mul_f64(0.5 + share / 2.0)
    }
}
