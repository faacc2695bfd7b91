//! A wall clock that is moved by hand.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::WallClock;

/// A clock that stands until it is set: for tests and simulated runs. It does not go back either.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Now>,
}

#[derive(Debug, Clone, Copy)]
struct Now {
    wall_us: i64,
    /// How much of it was jumped over.
    jumped_us: i64,
    jumps: u64,
}

impl ManualClock {
    /// A clock that stands at `wall_us`.
    pub fn new(wall_us: i64) -> Self {
        Self { now: watch::Sender::new(Now { wall_us, jumped_us: 0, jumps: 0 }) }
    }

    /// Moves the clock to `wall_us` and wakes the sleepers that are due; to the past: nothing.
    pub fn set_us(&self, wall_us: i64) {
        self.now.send_if_modified(|now| {
            let later = wall_us > now.wall_us;
            now.wall_us = wall_us.max(now.wall_us);
            later
        });
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| now.wall_us = now.wall_us.saturating_add(us(by)));
    }

    /// Sets the clock ahead by `by`, in which no time passes.
    pub fn jump(&self, by: Duration) {
        self.now.send_modify(|now| {
            now.wall_us = now.wall_us.saturating_add(us(by));
            now.jumped_us = now.jumped_us.saturating_add(us(by));
            now.jumps += 1;
        });
    }
}

#[async_trait]
impl WallClock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now.borrow().wall_us
    }

    fn steady_us(&self) -> i64 {
        let now = *self.now.borrow();
        now.wall_us.saturating_sub(now.jumped_us)
    }

    fn jumps(&self) -> u64 {
        self.now.borrow().jumps
    }

    async fn sleep_until_us(&self, wall_us: i64) {
        // The sender is `self`, so it cannot be gone while we wait.
        let _ = self.now.subscribe().wait_for(|now| now.wall_us >= wall_us).await;
    }
}

fn us(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
