//! Failing events are tried again in place, a bounded number of times. Not here: waiting out an
//! outage (`breaker`), and what becomes of events that no retry mends (`work`).

use std::sync::Arc;
use std::time::Duration;

use crate::calls::Backoff;
use crate::route::handler::{Handler, HandlerError};
use crate::route::message::Message;
use crate::wall::WallClock;

/// How often and how fast a failing event is tried again in place.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub attempts_max: u32,
    /// The delay before the second attempt; it doubles each time, with jitter.
    pub delay_min: Duration,
    /// The longest delay.
    pub delay_max: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, 100 ms to 5 s apart.
    fn default() -> Self {
        Self {
            attempts_max: 5,
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(5),
        }
    }
}

/// Tries a failing event again, unless its error is permanent.
pub struct Retry<H> {
    inner: H,
    policy: RetryPolicy,
    wall: Arc<dyn WallClock>,
}

impl<H> Retry<H> {
    /// Retries around a handler; `wall` gives the time of the first failure.
    pub fn new(inner: H, policy: RetryPolicy, wall: Arc<dyn WallClock>) -> Self {
        Self { inner, policy, wall }
    }
}

impl<H: Handler> Handler for Retry<H> {
    async fn handle(&self, message: Message) -> Result<(), HandlerError> {
        let mut backoff = Backoff::new(self.policy.delay_min, self.policy.delay_max);
        let mut attempt = 1;
        let mut first_failed_ms = None;
        loop {
            let Err(error) = self.inner.handle(message.clone()).await else {
                return Ok(());
            };
            let first_failed_ms = *first_failed_ms.get_or_insert_with(|| self.wall.now_us() / 1000);
            if error.is_permanent() || attempt >= self.policy.attempts_max {
                return Err(error.after(attempt, first_failed_ms));
            }
            tracing::debug!(event_id = %message.id, attempt, %error, "tried again");
            attempt += 1;
            tokio::time::sleep(backoff.next()).await;
        }
    }
}
