//! A wall clock that is moved by hand.

use super::WallClock;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;

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
impl WallClock for ManualClock {
    fn now_us(&self) -> i64 {
        *self.now.borrow()
    }

    async fn sleep_until_us(&self, wall_us: i64) {
        // The sender is `self`, so it cannot be gone while we wait.
        let _ = self.now.subscribe().wait_for(|now| *now >= wall_us).await;
    }
}
